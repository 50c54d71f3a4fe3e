"""The built-in collection: the guides of this repository, found where the package runs from."""

from pathlib import Path

GUIDES = "guides"
_PACKAGED = Path(__file__).parent / "guides"
_CHECKOUT = Path(__file__).parents[4]


def guide_paths() -> list[Path]:
    """Return the folders and files to index: of a checkout, or those that came in the wheel."""
    if (_CHECKOUT / "roadmap.toml").is_file() and (_CHECKOUT / "docs").is_dir():
        readmes = sorted(_CHECKOUT.glob("projects/*/README.md"))
        return [_CHECKOUT / "README.md", _CHECKOUT / "docs", *readmes]
    return [_PACKAGED] if _PACKAGED.is_dir() else []
