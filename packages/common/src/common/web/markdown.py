"""Markdown to HTML that is safe to show, whoever wrote it.

CommonMark with tables and strikethrough by markdown-it-py; then nh3 (ammonia) removes whatever
could run or reach out: scripts, handlers, styles, frames, `javascript:` links. Headings get ids
so that a section can be linked. Knows no page and reads no file. Next: `guides.py`.
"""

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

ALLOWED_TAGS: Final = frozenset(
    """
    a abbr b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p
    pre s small span strong sub summary sup table tbody td th thead tr ul var
    """.split()  # noqa: SIM905 - forty names read better as a line than as a list
)
ALLOWED_ATTRIBUTES: Final[dict[str, set[str]]] = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "code": {"class"},
    "th": {"align"},
    "td": {"align"},
    "ol": {"start"},
    **{f"h{level}": {"id"} for level in range(1, 7)},
}
ALLOWED_SCHEMES: Final = frozenset({"http", "https", "mailto"})

LinkRule = Callable[[str], str | None]
"""Where a link or picture of the text leads on this site; None drops the address."""


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def render_markdown(text: str, *, link: LinkRule | None = None) -> str:
    """Render `text` to sanitised HTML; raw HTML in it survives only as far as it is harmless.

    `link` may send the addresses of Markdown links and pictures elsewhere.
    """
    parser = _parser()
    environment: MutableMapping[str, object] = {}
    tokens = parser.parse(text, environment)
    _name_headings(tokens)
    if link is not None:
        _redirect(tokens, link)
    html = parser.renderer.render(tokens, parser.options, environment)
    return nh3.clean(
        html,
        tags=set(ALLOWED_TAGS),
        attributes=ALLOWED_ATTRIBUTES,
        url_schemes=set(ALLOWED_SCHEMES),
        link_rel="noopener noreferrer",
    )


def heading_slug(title: str) -> str:
    """Anchor of a heading as GitHub spells it: lower case, no punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def _name_headings(tokens: Sequence[Token]) -> None:
    seen: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        slug = heading_slug("".join(child.content for child in inline.children or []))
        n_before = seen.get(slug, 0)
        seen[slug] = n_before + 1
        opening.attrSet("id", f"{slug}-{n_before}" if n_before else slug)


def _redirect(tokens: Sequence[Token], link: LinkRule) -> None:
    for token in _flat(tokens):
        name = {"link_open": "href", "image": "src"}.get(token.type)
        if name is None:
            continue
        target = link(str(token.attrGet(name) or ""))
        if target is None:
            token.attrs.pop(name, None)
        else:
            token.attrSet(name, target)


def _flat(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])
