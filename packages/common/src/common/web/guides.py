"""The guides: the repository's own Markdown, rendered and sanitised, with links that stay inside.

Knows where the Markdown lies (`docs/` and the READMEs, when the package runs from a checkout), in
which groups it is read, and no HTTP. Next: `markdown.py` for the rendering, `home.py` for the
routes.
"""

import difflib
import html
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote

from common.errors import DomainError
from common.web.markdown import render_markdown

GUIDES_URL = "/guides/"
TEMPLATE = Path(__file__).parent / "home" / "guide.html"
PICTURES: Mapping[str, str] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Start here": ("readme", "tutorials/"),
    "How to": ("how-to/",),
    "The phases": ("roadmap", "projects/", "packages/"),
    "Reference": ("reference/",),
    "Explanation": ("explanation/",),
    "The project": ("log", "contributing", "changelog"),
    "Decisions": ("adr/",),
}
"""What a page is, by how its address begins; in the order in which a newcomer needs them."""
OTHER = "More"


class GuideNotFoundError(DomainError):
    """No guide stands at this address, or the guides are not installed here."""

    def __init__(self, page: str, known: tuple[str, ...]) -> None:
        self.page = page
        near = difflib.get_close_matches(page, known, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        where = (
            "" if known else " The guides come with the repository; this is an installed package."
        )
        super().__init__(f"There is no guide {page!r}.{hint}{where}")


@dataclass(frozen=True, slots=True)
class Guide:
    """One page: its address below `/guides/`, its first heading and its sanitised HTML."""

    page: str
    title: str
    html: str


class Guides:
    """The Markdown pages of one checkout; an empty shelf when `repository` is None."""

    def __init__(self, repository: Path | None) -> None:
        self._repository = repository.resolve() if repository else None

    @property
    def docs(self) -> Path:
        """The folder of the guides; one that does not exist when there is no checkout."""
        return (self._repository or Path(__file__).parent) / "docs"

    def pages(self) -> dict[str, Path]:
        """Every guide by its address, in reading order: the README first, decisions last."""
        root = self._repository
        if root is None:
            return {}
        found = {p.relative_to(self.docs).with_suffix("").as_posix(): p for p in _below(self.docs)}
        found |= {p.stem.lower(): p for p in root.glob("*.md")}
        members = (*root.glob("projects/*/README.md"), *root.glob("packages/*/README.md"))
        found |= {path.parent.relative_to(root).as_posix(): path for path in members}
        return dict(sorted(found.items(), key=lambda one: _reading_order(one[0])))

    def titles(self) -> dict[str, str]:
        """Every guide's first heading by its address."""
        return {page: title_of(path.read_text("utf-8")) for page, path in self.pages().items()}

    def read(self, page: str) -> Guide:
        """Render one guide; `GuideNotFoundError` names the nearest when there is none."""
        pages = self.pages()
        if page not in pages:
            raise GuideNotFoundError(page, tuple(pages))
        text = pages[page].read_text("utf-8")
        folder = pages[page].parent.relative_to(self._repository or Path()).as_posix()
        html = render_markdown(text, link=lambda href: self._inside(href, folder))
        return Guide(page=page, title=title_of(text), html=html)

    def page_html(self, page: str) -> str:
        """Return one guide as a whole HTML page, with the list of all guides beside it."""
        guide = self.read(page)
        return self._page(guide.title, guide.html, current=page)

    def index_html(self) -> str:
        """Return the first page of the guides: the README, or what to do when there is none."""
        if "readme" in self.pages():
            return self.page_html("readme")
        return self._page("Guides", NO_GUIDES if not self.pages() else "<h1>Guides</h1>", "")

    def _page(self, title: str, body: str, current: str) -> str:
        entries = "".join(
            f"<h2>{group}</h2><ul>{''.join(_entry(*guide, current) for guide in guides)}</ul>"
            for group, guides in groupby(self.titles().items(), key=lambda one: group_of(one[0]))
        )
        page = TEMPLATE.read_text("utf-8")
        for name, value in (("title", html.escape(title)), ("list", entries), ("body", body)):
            page = page.replace(f"<!--{name}-->", value, 1)
        return page

    def picture(self, path: str) -> Path | None:
        """Find a picture below `docs/`; None for anything else."""
        if self._repository is None or Path(path).suffix.lower() not in PICTURES:
            return None
        target = (self.docs / path).resolve()
        return target if target.is_relative_to(self.docs) and target.is_file() else None

    def _inside(self, href: str, folder: str) -> str | None:
        """Point a relative link at its guide or picture; None for a file that has no page here."""
        if href.startswith("#") or re.match(r"[a-z][a-z0-9+.-]*:", href, re.IGNORECASE):
            return href
        path, _, anchor = href.partition("#")
        target = posixpath.normpath(posixpath.join(folder, unquote(path)))
        root = self._repository or Path()
        addresses = {found: page for page, found in self.pages().items()}
        page = addresses.get(root / target) or addresses.get(root / target / "README.md")
        if page is not None:
            return f"{GUIDES_URL}{page}{f'#{anchor}' if anchor else ''}"
        picture = target.removeprefix("docs/")
        return f"{GUIDES_URL}{picture}" if self.picture(picture) else None


NO_GUIDES = (
    "<h1>Guides</h1><p>The guides come with the repository; this service runs from an installed "
    "package. Start it from a checkout to read them here.</p>"
)


def group_of(page: str) -> str:
    """Return the group that a page's address puts it in."""
    for group, beginnings in GROUPS.items():
        if page.startswith(beginnings):
            return group
    return OTHER


def _below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.md"))


def _reading_order(page: str) -> tuple[int, int, str]:
    """By group, within it by the order of its beginnings, then by name; a README leads."""
    group = group_of(page)
    beginnings = GROUPS.get(group, ())
    place = next((k for k, one in enumerate(beginnings) if page.startswith(one)), 0)
    return [*GROUPS, OTHER].index(group), place, page.removesuffix("README")


def _entry(page: str, title: str, current: str) -> str:
    mark = ' aria-current="page"' if page == current else ""
    return f'<li><a href="{GUIDES_URL}{html.escape(page)}"{mark}>{html.escape(title)}</a></li>'


def title_of(text: str) -> str:
    """Return the first heading of a Markdown text, without its marks."""
    match = re.search(r"^#\s+(.+)$", text, re.MULTILINE)
    return re.sub(r"[*_`]", "", match.group(1)).strip() if match else "Guide"


def find_repository() -> Path | None:
    """Find the checkout this package runs from; None when it is an installed wheel."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "docs").is_dir() and (folder / "roadmap.toml").is_file():
            return folder
    return None
