"""CSV, and what all tables share: each row is a line that names its columns."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from p3_rag_chatbot.ingestion.documents import DocumentBuilder
from p3_rag_chatbot.ingestion.loaders.encodings import decode
from p3_rag_chatbot.ingestion.loaders.limits import Limits

_DELIMITERS = ",;\t|"
_LOOKED_AT = 50  # rows, to find the delimiter and the header
_NUMBER = re.compile(r"[-+]?[\d.,\s]*\d[\d.,\s]*%?")
WIDEST = 1000  # columns of a row that are read
csv.field_size_limit(16 * 1024 * 1024)


def read(content: bytes, builder: DocumentBuilder, _: Limits) -> None:
    """Read comma-, semicolon-, tab- or bar-separated values."""
    text = decode(content)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    add_rows(builder, rows)


def add_rows(builder: DocumentBuilder, rows: Iterable[Sequence[str]]) -> None:
    """Add rows below their header; a line above the header, such as a title, is a paragraph."""
    rest = (row[:WIDEST] for row in rows if any(cell.strip() for cell in row))
    looked_at = list(islice(rest, _LOOKED_AT))
    k = _header_row(looked_at)
    if k is None:
        n_columns = max((len(row) for row in looked_at), default=0)
        letters = [_letters(column) for column in range(n_columns)]
        builder.table(chain(looked_at, rest), letters if n_columns > 1 else ())
        return
    for row in looked_at[:k]:
        builder.paragraph(" ".join(cell for cell in row if cell))
    builder.table(chain(looked_at[k + 1 :], rest), looked_at[k])


def _header_row(rows: Sequence[Sequence[str]]) -> int | None:
    """Return which row names the columns: the first as wide as the table, words all of them."""
    width = max((_n_filled(row) for row in rows), default=0)
    for k, row in enumerate(rows[:-1]):
        filled = [cell for cell in row if cell.strip()]
        if len(filled) >= max(width - 1, 2 if width > 1 else 1):
            is_named = not any(_NUMBER.fullmatch(cell.strip()) for cell in filled)
            return k if is_named and len(set(filled)) == len(filled) else None
    return None


def _letters(column: int) -> str:
    """Name a column as spreadsheets do: A to Z, AA and so on, from column 0."""
    first, last = divmod(column, 26)
    return (_letters(first - 1) if first else "") + chr(ord("A") + last)


def _n_filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _delimiter(text: str) -> str:
    """Return the sign that parts the first rows into the same number of cells, two at least."""
    lines = [line for line in text[:65536].splitlines()[:_LOOKED_AT] if line.strip()]

    def worth(sign: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=sign)]
        common = max(set(widths), key=widths.count, default=1)
        return (widths.count(common) / max(len(widths), 1) if common > 1 else 0.0, common)

    return max(_DELIMITERS, key=worth)


def rows_of(cells: Iterator[Sequence[str]]) -> tuple[list[Sequence[str]], Sequence[str]]:
    """Part a small table into its rows and its header, where it has one."""
    rows = list(cells)
    k = _header_row(rows)
    return (rows[k + 1 :], rows[k]) if k == 0 else (rows, ())
