"""A document as it was read: one plain text, and where its headings, pages and tables begin.

Everything after reading (chunks, citations, highlighting) counts in characters of this text.
Loaders make one with a `DocumentBuilder`. Knows no file format. Read next: `chunks.py`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

MarkKind = Literal["heading", "page", "table", "code", "list", "paragraph"]

MAX_METADATA_CHARACTERS = 500
MAX_HEADING_CHARACTERS = 200
_BLANKS = re.compile(r"\s+")
# What no text should hold: controls except tab and newline, and halves of surrogate pairs.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Mark(NamedTuple):
    """Where a part of the text begins; it lasts until the next mark.

    `number` is a heading's level, from 1 for the outermost, or a page's number, from 1. `label` is
    a heading as a person reads it; it need not stand in the text.
    """

    start: int
    kind: MarkKind
    number: int = 0
    label: str = ""


@dataclass(frozen=True)
class Attachment:
    """A file inside a document, which is a document of its own."""

    name: str
    content: bytes


@dataclass(frozen=True)
class LoadedDocument:
    """A document's text with its marks, in the order of the text; lines end with a newline.

    In a table each line is a row, complete in itself. `notes` say what was not read.
    """

    title: str
    text: str
    marks: tuple[Mark, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    n_pages: int | None = None
    media_type: str = "text/plain"
    attachments: tuple[Attachment, ...] = ()


class TooManyCharactersError(Exception):
    """The text has grown beyond what a document may have."""


class DocumentBuilder:
    """Gathers the blocks of a document into one text and marks where each begins.

    Raises `TooManyCharactersError` as soon as the text grows beyond `max_characters`.
    """

    def __init__(self, max_characters: int = 5_000_000) -> None:
        self.title = ""
        self.metadata: dict[str, str] = {}
        self.notes: list[str] = []
        self.attachments: list[Attachment] = []
        self.n_pages: int | None = None
        self._max_characters = max_characters
        self._pieces: list[str] = []
        self._marks: list[Mark] = []
        self._length = 0
        self._is_in_list = False

    def heading(self, text: str, level: int) -> None:
        """Add a heading as a line of its own; the first one is the title, if there is none."""
        text = one_line(text)
        if text:
            self._block(text, "heading", max(level, 1), text[:MAX_HEADING_CHARACTERS])
            self.title = self.title or text[:MAX_HEADING_CHARACTERS]

    def page(self, number: int) -> None:
        """Begin a page."""
        self.n_pages = max(number, self.n_pages or 0)
        self._marks.append(Mark(self._next_start(), "page", number))
        self._is_in_list = False

    def paragraph(self, text: str) -> None:
        """Add running text; its line breaks stay."""
        self._block(clean(text).strip(), "paragraph")

    def code(self, text: str, label: str = "", level: int = 0) -> None:
        """Add text whose blanks matter; with a label it is also a heading: a function, a class."""
        text = clean(text).strip("\n").rstrip()
        if label and text.strip():
            label = one_line(label)[:MAX_HEADING_CHARACTERS]
            self._marks.append(Mark(self._next_start(), "heading", max(level, 1), label))
        self._block(text, "code")

    def item(self, text: str, depth: int = 0, bullet: str = "-") -> None:
        """Add an item of a list, indented by its depth; items stand line under line."""
        text = clean(text).strip()
        if not text:
            return
        line = f"{'  ' * depth}{bullet} {text}"
        if self._is_in_list:
            self._write(f"\n{line}")
        else:
            self._block(line, "list")
            self._is_in_list = True

    def end_list(self) -> None:
        """Let the next item begin a list of its own."""
        self._is_in_list = False

    def table(self, rows: Iterable[Sequence[str]], header: Sequence[str] = ()) -> None:
        """Add rows; each names its columns, so that a part of the table can be read alone."""
        first = True
        for row in rows:
            line = row_line(row, header)
            if not line:
                continue
            if first:
                self._block(line, "table")
                first = False
            else:
                self._write(f"\n{line}")

    def finish(self, title: str, media_type: str) -> LoadedDocument:
        """Return the document; `title` is taken where it has none of its own."""
        marks = sorted(self._marks, key=lambda mark: mark.start)
        return LoadedDocument(
            title=self.title or title,
            text="".join(self._pieces),
            marks=tuple(mark for mark in marks if mark.start < self._length),
            metadata=short_metadata(self.metadata),
            notes=tuple(self.notes),
            n_pages=self.n_pages,
            media_type=media_type,
            attachments=tuple(self.attachments),
        )

    def _next_start(self) -> int:
        return self._length + 2 if self._length else 0

    def _block(self, text: str, kind: MarkKind, number: int = 0, label: str = "") -> None:
        if not text.strip():
            return
        self._is_in_list = False
        if self._length:
            self._write("\n\n")
        self._marks.append(Mark(self._length, kind, number, label))
        self._write(text)

    def _write(self, text: str) -> None:
        self._length += len(text)
        if self._length > self._max_characters:
            raise TooManyCharactersError
        self._pieces.append(text)


def clean(text: str) -> str:
    """Return the text with newlines of one kind, and without what cannot be printed."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    return _UNPRINTABLE.sub("", text)


def one_line(text: str) -> str:
    """Return the text on one line, its blanks single."""
    return _BLANKS.sub(" ", clean(text)).strip()


def row_line(row: Sequence[str], header: Sequence[str] = ()) -> str:
    """Write a table's row as a line that can be read alone: `Name: Ada; Born: 1815`.

    Cells without a column name stand by themselves; empty cells are left out.
    """
    cells = []
    for k, cell in enumerate(row):
        value = one_line(cell)
        name = one_line(header[k]) if k < len(header) else ""
        if value:
            cells.append(f"{name.rstrip(':')}: {value}" if name else value)
    return ("; " if header else " | ").join(cells)


def short_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata with neither blanks nor endless values."""
    lines = {key: one_line(value)[:MAX_METADATA_CHARACTERS] for key, value in metadata.items()}
    return {key: value for key, value in lines.items() if key and value}
