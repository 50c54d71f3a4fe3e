"""The pages' common ground: design system, safe markdown, home page.

Knows no project. The browser's side is in `design/` (start at `tokens.css` and
`components.css`, whose heads say how to use them); `files.py` serves it, `markdown.py`
renders text that somebody else wrote, `home.py` is the front door.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.web.files import PageFiles, design_router, mount_design
    from common.web.markdown import render_markdown

_HOMES = {
    "PageFiles": "common.web.files",
    "design_router": "common.web.files",
    "mount_design": "common.web.files",
    "render_markdown": "common.web.markdown",
}

__all__ = ["PageFiles", "design_router", "mount_design", "render_markdown"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for: importing `common.web` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'common.web' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
