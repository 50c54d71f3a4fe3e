"""How a text is laid out: its separator, what stands above the header, whether there is a header.

Judged by the first rows alone; a schema overrides each part. Knows no types beyond "looks like a
number or a date". Read next: `delimited.py`, which reads the rest of the file by it.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import islice, pairwise

from p0_foundations.errors import TableError
from p0_foundations.reading.decisions import SPACES
from p0_foundations.reading.schema import FileSchema

SEPARATORS = ("\t", ";", "|", ",")
N_PROBED_ROWS = 200
MAX_SKIPPED_LINES = 20
EVEN_SHARE = 0.9
VALUE_SHARE = 0.9
_MARKED = re.compile(r"^sep=(.)\r?\n", re.IGNORECASE)
_VALUE = re.compile(
    r"^[-+\u2212]?[$€£¥]?\s*\d[\d.,'\u2019\s\u00a0\u202f]*(?:[eE][-+]?\d+)?\s*[%€$£¥]?$"
    r"|^[-+]?\.\d+$"
)
_DATE = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T]\d.*)?$")
_MISSING = frozenset({"", "?", "-", "na", "n/a", "nan", "null", "none"})
_DECIMAL_COMMA = re.compile(r"^\s*[-+]?\d[\d.]*,\d+\s*$")

csv.field_size_limit(1 << 24)


@dataclass(frozen=True)
class Layout:
    """How to cut a text into named columns; `rows` are the first rows under the header."""

    separator: str
    names: tuple[str, ...]
    has_header: bool
    header_because: str
    skip_lines: int
    rows: tuple[tuple[str, ...], ...]
    is_padded: bool = False
    has_quotes: bool = False

    @property
    def n_lines_above(self) -> int:
        """Lines above the first row of data."""
        return self.skip_lines + int(self.has_header)

    @property
    def is_plain(self) -> bool:
        """Whether a fast reader understands it as it stands."""
        return self.separator != SPACES and not (self.is_padded and self.has_quotes)

    def column(self, k: int) -> list[str]:
        """Return the first cells of a column."""
        return [row[k] for row in self.rows if len(row) > k]


def find_layout(head: str, said: FileSchema, shown: str) -> Layout:
    """Find how a text is laid out; `head` is its beginning, in whole lines."""
    mark = _MARKED.match(head)
    separator = said.separator or (mark[1] if mark else _find_separator(head))
    start = said.skip_lines
    if start is None:
        start = 1 if mark else _find_start(head, separator)
    rows = list(split(_below(head, start), separator, N_PROBED_ROWS))
    if not rows:
        raise TableError(f"{shown} holds no rows below its first {start} lines")
    has_header, because = find_header(rows, said)
    body = rows[1:] if has_header else rows
    names = tuple(said.names) or (tuple(rows[0]) if has_header else ())
    width = _usual_width(body or rows)
    _refuse_uneven(names, width, shown, is_told=bool(said.names))
    return Layout(
        separator=separator,
        names=names or tuple(f"column_{k}" for k in range(1, width + 1)),
        has_header=has_header,
        header_because=because,
        skip_lines=start,
        rows=tuple(tuple(row) for row in body),
        is_padded=_is_padded(_below(head, start), separator),
        has_quotes='"' in head,
    )


def split(text: str, separator: str, n_most: int | None = None) -> Iterator[list[str]]:
    """Split a text into rows of cells, blank lines left out."""
    n_found = 0
    for row in _reader(text, separator):
        if row:
            yield row
            n_found += 1
        if n_found == n_most:
            return


def _reader(text: str, separator: str) -> Iterator[list[str]]:
    if separator == SPACES:
        return csv.reader((" ".join(line.split()) for line in text.splitlines()), delimiter=" ")
    return csv.reader(StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)


def _is_padded(text: str, separator: str) -> bool:
    """Say whether blanks stand around the cells."""
    if separator in {SPACES, " "}:
        return False
    rows = islice(csv.reader(StringIO(text, newline=""), delimiter=separator), N_PROBED_ROWS)
    return any(cell != cell.strip(" ") for row in rows for cell in row)


def _below(text: str, n_lines: int) -> str:
    for _ in range(n_lines):
        text = text.partition("\n")[2]
    return text


def _find_separator(head: str) -> str:
    """Take the separator that splits the first rows most evenly, into the most fields."""
    found = [one for one in (_judged(head, one) for one in SEPARATORS) if one is not None]
    if not found:
        return SPACES if _is_spaced(head) else ","
    best = max(found)
    comma = next((one for one in found if one[2] == ","), None)
    if best is comma and len(found) > 1:
        other = max(one for one in found if one is not comma)
        if _commas_are_decimal(head, other[2]):
            return other[2]
    return best[2]


def _judged(head: str, separator: str) -> tuple[float, int, str] | None:
    """Rate a separator: share of rows of the usual width, and that width; None if it is none."""
    try:
        widths = [len(row) for row in split(head, separator, N_PROBED_ROWS)]
    except csv.Error:
        return None
    widths = widths[_n_titles(widths) :]
    body = widths[1:] or widths
    if not body:
        return None
    usual, n_usual = Counter(body).most_common(1)[0]
    share = n_usual / len(body)
    if usual < 2 or share < EVEN_SHARE:
        return (0.0, widths[0], separator) if usual > 1 and widths[0] > 1 else None
    return (1.0 if usual == widths[0] else 0.5, usual, separator)


def _n_titles(widths: Sequence[int]) -> int:
    """Count the first rows that are no part of the table: one field where the others have more."""
    usual = Counter(widths[-max(len(widths) // 2, 1) :]).most_common(1)[0][0] if widths else 1
    n = 0
    while usual > 1 and n < min(len(widths) - 1, MAX_SKIPPED_LINES) and widths[n] == 1:
        n += 1
    return n


def _commas_are_decimal(head: str, separator: str) -> bool:
    rows = list(split(head, separator, N_PROBED_ROWS))
    cells = [cell for row in rows for cell in row if "," in cell]
    return bool(cells) and all(_DECIMAL_COMMA.match(cell) for cell in cells)


def _is_spaced(head: str) -> bool:
    """Say whether runs of spaces separate columns: even rows, mostly numbers."""
    rows = list(split(head, SPACES, N_PROBED_ROWS))
    widths = Counter(len(row) for row in rows)
    usual, n = widths.most_common(1)[0] if widths else (0, 0)
    cells = [cell for row in rows[1:] for cell in row]
    is_numeric = sum(map(_is_value, cells)) > 0.5 * len(cells)
    return usual > 1 and len(rows) > 2 and n >= EVEN_SHARE * len(rows) and is_numeric


def _find_start(head: str, separator: str) -> int:
    """Count the lines above the table, such as a title."""
    rows = list(split(head, separator, N_PROBED_ROWS))
    n_titles = _n_titles([len(row) for row in rows])
    lines, n, n_rows = head.splitlines(), 0, 0
    while n_rows < n_titles and n < len(lines):
        n_rows += bool(lines[n].strip())
        n += 1
    while n < len(lines) and not lines[n].strip():
        n += 1
    return n


def find_header(rows: Sequence[Sequence[str]], said: FileSchema) -> tuple[bool, str]:
    """Say whether the first row names the columns, and by what that was decided."""
    if said.header is not None:
        return said.header, "a schema says so"
    first, body = rows[0], rows[1:]
    if not body:
        is_data = all(_is_value(cell) for cell in first)
        return (False, "its one row holds numbers") if is_data else (True, "there is one row")
    if _is_a_count(first):
        return True, "a row of years or numbers in order"
    votes = [_vote(cell, [row[k] for row in body if len(row) > k]) for k, cell in enumerate(first)]
    n_names, n_data = votes.count(1), votes.count(-1)
    if n_data > n_names:
        return False, "the first row looks like the ones below it"
    if n_names:
        return True, "its cells are unlike the ones below"
    return True, "assumed: nothing tells names from values"


def _vote(cell: str, below: Sequence[str]) -> int:
    """Say whether a cell of the first row is like those below: -1 yes, 1 no, 0 nothing to tell."""
    cell = cell.strip()
    present = [one.strip() for one in below if one.strip().lower() not in _MISSING]
    if not present or cell.lower() in _MISSING:
        return 0
    is_valued = sum(map(_is_value, present)) >= VALUE_SHARE * len(present)
    if is_valued:
        return -1 if _is_value(cell) else 1
    return -1 if cell in present and len(set(present)) < len(present) else 0


def _is_value(cell: str) -> bool:
    return bool(_VALUE.match(cell.strip()) or _DATE.match(cell.strip()))


def _is_a_count(first: Sequence[str]) -> bool:
    """Say whether a row names its columns by numbers in order: 1990, 1991, 1992."""
    whole = [int(cell) for cell in first if cell.strip().isdigit() and len(cell) < 6]
    steps = {b - a for a, b in pairwise(whole)}
    return len(whole) >= 3 and len(first) - len(whole) >= 1 and steps == {1}


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    return Counter(len(row) for row in rows).most_common(1)[0][0]


def _refuse_uneven(names: Sequence[str], width: int, shown: str, *, is_told: bool) -> None:
    if is_told and len(names) != width:
        raise TableError(f"{shown} has {width} columns; the schema gives {len(names)} names")
    if names and width > len(names):
        raise TableError(f"{shown}: the rows have {width} fields, the header {len(names)} names")
