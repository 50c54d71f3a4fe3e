"""Lines of PDF pages to blocks: paragraphs, lists, tables, and headings by the size of their type.

Knows nothing of PDF itself: lines with a size and a place are all it is given.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from p3_rag_chatbot.ingestion.documents import DocumentBuilder
from p3_rag_chatbot.ingestion.loaders.tables import rows_of

_HYPHENS = ("\ufffe", "\x02", "\xad")  # what PDFium and producers write where a word is broken
_BULLET = re.compile(r"^\s*(?:[•‣▪●◦∙–—*]|\d{1,2}[.)]|[a-z]\))\s+(?=\S)")
_LEADER = re.compile(r"\s*(?:\.\s?){4,}")  # dots that lead to a page's number
_DIGITS = re.compile(r"\d+")
_LARGER = 1.15  # times the size of the text, to be a heading
_LONGEST_HEADING = 160
_DEEPEST_LEVEL = 4
_PARAGRAPH_GAP = 1.75  # times the size, between the tops of lines of two paragraphs
_MARGIN = 0.1  # of the page's height, at its top and bottom: where running titles may stand
_FEWEST_PAGES_WITH_RUNNING_TITLES = 4


class Line(NamedTuple):
    """A line of text: its size, and its place from the page's left and top, in points."""

    text: str
    size: float
    left: float
    top: float


class PdfTable(NamedTuple):
    """A table and where it stands."""

    top: float
    bottom: float
    left: float
    right: float
    rows: list[list[str]]

    def holds(self, line: Line) -> bool:
        """Whether a line stands within the table."""
        middle = line.top + line.size / 2
        return self.top <= middle <= self.bottom and self.left - 1 <= line.left <= self.right


@dataclass(frozen=True)
class PdfPage:
    """What a page holds, in the order of its text."""

    number: int
    height: float
    lines: tuple[Line, ...]
    tables: tuple[PdfTable, ...]
    is_scanned: bool = False


def add_pages(builder: DocumentBuilder, pages: Sequence[PdfPage]) -> None:
    """Add the pages' blocks; titles that run along all pages are left out."""
    levels = _heading_levels(pages)
    running = _running_titles(pages)
    for page in pages:
        builder.page(page.number)
        shown = [line for line in page.lines if not _is_running(page, line, running)]
        for block in _blocks(page, shown, {} if page.is_scanned else levels):
            if isinstance(block, PdfTable):
                rows, header = rows_of(iter(block.rows))
                builder.table(rows, header)
            else:
                _add_lines(builder, block, {} if page.is_scanned else levels)


def _add_lines(builder: DocumentBuilder, lines: Sequence[Line], levels: dict[float, int]) -> None:
    text = _joined(lines)
    level = levels.get(lines[0].size)
    bullet = _BULLET.match(text)
    if level is not None and _may_be_heading(text):
        builder.heading(text, level)
    elif bullet:
        sign = bullet[0].strip()
        builder.item(text[bullet.end() :], bullet=sign if sign[0].isalnum() else "-")
    else:
        builder.paragraph(_LEADER.sub(" … ", text))


def _may_be_heading(text: str) -> bool:
    """Whether a text in large type is a heading, not a number, a slogan or a line of contents."""
    has_letters = any(character.isalpha() for character in text)
    return len(text) <= _LONGEST_HEADING and has_letters and not _LEADER.search(text)


def _blocks(
    page: PdfPage, lines: Sequence[Line], levels: dict[float, int]
) -> Iterator[list[Line] | PdfTable]:
    """Part the lines into blocks; a table comes where the first of its lines is."""
    waiting = list(page.tables)
    block: list[Line] = []
    for line in lines:
        table = next((one for one in page.tables if one.holds(line)), None)
        if table is None and block and not _begins_block(block, line, levels):
            block.append(line)
            continue
        if block:
            yield block
        block = [] if table else [line]
        if table in waiting:
            waiting.remove(table)
            yield table
    if block:
        yield block
    yield from waiting


def _begins_block(block: Sequence[Line], line: Line, levels: dict[float, int]) -> bool:
    """Whether a line begins a block of its own after those of a block."""
    before = block[-1]
    if abs(line.size - before.size) > 0.1 * before.size or _BULLET.match(line.text):
        return line.size != before.size or _BULLET.match(line.text) is not None
    gap = line.top - before.top
    if gap < -before.size:  # the top of another column: the sentence may go on
        return before.text.rstrip().endswith((".", "!", "?", ":"))
    is_heading = before.size in levels
    return gap > (2.2 if is_heading else _PARAGRAPH_GAP) * max(before.size, 1.0)


def _joined(lines: Sequence[Line]) -> str:
    """Join lines to running text; a word that was broken at the end of a line is whole again."""
    text = ""
    for line in lines:
        part = line.text
        for hyphen in _HYPHENS:
            part = part.replace(hyphen, "")
        is_broken = line.text.rstrip().endswith(_HYPHENS)
        text += part.strip() if is_broken else f"{part.strip()} "
    return text.strip()


def _heading_levels(pages: Sequence[PdfPage]) -> dict[float, int]:
    """Return the level of each size that is larger than the text's; the largest is 1."""
    n_characters: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            n_characters[line.size] += 0 if page.is_scanned else len(line.text)
    if not n_characters:
        return {}
    size_of_text = n_characters.most_common(1)[0][0]
    larger = sorted((size for size in n_characters if size >= _LARGER * size_of_text), reverse=True)
    # A page of a few large words, such as a cover, must not make all the rest small print.
    return {size: min(k + 1, _DEEPEST_LEVEL) for k, size in enumerate(larger)}


def _running_titles(pages: Sequence[PdfPage]) -> set[str]:
    """Return the lines that stand at the top or bottom of most pages, numbers aside."""
    if len(pages) < _FEWEST_PAGES_WITH_RUNNING_TITLES:
        return set()
    n_pages = Counter(
        key
        for page in pages
        for key in {_key(line) for line in page.lines if _is_at_margin(page, line)}
    )
    return {key for key, n in n_pages.items() if n > len(pages) / 2}


def _is_running(page: PdfPage, line: Line, running: set[str]) -> bool:
    return _is_at_margin(page, line) and _key(line) in running


def _is_at_margin(page: PdfPage, line: Line) -> bool:
    is_within = _MARGIN * page.height <= line.top <= (1 - _MARGIN) * page.height
    return not is_within or line is page.lines[0] or line is page.lines[-1]


def _key(line: Line) -> str:
    return _DIGITS.sub("0", line.text.strip())
