"""The notebooks in JupyterLab: a copy of each to edit, opened as a notebook though it is text.

They lie beside `src` in a checkout and inside the package in a wheel. JupyterLab runs in a process
of its own and is needed by nothing else. Knows no notebook.
"""

import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from p0_foundations.errors import FoundationsError

NEEDED = ("jupyterlab", "jupytext")
_HOME = Path(__file__).parent
_SETTINGS = {
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"python": "Jupytext Notebook"}}
}


def check_installed(needed: tuple[str, ...] = NEEDED) -> None:
    """Refuse, with the way to get it, when one of the modules is not installed."""
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise FoundationsError(
            f"{' and '.join(missing)} not installed: `uv run --group notebooks p0-foundations "
            "notebooks` in a checkout, else install ai-roadmap-p0-foundations[notebooks]"
        )


def copy_notebooks(folder: Path) -> int:
    """Copy the notebooks that a folder lacks, and return how many; what lies there is kept."""
    homes = (_HOME / "notebooks", _HOME.parent.parent / "notebooks")
    home = next((one for one in homes if one.is_dir()), None)
    if home is None:
        raise FoundationsError(f"the notebooks are not in {homes[0]}: install the package anew")
    missing = [path for path in sorted(home.glob("*.py")) if not (folder / path.name).exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in missing:
            shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise FoundationsError(f"cannot write to {folder}: {error.strerror}") from error
    return len(missing)


def write_settings(folder: Path) -> None:
    """Write settings by which a double click on plain text opens a notebook."""
    place = folder / "labconfig"
    try:
        place.mkdir(parents=True, exist_ok=True)
        text = json.dumps(_SETTINGS, indent=2)
        (place / "default_setting_overrides.json").write_text(text, encoding="utf-8")
    except OSError as error:
        raise FoundationsError(f"cannot write to {place}: {error.strerror}") from error


def lab_command(folder: Path, *, host: str, port: int | None, is_browser_wanted: bool) -> list[str]:
    """Return the command that opens JupyterLab on a folder; it asks no other machine anything."""
    command = [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}",
        f"--ServerApp.ip={host}",
        "--ServerApp.allow_root=True",  # in a container; who runs it chose it
        "--ServerApp.contents_manager_class=jupytext.TextFileContentsManager",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=",
        "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    return command if is_browser_wanted else [*command, "--no-browser"]
