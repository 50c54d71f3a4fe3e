"""Tables that are not delimited text: Parquet, JSON lines and Excel, as pieces of Arrow tables.

JSON and Excel cells become text, spelled so that `kinds.py` reads the same value back; what types
they had is counted, so that a mixed column can be told.
"""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook

from p0_foundations.errors import TableError, TableTooLargeError
from p0_foundations.reading.decisions import ValueCount
from p0_foundations.reading.delimited import Misfits
from p0_foundations.reading.layout import MAX_SKIPPED_LINES, find_header
from p0_foundations.reading.reservoir import Reservoir
from p0_foundations.reading.schema import FileSchema
from p0_foundations.reading.sources import Progress

ROWS_AT_ONCE = 20_000
MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
_NAMES: dict[type, str] = {str: "text", bool: "true or false", int: "whole number", float: "number"}


@dataclass
class Types:
    """How many cells of each type every column holds."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, column: str, value: object) -> None:
        """Count a cell."""
        name = _NAMES.get(type(value), type(value).__name__)
        self.counts.setdefault(column, Counter())[name] += 1

    def mixed(self, column: str) -> tuple[ValueCount, ...]:
        """Return the types of a column when there are several that differ in more than size."""
        found = self.counts.get(column, Counter())
        if set(found) <= {"whole number", "number"} or len(found) < 2:
            return ()
        return tuple(ValueCount(value=name, n=n) for name, n in found.most_common())


def parquet_pieces(path: Path, shown: str, progress: Progress) -> Iterator[pa.Table]:
    """Read Parquet, some rows of a group at a time; a file without rows has one empty piece."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _bad_parquet(shown, error) from error
    with file:
        n_seen, n_rows = 0, file.metadata.num_rows
        if not n_rows:
            yield file.schema_arrow.empty_table()
        batches = file.iter_batches(ROWS_AT_ONCE)
        while n_seen < n_rows:
            try:
                piece = pa.Table.from_batches([next(batches)])
            except (pa.ArrowException, OSError) as error:
                raise _bad_parquet(shown, error) from error
            n_seen += piece.num_rows
            progress(n_seen / n_rows)
            yield piece


def _bad_parquet(shown: str, error: Exception) -> TableError:
    return TableError(f"{shown} is not valid Parquet: {str(error)[:200]}")


@dataclass
class JsonLines:
    """One JSON object a line; objects inside become columns of their own, one level deep.

    What `pieces` came upon so far is in `types`, `misfits` and `notes`.
    """

    path: Path
    encoding: str
    types: Types = field(default_factory=Types)
    misfits: Misfits = field(default_factory=Misfits)
    nested: dict[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """How values that are no plain cells were read."""
        return tuple(f"{name}: {how}" for name, how in self.nested.items())

    def pieces(self, progress: Progress) -> Iterator[pa.Table]:
        """Yield the rows as columns of text; a piece has the columns that its rows have."""
        size = max(self.path.stat().st_size, 1)
        with (
            self.path.open("rb") as raw,
            io.TextIOWrapper(raw, encoding=self.encoding, errors="replace") as file,
        ):
            rows: list[dict[str, Any]] = []
            for line, text in enumerate(file, start=1):
                if not text.strip():
                    continue
                row = _json_row(text, self.nested)
                if row is None:
                    self.misfits.add(line, "is no JSON object")
                    continue
                rows.append(row)
                if len(rows) == ROWS_AT_ONCE:
                    progress(raw.tell() / size)
                    yield _as_text(rows, self.types)
                    rows = []
            yield _as_text(rows, self.types)


def _json_row(text: str, nested: dict[str, str]) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    row: dict[str, Any] = {}
    for name, value in found.items():
        if isinstance(value, dict) and value:
            nested.setdefault(name, "objects are taken apart into columns, one level deep")
            row |= {f"{name}.{inner}": _plain(one) for inner, one in value.items()}
        else:
            if isinstance(value, list):
                nested.setdefault(name, "lists are kept as JSON text")
            row[name] = _plain(value)
    return row


def _plain(value: Any) -> object:
    is_nested = type(value) in {dict, list}
    return json.dumps(value, ensure_ascii=False) if is_nested else value


def _as_text(rows: Sequence[dict[str, Any]], types: Types) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {}
    for name in names:
        cells = [row.get(name) for row in rows]
        for cell in cells:
            if cell is not None and cell != "":
                types.add(name, cell)
        columns[name] = pa.array([spelled(cell) for cell in cells], pa.string())
    return pa.table(columns)


def spelled(cell: object) -> str | None:
    """Write a cell so that reading the text gives the same value; nothing is None."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ").removesuffix(" 00:00:00")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell).encode("utf-8", "replace").decode()


@dataclass(frozen=True)
class Sheet:
    """What was found in a workbook."""

    name: str
    others: tuple[str, ...]
    names: tuple[str, ...]
    has_header: bool
    header_because: str
    skipped: int
    types: Types


def read_excel(
    path: Path, shown: str, said: FileSchema, held: Reservoir, progress: Progress
) -> Sheet:
    """Read one sheet of a workbook: the one that is named, else the first that holds rows."""
    _refuse_bombs(path, shown)
    try:
        book = CalamineWorkbook.from_path(path)
        name, rows = _chosen(book, said.sheet, shown)
    except CalamineError as error:
        raise TableError(f"{shown} cannot be read as a spreadsheet: {error}") from error
    start = _n_titles(rows) if said.skip_lines is None else said.skip_lines
    below = rows[start:]
    head = [[spelled(cell) or "" for cell in row] for row in below[:200]]
    has_header, because = find_header(head, said)
    names = list(said.names) or (head[0] if has_header else [])
    names += [""] * (len(below[0]) - len(names))
    body = below[1:] if has_header else below
    types = Types()
    keys = [str(k) for k in range(len(names))]
    for first in range(0, max(len(body), 1), ROWS_AT_ONCE):
        piece = body[first : first + ROWS_AT_ONCE]
        full = [dict(zip(keys, row, strict=False)) for row in piece if any(c != "" for c in row)]
        held.add(_as_text([dict.fromkeys(keys), *full], types).slice(1))
        progress((first + len(piece)) / max(len(body), 1))
    others = tuple(one for one in book.sheet_names if one != name)
    return Sheet(name, others, tuple(names), has_header, because, start, types)


def _chosen(book: CalamineWorkbook, wanted: str, shown: str) -> tuple[str, list[list[Any]]]:
    if wanted and wanted not in book.sheet_names:
        raise TableError(
            f"{shown} has no sheet {wanted!r}; accepted: {', '.join(book.sheet_names)}"
        )
    for name in (wanted,) if wanted else book.sheet_names:
        rows: list[list[Any]] = book.get_sheet_by_name(name).to_python(skip_empty_area=True)
        if rows:
            return name, rows
    raise TableError(f"{shown} holds no rows in {wanted or 'any sheet'}")


def _n_titles(rows: Sequence[Sequence[object]]) -> int:
    """Count the rows above the table: at most one cell filled, where those below have more."""
    filled = [sum(cell != "" for cell in row) for row in rows[: MAX_SKIPPED_LINES + 1]]
    if max(filled) < 2:
        return 0
    return next((k for k, n in enumerate(filled) if n > 1), 0)


def _refuse_bombs(path: Path, shown: str) -> None:
    """Refuse a workbook that unpacks to more than memory should hold."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
        if not any(name.startswith("xl/") or name == "content.xml" for name in names):
            raise TableError(f"{shown} is a zip archive, not a spreadsheet; unpack it first")
        n_bytes = sum(one.file_size for one in packed.infolist())
    if n_bytes > MAX_UNPACKED_BYTES:
        raise TableTooLargeError(
            f"{shown} unpacks to {n_bytes:,} bytes; at most {MAX_UNPACKED_BYTES:,} are accepted: "
            "save the sheet as CSV"
        )
