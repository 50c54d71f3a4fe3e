"""A table of any length, piece by piece: decided once for the whole file, typed alike everywhere.

The first way through the file decides, by a random sample of all of it, in bounded memory; the
second hands it on. So a column is not a number here and a text there, and a decimal comma is one
on every page. Read next: `tables.py`, which decides.
"""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from p0_foundations.reading.dates import ISO
from p0_foundations.reading.decisions import ColumnReading, Reading
from p0_foundations.reading.kinds import TypedColumn, typed_columns
from p0_foundations.reading.schema import ColumnSchema, FileSchema, TableSchema
from p0_foundations.reading.sources import Progress
from p0_foundations.reading.table import Again, Holding, Table
from p0_foundations.tables import open_table

ROWS_AT_ONCE = 20_000
SAMPLE = Holding(max_rows=100_000, max_bytes=64 * 1024 * 1024)


def _quiet(share: float) -> None:
    """Report to nobody."""
    del share


@dataclass(frozen=True)
class Pieces:
    """A table as a stream of frames that all have the same columns, typed alike."""

    reading: Reading
    schema: TableSchema
    """What is said of every column now, for each piece is read by it."""
    _found: Table
    _again: Again
    _keep_unread: frozenset[str]

    @property
    def names(self) -> tuple[str, ...]:
        """Name the columns."""
        return tuple(str(name) for name in self._found.frame.columns)

    def frames(self, *, skip: int = 0) -> Iterator[pd.DataFrame]:
        """Yield the rows in order, some thousands at a time, without the first `skip`.

        Of a table without rows one frame comes, so that its columns are known.
        """
        if not self.reading.n_rows:
            yield self._found.frame
            return
        for table in self._again.pieces(_quiet):
            n_skipped = min(skip, table.num_rows)
            skip -= n_skipped
            for start in range(n_skipped, table.num_rows, ROWS_AT_ONCE):
                yield self._typed(table.slice(start, ROWS_AT_ONCE))

    def _typed(self, table: pa.Table) -> pd.DataFrame:
        if self._again.names:
            table = table.rename_columns(list(self._again.names))
        for name in self.names:
            if name not in table.column_names:  # no line of this piece of JSON has it
                table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
        table = table.select(list(self.names))
        columns = typed_columns(table, self.schema, {}, is_padded=self._again.is_padded)
        return pd.DataFrame({one.reading.name: self._values(one, table) for one in columns})

    def _values(self, column: TypedColumn, table: pa.Table) -> pd.Series:
        name = column.reading.name
        values = _alike(column.values, self._found.frame[name])
        if column.is_unread is None or name not in self._keep_unread:
            return values
        return values.astype(object).mask(column.is_unread, table[name].to_pandas())


def open_pieces(
    path: str | os.PathLike[str],
    *,
    schema: TableSchema | None = None,
    keep_unread: Collection[str] = (),
    is_strict: bool = True,
    progress: Progress = _quiet,
) -> Pieces:
    """Decide how the table in `path` is read; the rows come from `frames`.

    A cell that is not of its column's kind is missing; in the columns `keep_unread` it keeps its
    text. Memory is bounded, but for a workbook, which is read whole. Raises what `open_table` does.
    """
    schema = schema or TableSchema()
    found = open_table(
        path,
        schema=schema,
        holding=SAMPLE,
        progress=progress,
        is_strict=is_strict,
        sets_text_aside=False,
    )
    assert found.again is not None  # noqa: S101 - every form of file can be read again
    kept = frozenset(keep_unread)
    columns = tuple(_without_unread(one, kept) for one in found.reading.columns)
    update = {"n_held": found.reading.n_rows, "columns": columns}
    return Pieces(
        found.reading.model_copy(update=update), _pinned(found, schema), found, found.again, kept
    )


def _without_unread(column: ColumnReading, kept: frozenset[str]) -> ColumnReading:
    """Tell nothing of cells that count as missing where they do not."""
    if column.name not in kept:
        return column
    return column.model_copy(update={"unread": (), "n_unread": 0})


def _pinned(found: Table, schema: TableSchema) -> TableSchema:
    """Say of each column what was decided for it."""
    columns = {
        one.name: _decided(one, schema.of(one.name), found.frame[one.name])
        for one in found.reading.columns
    }
    left_out = dict.fromkeys(found.reading.left_out, ColumnSchema(kind="ignore"))
    return TableSchema(file=FileSchema(), columns=columns | left_out)


def _decided(column: ColumnReading, said: ColumnSchema, values: pd.Series) -> ColumnSchema:
    update: dict[str, object] = {}
    if column.kind == "number":
        update = {"kind": "number", "decimal": column.decimal, "thousands": column.thousands}
    elif column.kind == "date":
        # A form of one's own for each cell is what is left where a schema calls them dates.
        form = column.date_format or ("mixed" if column.is_told else ISO)
        update = {"kind": "date", "format": form}
    elif not said.kind and types.is_string_dtype(values.dtype):
        update = {"kind": "text"}
    return said.model_copy(update=update)


def _alike(values: pd.Series, wanted: pd.Series) -> pd.Series:
    """Store a piece's values as those of the sample are stored, where that loses nothing."""
    dtype = wanted.dtype
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype("str")
    if values.dtype == dtype:
        return values
    if types.is_datetime64_any_dtype(dtype) and types.is_datetime64_any_dtype(values.dtype):
        return _in_zone(values, getattr(dtype, "tz", None)).astype(dtype)
    if types.is_float_dtype(dtype) and types.is_numeric_dtype(values.dtype):
        return values.astype(dtype)
    if types.is_integer_dtype(dtype) and types.is_float_dtype(values.dtype):
        numbers = values.to_numpy(np.float64)
        return values.astype(dtype) if np.array_equal(numbers, np.rint(numbers)) else values
    return values


def _in_zone(values: pd.Series, zone: object) -> pd.Series:
    is_aware = getattr(values.dtype, "tz", None) is not None
    if zone is None:
        return values.dt.tz_convert("UTC").dt.tz_localize(None) if is_aware else values
    return values if is_aware else values.dt.tz_localize("UTC")
