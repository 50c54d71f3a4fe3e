"""What a column really holds: any pandas Series becomes numbers, moments or texts, and missing.

Text that says numbers or dates is read as such, "?" and its kin count as missing, lists and dicts
are looked at as text. Nothing raises: what cannot be read is counted. Knows no statistics. Read
next: `columns.py`, which describes what comes out.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api import types

from p0_foundations.contracts import ValueCount

MISSING_SPELLINGS = frozenset(
    {"", "?", "-", "--", ".", "na", "n/a", "#n/a", "<na>", "nan", "null", "nil", "none"}
)
PARSE_SHARE = 0.95
"""Share of the texts that must read as numbers (or dates) for the column to be one."""
PROBE_ROWS = 1_000
MAX_TEXT = 200
_ODD_TYPES = ("mixed", "mixed-integer", "bytes", "complex", "interval", "time")
_DATE_FORMS = (
    "ISO8601",
    *(
        day + time
        for day in ("%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y")
        for time in ("", " %H:%M", " %H:%M:%S")
    ),
)
"""Where day and month cannot be told apart, the month comes first with slashes, else the day."""
_DATES = r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"


@dataclass(frozen=True)
class Cleaned:
    """A column as one of three: float or integer numbers, UTC moments, texts; NA where missing."""

    form: Literal["number", "moment", "text"]
    values: pd.Series
    spellings: tuple[ValueCount, ...] = ()
    n_unparsed: int = 0
    types: tuple[ValueCount, ...] = ()


def clean(series: pd.Series) -> Cleaned:
    """Read a column as what it holds; costs one pass, two for text."""
    series = _unwrapped(series)
    dtype = series.dtype
    if types.is_bool_dtype(dtype):
        return Cleaned("text", series.map({True: "True", False: "False"}).astype("str"))
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype):
        return Cleaned("number", _plain_numbers(series))
    if types.is_timedelta64_dtype(dtype):
        return Cleaned("number", series.dt.total_seconds())
    if types.is_datetime64_any_dtype(dtype):
        return Cleaned("moment", pd.to_datetime(series, utc=True, errors="coerce"))
    if types.is_string_dtype(dtype) and not types.is_object_dtype(dtype):
        return _clean_text(series.astype("str"))
    return _clean_objects(series.astype(object))


def _unwrapped(series: pd.Series) -> pd.Series:
    """Take a column out of the types that wrap another: categories, sparse, periods."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return series.astype(dtype.categories.dtype)
    if isinstance(dtype, pd.SparseDtype):
        return pd.Series(np.asarray(series), index=series.index)
    if isinstance(dtype, pd.PeriodDtype):
        return series.dt.to_timestamp()
    return series


def _plain_numbers(series: pd.Series) -> pd.Series:
    """Numbers as NumPy holds them; integers stay exact unless cells are missing."""
    if isinstance(series.dtype, np.dtype):
        return series.astype("float64") if series.dtype == np.float16 else series
    is_exact = types.is_integer_dtype(series.dtype) and not series.hasnans
    if is_exact:
        width = "uint64" if types.is_unsigned_integer_dtype(series.dtype) else "int64"
        return pd.Series(series.to_numpy(dtype=width), index=series.index)
    numbers = series.to_numpy(dtype="float64", na_value=np.nan)
    return pd.Series(numbers, index=series.index)


def _clean_objects(series: pd.Series) -> Cleaned:
    """Read a column of Python objects by what they are."""
    kind = types.infer_dtype(series, skipna=True)
    if kind == "boolean":
        return clean(series.astype("boolean"))
    if kind in {"integer", "floating", "mixed-integer-float", "decimal"}:
        try:
            return Cleaned("number", series.astype("float64"))
        except (OverflowError, TypeError, ValueError):
            pass  # whole numbers beyond any float: compared as text
    if kind in {"datetime", "datetime64", "date"}:
        return Cleaned("moment", pd.to_datetime(series, utc=True, errors="coerce"))
    if kind in {"timedelta", "timedelta64"}:
        return Cleaned("number", pd.to_timedelta(series).dt.total_seconds())
    if kind == "empty":
        return Cleaned("text", series.astype("str"))
    python_types = _types_of(series) if kind in _ODD_TYPES else ()
    cleaned = _clean_text(series.map(as_text, na_action="ignore").astype("str"))
    return replace(cleaned, types=python_types)


def as_text(value: object) -> str:
    """Write any value as text that JSON can carry; bytes are read as UTF-8."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "replace").decode()


def _types_of(series: pd.Series) -> tuple[ValueCount, ...]:
    counts = Counter(type(value).__name__ for value in series.dropna())
    return tuple(ValueCount(value=name, n=n) for name, n in counts.most_common())


def _clean_text(series: pd.Series) -> Cleaned:
    """Take missing spellings out, then read numbers and dates out of the text if it is made so."""
    values, spellings = _without_spelled_missing(series)
    present = values.dropna()
    probe = present.sample(min(len(present), PROBE_ROWS), random_state=0).str.strip()
    for form, read in (("number", _numbers_in), ("moment", _moments_in)):
        if len(probe) and float(read(probe).notna().mean()) >= PARSE_SHARE:
            parsed = read(values)
            n_unparsed = len(present) - int(parsed.notna().sum())
            if n_unparsed <= (1 - PARSE_SHARE) * len(present):
                return Cleaned(form, parsed, spellings, n_unparsed)
    return Cleaned("text", values, spellings)


def _without_spelled_missing(series: pd.Series) -> tuple[pd.Series, tuple[ValueCount, ...]]:
    short = series[series.str.len() <= 6]
    counts = short.value_counts()
    found: Mapping[str, int] = {
        str(value): int(n)
        for value, n in counts.items()
        if str(value).strip().lower() in MISSING_SPELLINGS
    }
    if not found:
        return series, ()
    spelled = tuple(ValueCount(value=value, n=n) for value, n in found.items())
    return series.mask(series.isin(list(found))), spelled


def _numbers_in(texts: pd.Series) -> pd.Series:
    """Read numbers; "0042" is a code and stays text, and so does everything beside it."""
    is_code = texts.dropna().head(PROBE_ROWS).str.match(r"^\s*-?0\d").any()
    if is_code:
        return pd.Series(np.nan, index=texts.index)
    return pd.to_numeric(texts, errors="coerce").astype("float64")


def _moments_in(texts: pd.Series) -> pd.Series:
    """Read dates: ISO 8601 first, else the order of day and month that reads the most."""
    head = texts.dropna().head(PROBE_ROWS)
    nothing = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us, UTC]")
    if not len(head) or head.str.match(_DATES).mean() < PARSE_SHARE:
        return nothing
    best_form, best_share = "", 0.0
    for form in _DATE_FORMS:
        share = float(_dates(head, form).notna().mean())
        if share > best_share:
            best_form, best_share = form, share
    return _dates(texts, best_form) if best_share >= PARSE_SHARE else nothing


def _dates(texts: pd.Series, form: str) -> pd.Series:
    return pd.to_datetime(texts.str.strip(), format=form, errors="coerce", utc=True)
