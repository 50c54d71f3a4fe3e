"""Read a table from a file that a person brought: delimited text, Parquet, JSON lines or Excel.

What is not a table (a picture named .csv, an empty file) is refused by what it is. Everything else
is decided, told in a `Reading`, and can be overridden by a schema. A file larger than may be held
is sampled on the way. Knows no HTTP. Read next: `reading/`, then `profiling.py`.
"""

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from p0_foundations.errors import TableError, TableTooLargeError
from p0_foundations.reading.decisions import N_TOLD, Reading, SetAside, unique_names
from p0_foundations.reading.delimited import GarbageError, Misfits, TextFile
from p0_foundations.reading.encodings import Encoding, find_encoding, late_guess
from p0_foundations.reading.kinds import TypedColumn, typed_columns, typed_frame
from p0_foundations.reading.layout import Layout, find_layout
from p0_foundations.reading.other_forms import JsonLines, parquet_pieces, read_excel
from p0_foundations.reading.reservoir import Reservoir
from p0_foundations.reading.schema import FileSchema, TableSchema
from p0_foundations.reading.sources import OPEN_QUOTE, Progress
from p0_foundations.reading.table import MAX_COLUMNS, Again, Holding, Table

HEAD_BYTES = 1024 * 1024
MAX_ROWS = 5_000_000
_KNOWN_FILES = (
    (b"\x1f\x8b", "gzip-compressed; unpack it first"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"SQLite format 3", "an SQLite database; export the table as CSV"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
ACCEPTED = "CSV, TSV, Parquet, JSON lines or Excel"


def read_table(
    path: str | os.PathLike[str],
    *,
    name: str = "",
    encoding: str = "",
    max_columns: int = MAX_COLUMNS,
    max_rows: int = MAX_ROWS,
) -> pd.DataFrame:
    """Read the table in `path` whole; `name` is what its owner calls it, when the path is not that.

    Names that repeat stay as they are. Raises `TableError`, `TableTooLargeError` beyond `max_rows`.
    """
    schema = TableSchema(file=FileSchema(encoding=encoding))
    holding = Holding(max_rows=max_rows, max_bytes=1 << 62, max_columns=max_columns)
    found = open_table(path, name=name, schema=schema, holding=holding)
    if found.reading.is_sampled:
        shown = name or Path(path).name
        raise TableTooLargeError(f"{shown} has more than {max_rows:,} rows; send a sample of it")
    return found.frame.set_axis(list(found.reading.original_names), axis=1)


def _quiet(share: float) -> None:
    """Report to nobody."""
    del share


def open_table(
    path: str | os.PathLike[str],
    *,
    name: str = "",
    schema: TableSchema | None = None,
    holding: Holding | None = None,
    progress: Progress = _quiet,
    is_strict: bool = True,
    sets_text_aside: bool = True,
) -> Table:
    """Read the table in `path` as decided, or as a schema says, and tell every decision.

    Unless it `is_strict`, what the schema says of columns that the table lacks is passed over. A
    row that holds text in most of its number columns is left out, if it `sets_text_aside`.

    One pass over the file, two where its first rows were no guide; memory is bounded by `holding`.
    Raises `TableError` for what is no table, `UnknownColumnError` for a schema of another table.
    """
    file = _File(
        Path(path), name or Path(path).name, schema or TableSchema(), is_strict, sets_text_aside
    )
    head = _head(file.path, file.shown)
    holding = holding or Holding()
    if head.startswith(b"PAR1"):
        return _parquet(file, holding, progress)
    if head.startswith(_WORKBOOKS):
        return _excel(file, holding, progress)
    encoding = _encoding(file, head)
    if _decoded(head, encoding.name).lstrip("\ufeff \r\n\t").startswith("{"):
        return _json_lines(file, encoding, holding, progress)
    return _text(file, encoding, head, holding, progress)


def type_frame(frame: pd.DataFrame, schema: TableSchema | None = None) -> Table:
    """Decide the columns of a frame that was made elsewhere, as if it had been a file."""
    schema = schema or TableSchema()
    names, renamed = unique_names([str(name) for name in frame.columns])
    schema.refuse_unknown(names)
    frame = frame.set_axis(names, axis=1).reset_index(drop=True)
    columns = typed_frame(frame, schema)
    reading = Reading(form="data frame", n_rows=len(frame), n_held=len(frame), renamed=renamed)
    return _told(columns, reading, _ignored(schema, names))


@dataclass(frozen=True)
class _File:
    """A file, what its owner calls it, and what a schema says of it."""

    path: Path
    shown: str
    schema: TableSchema
    is_strict: bool
    sets_text_aside: bool

    def check(self, names: Sequence[str]) -> None:
        """Refuse a schema that speaks of other columns."""
        if self.is_strict:
            self.schema.refuse_unknown(names)


def _head(path: Path, shown: str) -> bytes:
    try:
        with path.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
    except FileNotFoundError:
        raise TableError(f"there is no file {shown}") from None
    except OSError as error:
        raise TableError(f"{shown} cannot be read: {error.strerror}") from error
    if not head.strip():
        raise TableError(f"{shown} is empty")
    for start, what in _KNOWN_FILES:
        if head.startswith(start):
            raise TableError(f"{shown} is {what}, not a table of text")
    return head


def _encoding(file: _File, head: bytes) -> Encoding:
    said = file.schema.file.encoding
    found = Encoding(said, "a schema says so") if said else find_encoding(head)
    if b"\0" in head and not found.name.lower().startswith(("utf-16", "utf-32")):
        raise TableError(f"{file.shown} is a binary file; accepted: {ACCEPTED}")
    return found


def _decoded(head: bytes, encoding: str) -> str:
    """Return the beginning of the file as text, in whole lines."""
    try:
        text = head.decode(encoding, "replace")
    except LookupError:
        raise TableError(f"there is no encoding {encoding!r}; such as utf-8, cp1252") from None
    if len(head) == HEAD_BYTES and "\n" in text:
        text = text[: text.rindex("\n") + 1]
    return text


def _text(
    file: _File, encoding: Encoding, head: bytes, holding: Holding, progress: Progress
) -> Table:
    layout = find_layout(_decoded(head, encoding.name), file.schema.file, file.shown)
    names, renamed = unique_names(_named(layout.names))
    _refuse_wide(file.shown, len(names), holding)
    file.check(names)
    text = TextFile(file.path, encoding.name, layout, tuple(names), _as_text(file.schema, names))
    n_most, is_rewritten = _n_most(layout, holding), not layout.is_plain
    try:
        found = _held(text, n_most, holding.seed, progress, is_rewritten=is_rewritten)
    except GarbageError:
        later = None if file.schema.file.encoding else late_guess(file.path)
        if later is not None and later.name != encoding.name:
            return _text(file, later, head, holding, progress)
        is_rewritten = True
        found = _held(text, n_most, holding.seed, progress, is_rewritten=True)
    held, misfits = found
    _refuse_garbage(file.shown, misfits, held.n_seen)
    columns, n_garbage = _sound_columns(text, held, file, misfits)
    reading = Reading(
        form="delimited text",
        encoding=encoding.name,
        encoding_because=encoding.because,
        separator=layout.separator,
        has_header=layout.has_header,
        header_because=layout.header_because,
        skipped_lines=layout.skip_lines,
        n_rows=held.n_seen - n_garbage,
        n_held=len(columns[0].values) if columns else 0,
        n_set_aside=misfits.n,
        set_aside=tuple(misfits.first),
        renamed=renamed,
    )
    again = partial(text.again, is_rewritten=is_rewritten)
    return _told(
        columns,
        reading,
        _ignored(file.schema, names),
        Again(again, is_padded=layout.is_padded),
    )


def _held(
    text: TextFile, n_most: int, seed: int, progress: Progress, *, is_rewritten: bool
) -> tuple[Reservoir, Misfits]:
    try:
        return text.read(lambda: Reservoir(n_most, seed=seed), progress, is_rewritten=is_rewritten)
    except (pa.ArrowException, csv.Error) as error:
        raise TableError(f"the table cannot be split into columns: {str(error)[:200]}") from error


def _sound_columns(
    text: TextFile, held: Reservoir, file: _File, misfits: Misfits
) -> tuple[list[TypedColumn], int]:
    """Type the columns and set rows aside that hold text in most of the number columns."""
    table, rows = held.table()
    columns = typed_columns(table, file.schema, {}, is_padded=text.layout.is_padded)
    if not file.sets_text_aside:
        return columns, 0
    is_garbage = _garbage_rows(columns, len(rows))
    n_garbage = int(is_garbage.sum())
    if not n_garbage:
        return columns, 0
    for line in text.lines_of(rows[is_garbage][:N_TOLD].tolist()):
        misfits.add(line, "holds text where numbers or dates are")
    misfits.n += n_garbage - min(n_garbage, N_TOLD)
    _refuse_garbage(file.shown, misfits, held.n_seen)
    sound = table.filter(pa.array(~is_garbage))
    return typed_columns(sound, file.schema, {}, is_padded=text.layout.is_padded), n_garbage


def _garbage_rows(columns: Sequence[TypedColumn], n_rows: int) -> np.ndarray:
    """Find rows where at least half of the number and date columns, and two, hold other text."""
    n_unread = np.zeros(n_rows, dtype=np.int64)
    for column in columns:
        if column.is_unread is not None:
            n_unread += column.is_unread
    n_typed = sum(one.reading.kind in {"number", "date"} for one in columns)
    return n_unread >= max(2, n_typed / 2)


def _n_most(layout: Layout, holding: Holding) -> int:
    """How many rows may be held, judged by the length of the first ones."""
    n_bytes = sum(len(cell) + 8 for row in layout.rows for cell in row)
    per_row = max(n_bytes // max(len(layout.rows), 1), 1)
    return max(1, min(holding.max_rows, holding.max_bytes // per_row))


def _named(names: Sequence[str]) -> list[str]:
    return [name.strip() or f"column_{k}" for k, name in enumerate(names, start=1)]


def _as_text(schema: TableSchema, names: Sequence[str]) -> frozenset[str]:
    """Name the columns that a schema has something to say about: read as text, then as it says."""
    asked = TableSchema().of("")
    return frozenset(name for name in names if schema.of(name) != asked)


def _ignored(schema: TableSchema, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if schema.of(name).kind == "ignore")


def _refuse_wide(shown: str, n_columns: int, holding: Holding) -> None:
    if n_columns > holding.max_columns:
        raise TableTooLargeError(
            f"{shown} has {n_columns:,} columns; at most {holding.max_columns:,} are accepted"
        )


def _refuse_garbage(shown: str, misfits: Misfits, n_sound: int) -> None:
    """Refuse a file of which more than a small share could not be read."""
    if not misfits.is_too_many(n_sound + misfits.n):
        return
    first = misfits.first[0] if misfits.first else SetAside(line=0, why="")
    if first.why == OPEN_QUOTE:
        raise TableError(
            f'{shown} cannot be split into columns: a quotation mark (") opened on line '
            f"{first.line:,} is never closed"
        )
    raise TableError(
        f"{shown} cannot be read: {misfits.n:,} of {n_sound + misfits.n:,} rows do not fit, such "
        f"as line {first.line:,}, which {first.why}; a schema can name separator, encoding and "
        "the lines above the header"
    )


def _parquet(file: _File, holding: Holding, progress: Progress) -> Table:
    held = Reservoir(holding.max_rows, seed=holding.seed, max_bytes=holding.max_bytes)
    again = partial(parquet_pieces, file.path, file.shown)
    for piece in again(progress):
        held.add(piece)
    table, _ = held.table()
    names, renamed = unique_names([str(name) for name in table.column_names])
    _refuse_wide(file.shown, len(names), holding)
    file.check(names)
    columns = typed_columns(table.rename_columns(names), file.schema, {})
    reading = Reading(form="Parquet", n_rows=held.n_seen, n_held=table.num_rows, renamed=renamed)
    return _told(columns, reading, _ignored(file.schema, names), Again(again, tuple(names)))


def _json_lines(file: _File, encoding: Encoding, holding: Holding, progress: Progress) -> Table:
    held = Reservoir(holding.max_rows, seed=holding.seed, max_bytes=holding.max_bytes)
    lines = JsonLines(file.path, encoding.name)
    for piece in lines.pieces(progress):
        held.add(piece)
    misfits = lines.misfits
    _refuse_garbage(file.shown, misfits, held.n_seen)
    table, _ = held.table()
    names = table.column_names
    _refuse_wide(file.shown, len(names), holding)
    file.check(names)
    mixed = {name: lines.types.mixed(name) for name in names}
    columns = typed_columns(table, file.schema, mixed)
    reading = Reading(
        form="JSON lines",
        encoding=encoding.name,
        encoding_because=encoding.because,
        n_rows=held.n_seen,
        n_held=table.num_rows,
        n_set_aside=misfits.n,
        set_aside=tuple(misfits.first),
        notes=lines.notes,
    )
    again = Again(JsonLines(file.path, encoding.name).pieces)
    return _told(columns, reading, _ignored(file.schema, names), again)


def _excel(file: _File, holding: Holding, progress: Progress) -> Table:
    held = Reservoir(holding.max_rows, seed=holding.seed, max_bytes=holding.max_bytes)
    sheet = read_excel(file.path, file.shown, file.schema.file, held, progress)
    names, renamed = unique_names(_named(sheet.names))
    _refuse_wide(file.shown, len(names), holding)
    file.check(names)
    table, _ = held.table()
    mixed = {name: sheet.types.mixed(str(k)) for k, name in enumerate(names)}
    columns = typed_columns(table.rename_columns(names), file.schema, mixed)
    reading = Reading(
        form="Excel",
        sheet=sheet.name,
        other_sheets=sheet.others,
        has_header=sheet.has_header,
        header_because=sheet.header_because,
        skipped_lines=sheet.skipped,
        n_rows=held.n_seen,
        n_held=table.num_rows,
        renamed=renamed,
    )
    again = Again(partial(_whole_sheet, file), tuple(names))
    return _told(columns, reading, _ignored(file.schema, names), again)


def _whole_sheet(file: _File, progress: Progress) -> Iterator[pa.Table]:
    held = Reservoir(MAX_ROWS, seed=0)
    read_excel(file.path, file.shown, file.schema.file, held, progress)
    yield held.table()[0]


def _told(
    columns: Sequence[TypedColumn],
    reading: Reading,
    ignored: Sequence[str],
    again: Again | None = None,
) -> Table:
    frame = pd.DataFrame({one.reading.name: one.values for one in columns}, copy=False)
    told = tuple(one.reading for one in columns)
    reading = reading.model_copy(update={"columns": told, "left_out": tuple(ignored)})
    return Table(frame, reading, again)
