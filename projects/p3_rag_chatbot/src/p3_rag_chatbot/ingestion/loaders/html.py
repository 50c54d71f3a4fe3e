"""HTML: headings, text, lists, tables and code of what a page is about, without its frame.

Navigation, footers, forms, scripts and what is hidden are left out.
"""

import re

import lxml.html
from lxml.etree import ParserError
from lxml.html import HtmlElement
from typing_extensions import override

from p3_rag_chatbot.ingestion.documents import DocumentBuilder, one_line
from p3_rag_chatbot.ingestion.loaders.encodings import decode
from p3_rag_chatbot.ingestion.loaders.limits import Limits

_FRAME = (
    "script style noscript template svg canvas iframe object embed nav footer aside form button "
    "input select textarea dialog menu audio video map head"
)
_DROPPED = frozenset(_FRAME.split())
_DROPPED_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary"})
_BLOCK_NAMES = (
    "address article blockquote body center dd details div dl dt fieldset figcaption figure header "
    "hgroup html li main ol p section summary ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLANKS = re.compile(r"\s+")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")
_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]+)", re.IGNORECASE
)
# `<main>` is taken alone where it holds enough to be what the page is about.
_LEAST_MAIN_CHARACTERS = 200


def read(content: bytes, builder: DocumentBuilder, _: Limits) -> None:
    """Read a page; its title, description, author and language are metadata."""
    declared = _CHARSET.search(content[:4096])
    root = _parsed(decode(content, declared[1].decode("ascii") if declared else ""))
    if root is None:
        return
    _add_metadata(builder, root)
    _add(builder, _main_part(root))
    first = root.find(".//h1")
    builder.title = builder.title or (one_line(_text(first)) if first is not None else "")


def add_html(builder: DocumentBuilder, text: str) -> None:
    """Add the blocks of a piece of HTML, such as Markdown and mails hold."""
    root = _parsed(text)
    if root is not None:
        _add(builder, root)


def _parsed(text: str) -> HtmlElement | None:
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)  # lxml refuses a text that declares bytes
    if not text.strip():
        return None
    try:
        return lxml.html.document_fromstring(text)
    except ParserError:  # nothing but comments
        return None


def _add_metadata(builder: DocumentBuilder, root: HtmlElement) -> None:
    title = root.findtext(".//title")
    builder.title = one_line(title or "")
    names = ("description", "author", "keywords", "date")
    for meta in root.iterfind(".//meta[@name]"):
        name = meta.get("name", "").lower()
        if name in names and meta.get("content"):
            builder.metadata[name] = meta.get("content", "")
    if root.get("lang"):
        builder.metadata["language"] = root.get("lang", "")


def _main_part(root: HtmlElement) -> HtmlElement:
    """Return the part that the page is about, where it says so: `<main>`, else one `<article>`."""
    for query in (".//main", ".//*[@role='main']", ".//article"):
        found = root.findall(query)
        if len(found) == 1 and len(_text(found[0])) >= _LEAST_MAIN_CHARACTERS:
            return found[0]
    return root


def _is_dropped(element: HtmlElement) -> bool:
    tag, parent = element.tag, element.getparent()
    if not isinstance(tag, str) or tag in _DROPPED:  # not a name: a comment, an instruction
        return True
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    is_page_header = tag == "header" and parent is not None and parent.tag == "body"
    return (
        element.get("role") in _DROPPED_ROLES
        or _HIDDEN_STYLE.search(element.get("style", "")) is not None
        or (is_page_header and element.find(".//h1") is None)
    )


def _walk(root: HtmlElement, visitor: "_Visitor") -> None:
    """Tell the visitor of starts, texts and ends in order, however deep the nesting."""
    stack = [(root, iter(root))] if visitor.start(root) else []
    while stack:
        parent, children = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
            visitor.end(parent)
            if stack:
                visitor.text(parent.tail or "")
        elif not _is_dropped(child) and visitor.start(child):
            stack.append((child, iter(child)))
        else:
            visitor.text(child.tail or "")


class _Visitor:
    """Gathers text as it is read: blanks are single, a block and `<br>` end a line."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def start(self, element: HtmlElement) -> bool:
        """Begin an element; False leaves its children out."""
        if element.tag in _BLOCKS or element.tag in {"br", "tr"}:
            self.pieces.append("\n")
        self.text(element.text or "")
        return True

    def text(self, text: str) -> None:
        self.pieces.append(_BLANKS.sub(" ", text))

    def end(self, element: HtmlElement) -> None:
        if element.tag in _BLOCKS:
            self.pieces.append("\n")

    def taken(self) -> str:
        """Return what has come since this was asked last, without blanks around its lines."""
        lines = (line.strip() for line in "".join(self.pieces).split("\n"))
        self.pieces = []
        return re.sub(" {2,}", " ", "\n".join(line for line in lines if line))


class _Blocks(_Visitor):
    """Adds each block to the document when it ends."""

    def __init__(self, builder: DocumentBuilder) -> None:
        super().__init__()
        self._builder = builder
        self._lists: list[int | None] = []  # the next number of each open list; None: bullets
        self._is_item_new = False

    @override
    def start(self, element: HtmlElement) -> bool:
        tag = element.tag
        if tag == "pre" or (tag == "table" and _is_data(element)):
            self._flush()
            if tag == "pre":
                self._builder.code(str(element.text_content()))
            else:
                _add_table(self._builder, element)
            return False
        if tag in _BLOCKS or tag in _HEADINGS or tag in {"tr", "table"}:
            self._flush()
        if tag in {"ul", "ol"}:
            if not self._lists:
                self._builder.end_list()
            self._lists.append(1 if tag == "ol" else None)
        self._is_item_new = self._is_item_new or tag == "li"
        if tag == "br":
            self.pieces.append("\n")
        self.text(element.text or "")
        return True

    @override
    def end(self, element: HtmlElement) -> None:
        tag = element.tag
        if tag in _HEADINGS:
            self._builder.heading(self.taken(), _HEADINGS[tag])
        elif tag in _BLOCKS or tag in {"tr", "table", "td", "th"}:
            self._flush()
        if tag in {"ul", "ol"}:
            self._lists.pop()
        if tag == "li":
            self._is_item_new = False

    def _flush(self) -> None:
        text = self.taken()
        if not text:
            return
        if not self._lists or not self._is_item_new:
            self._builder.paragraph(text)
            return
        number = self._lists[-1]
        self._builder.item(text, len(self._lists) - 1, "-" if number is None else f"{number}.")
        self._lists[-1] = None if number is None else number + 1
        self._is_item_new = False


def _text(element: HtmlElement) -> str:
    visitor = _Visitor()
    _walk(element, visitor)
    return visitor.taken()


def _is_data(table: HtmlElement) -> bool:
    """Whether a table holds data: tables that arrange a page hold others, or a single cell."""
    return table.get("role") != "presentation" and table.find(".//table") is None


def _add_table(builder: DocumentBuilder, table: HtmlElement) -> None:
    caption = table.find("caption")
    if caption is not None:
        builder.paragraph(_text(caption))
    found = [row for row in table.iter("tr") if not _is_dropped(row)]
    rows = [_cells(row) for row in found]
    is_named = bool(found) and all(cell.tag == "th" for cell in found[0] if _is_cell(cell))
    in_head = bool(found) and found[0].getparent().tag == "thead"
    if rows and len(rows) > 1 and (is_named or in_head):
        builder.table(rows[1:], rows[0])
    else:
        builder.table(rows)


def _cells(row: HtmlElement) -> list[str]:
    """Return a row's cells; empty ones follow one that spans columns."""
    cells: list[str] = []
    for cell in filter(_is_cell, row):
        span = cell.get("colspan", "1")
        n_columns = min(int(span), 100) if span.isascii() and span.isdigit() else 1
        cells += [_text(cell)] + [""] * (n_columns - 1)
    return cells


def _is_cell(element: HtmlElement) -> bool:
    return element.tag in {"td", "th"} and not _is_dropped(element)


def _add(builder: DocumentBuilder, root: HtmlElement) -> None:
    visitor = _Blocks(builder)
    _walk(root, visitor)
    builder.paragraph(visitor.taken())
