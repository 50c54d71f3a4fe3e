"""Takes the repository's guides along: into the source distribution, and from either into a wheel.

An editable install reads them where they lie.
"""

import runpy
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROJECT = Path(__file__).parent
GUIDES = PROJECT / "guides"  # there in an unpacked source distribution alone
FILES = runpy.run_path(str(PROJECT / "src/p3_rag_chatbot/guide_files.py"))


class Guides(BuildHookInterface):
    """Adds each guide under the path that it has in the repository."""

    def initialize(self, version: str, build_data: dict[str, dict[str, str]]) -> None:
        """Say which files to add, and where."""
        if version == "editable" or (self.target_name == "sdist" and GUIDES.is_dir()):
            return
        root = GUIDES if GUIDES.is_dir() else PROJECT.parents[1]
        folder = "guides" if self.target_name == "sdist" else "p3_rag_chatbot/guides"
        for name in FILES["guide_names"](root):
            build_data["force_include"][str(root / name)] = f"{folder}/{name}"
