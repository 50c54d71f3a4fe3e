"""Where the guides lie: in the checkout that the package runs in, or along in its wheel.

The build reads this file by itself (`hatch_build.py`): it needs nothing but Python.
"""

from pathlib import Path

PATTERNS = ("README.md", "docs/**/*.md", "projects/*/README.md", "packages/*/README.md")
SCREENS = "docs/reference/commands.md"  # drawn with boxes: nothing that is read as text
PACKAGED = Path(__file__).resolve().parent / "guides"
_CHECKOUT = Path(__file__).resolve().parents[4]


def guides_root() -> Path | None:
    """Return the folder that the guides lie in; None where none came along."""
    if (_CHECKOUT / "roadmap.toml").is_file() and (_CHECKOUT / "docs").is_dir():
        return _CHECKOUT
    return PACKAGED if PACKAGED.is_dir() else None


def guide_names(root: Path) -> list[str]:
    """Return the guides below a folder, by their paths in it."""
    found = (path for pattern in PATTERNS for path in sorted(root.glob(pattern)))
    names = (path.relative_to(root).as_posix() for path in found)
    return [name for name in names if name != SCREENS]
