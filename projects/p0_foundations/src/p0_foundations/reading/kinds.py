"""Each column of a table that was read: as which kind, why, and the values themselves.

Text becomes numbers, dates or stays text; a schema decides where it speaks. What the file shows in
one column (a decimal comma) decides where another alone is ambiguous. Read `cleaning.py` for how a
text is read, and `decisions.py` for what is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api import types

from p0_foundations.cleaning import Asked, Cleaned, read_texts
from p0_foundations.reading.dates import ISO, have_zones
from p0_foundations.reading.decisions import ColumnKind, ColumnReading, ValueCount
from p0_foundations.reading.numerals import find_style
from p0_foundations.reading.schema import TableSchema

N_PROBED = 300
_CODE = r"^-?0\d"


@dataclass(frozen=True)
class TypedColumn:
    """A column's values, how it was read, and which cells are not of its kind."""

    values: pd.Series
    reading: ColumnReading
    is_unread: np.ndarray | None = None


def typed_columns(
    table: pa.Table,
    schema: TableSchema,
    mixed: Mapping[str, tuple[ValueCount, ...]],
    *,
    is_padded: bool = False,
) -> list[TypedColumn]:
    """Decide every column of a table but those that the schema ignores."""
    names = [name for name in table.column_names if schema.of(name).kind != "ignore"]
    texts = {name: _texts(table[name], is_padded=is_padded) for name in names}
    decimal = _decimal_of(texts)
    found = []
    for name in names:
        asked = _asked(schema, name, decimal)
        text = texts[name]
        if text is None:
            one = _typed_already(name, table[name], asked)
        else:
            one = _plain_numbers(name, table[name], text, asked) or _read(name, text, asked)
        if types_of := mixed.get(name, ()):
            told = one.reading.model_copy(update={"types": types_of})
            one = TypedColumn(one.values, told, one.is_unread)
        found.append(one)
    return found


def typed_frame(frame: pd.DataFrame, schema: TableSchema) -> list[TypedColumn]:
    """Decide every column of a frame that was made elsewhere: its texts are read, types kept."""
    found = []
    texts = {
        str(name): frame[name].astype("str") if _is_text(frame[name]) else None
        for name in frame.columns
    }
    decimal = _decimal_of(texts)
    for name, text in texts.items():
        asked = _asked(schema, name, decimal)
        if asked.kind != "ignore":
            is_typed = text is None
            found.append(_kept(name, frame[name], asked) if is_typed else _read(name, text, asked))
    return found


def _is_text(series: pd.Series) -> bool:
    if types.is_object_dtype(series.dtype):
        return pd.api.types.infer_dtype(series, skipna=True) == "string"
    return types.is_string_dtype(series.dtype) and not isinstance(series.dtype, pd.CategoricalDtype)


def _asked(schema: TableSchema, name: str, decimal: str) -> Asked:
    said = schema.of(name)
    return Asked(
        kind=said.kind,
        decimal=said.decimal or decimal,
        thousands=said.thousands,
        date_format=said.format,
        missing=said.missing,
        not_missing=said.not_missing,
    )


def _texts(column: pa.ChunkedArray, *, is_padded: bool) -> pd.Series | None:
    """Return a column of texts as pandas holds it, None for one that has a type already."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    text = column.to_pandas().astype("str").rename(None)
    if not is_padded:
        return text
    text = text.str.strip()
    return text.mask(text == "")


def _decimal_of(texts: Mapping[str, pd.Series | None]) -> str:
    """Return "," when some column has decimal commas for certain and none has points."""
    marks = set()
    for text in texts.values():
        if text is None:
            continue
        probe = text.dropna().head(N_PROBED)
        found = find_style(probe.tolist()) if len(probe) else None
        if found is not None and found.is_certain and found.has_marks:
            marks.add(found.style.decimal)
    return "," if marks == {","} else ""


def _plain_numbers(
    name: str, column: pa.ChunkedArray, text: pd.Series, asked: Asked
) -> TypedColumn | None:
    """Read the texts as numbers in one stroke, where all of them are and nothing else is asked."""
    is_simple = not asked.missing and asked.kind in {"", "number"} and asked.decimal in {"", "."}
    if not is_simple or asked.thousands or column.null_count == len(column):
        return None
    if not asked.kind and text.dropna().head(N_PROBED).str.match(_CODE).any():
        return None
    if not _all_numbers(text.dropna().head(N_PROBED)):
        return None
    for wanted in (pa.int64(), pa.float64()):
        try:
            numbers = column.cast(wanted)
        except pa.ArrowInvalid:
            continue
        values = _series(numbers)
        is_spelled = values.isna().sum() > column.null_count or np.isinf(values).any()
        return None if is_spelled else _numbers(name, values, asked)
    return None


def _all_numbers(head: pd.Series) -> bool:
    return bool(pd.to_numeric(head, errors="coerce").notna().all())


def _numbers(name: str, values: pd.Series, asked: Asked) -> TypedColumn:
    why = "a schema says so" if asked.kind else "every cell is a number"
    told = ColumnReading(name=name, kind="number", why=why, is_told=bool(asked.kind))
    return TypedColumn(values.rename(None), told)


def _typed_already(name: str, column: pa.ChunkedArray, asked: Asked) -> TypedColumn:
    return _kept(name, _series(column), asked)


def _series(column: pa.ChunkedArray) -> pd.Series:
    """Return a typed column as pandas holds it; numbers and plain moments are copied once alone."""
    kind = column.type
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if not is_number and not (pa.types.is_timestamp(kind) and kind.tz is None):
        return column.to_pandas().rename(None)
    values = column.to_numpy()
    return pd.Series(values, copy=not values.flags.writeable)


def _kept(name: str, values: pd.Series, asked: Asked) -> TypedColumn:
    """Keep a column as it is typed, or make of it what a schema asks for."""
    if asked.kind in {"category", "text"} or (
        asked.kind == "date" and not types.is_datetime64_any_dtype(values.dtype)
    ):
        return _read(name, _spelled(values), asked)
    spelled: tuple[ValueCount, ...] = ()
    if asked.missing and types.is_numeric_dtype(values.dtype):
        numbers = {float(one) for one in asked.missing if _is_number(one)}
        counts = values[values.isin(numbers)].value_counts()
        spelled = tuple(ValueCount(value=f"{v:g}", n=int(n)) for v, n in counts.items())
        values = values.mask(values.isin(numbers)) if spelled else values
    kind, why = _kind_of_type(values)
    told = ColumnReading(
        name=name,
        kind=kind,
        why="a schema says so" if asked.kind else why,
        is_told=bool(asked.kind),
        missing_spellings=spelled,
    )
    return TypedColumn(values, told)


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _spelled(values: pd.Series) -> pd.Series:
    """Write typed cells as text; whole numbers without a point."""
    if types.is_float_dtype(values.dtype):
        return values.map("{:.15g}".format, na_action="ignore").astype("str")
    return values.map(str, na_action="ignore").astype("str")


def _kind_of_type(values: pd.Series) -> tuple[ColumnKind, str]:
    dtype = values.dtype
    if types.is_datetime64_any_dtype(dtype):
        return "date", "every cell is a date"
    if types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype):
        return "number", "every cell is a number"
    return "text", f"stored as {dtype}"


def _read(name: str, text: pd.Series, asked: Asked) -> TypedColumn:
    """Read a column of texts as what it says."""
    cleaned = read_texts(text, asked)
    values: pd.Series = cleaned.values
    kind, why = _words(cleaned)
    if cleaned.form == "moment":
        values = values if have_zones(text) else values.dt.tz_localize(None)
    elif cleaned.form == "text":
        kind = "category" if asked.kind == "category" else "text"
        if asked.kind == "category":
            values = values.str.strip().astype("category")
        elif not asked.missing:
            values = text  # a profile tells of "NA" and its kin by themselves
    told = ColumnReading(
        name=name,
        kind=kind,
        why="a schema says so" if asked.kind else why,
        is_told=bool(asked.kind),
        date_format="" if cleaned.date_form in {ISO, "mixed"} else cleaned.date_form,
        decimal=cleaned.style.decimal,
        thousands=cleaned.style.thousands,
        missing_spellings=cleaned.spellings,
        unread=cleaned.unread,
        n_unread=cleaned.n_unparsed,
        doubt=cleaned.doubt,
    )
    if not cleaned.n_unparsed:
        return TypedColumn(values, told)
    spelled = {one.value for one in cleaned.spellings}
    is_unread = values.isna() & text.notna() & ~text.isin(spelled)
    return TypedColumn(values, told, is_unread.to_numpy(bool))


def _words(cleaned: Cleaned) -> tuple[ColumnKind, str]:
    if cleaned.form == "moment":
        form = "ISO 8601" if cleaned.date_form == ISO else cleaned.date_form
        return "date", f"dates written as {form}"
    if cleaned.form == "number":
        units = f"; {' '.join(cleaned.units)} taken off" if cleaned.units else ""
        some = "nearly every cell" if cleaned.n_unparsed else "every cell"
        return "number", f"{some} is a number: {cleaned.style.words}{units}"
    return "text", "neither numbers nor dates"
