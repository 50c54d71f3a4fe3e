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
from p0_foundations.reading.dates import find_form, read_dates
from p0_foundations.reading.numerals import PLAIN, FoundStyle, NumberStyle, find_style, read_numbers

MISSING_SPELLINGS = frozenset(
    {"", "?", "-", "--", ".", "na", "n/a", "#n/a", "<na>", "nan", "null", "nil", "none"}
)
PARSE_SHARE = 0.95
"""Share of the texts that must read as numbers (or dates) for the column to be one."""
PROBE_ROWS = 1_000
MAX_TEXT = 200
_ODD_TYPES = ("mixed", "mixed-integer", "bytes", "complex", "interval", "time")
N_EXAMPLES = 3


@dataclass(frozen=True)
class Cleaned:
    """A column as one of three: float or integer numbers, UTC moments, texts; NA where missing."""

    form: Literal["number", "moment", "text"]
    values: pd.Series
    spellings: tuple[ValueCount, ...] = ()
    n_unparsed: int = 0
    types: tuple[ValueCount, ...] = ()
    unread: tuple[ValueCount, ...] = ()
    style: NumberStyle = PLAIN
    units: tuple[str, ...] = ()
    date_form: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Asked:
    """What is known of a column before it is looked at; empty is: find out."""

    kind: str = ""
    decimal: str = ""
    thousands: str = ""
    date_format: str = ""
    missing: tuple[str | int | float, ...] = ()
    not_missing: tuple[str, ...] = ()

    @property
    def longest_missing(self) -> int:
        """Characters of the longest text that may be missing, blanks around it included."""
        return max((6, *(len(str(one)) for one in self.missing)))

    def is_missing(self, text: str) -> bool:
        """Say whether a text stands for no value."""
        bare = text.strip()
        if bare in self.not_missing:
            return False
        return bare.lower() in MISSING_SPELLINGS or bare in self._told

    @property
    def missing_numbers(self) -> tuple[float, ...]:
        """The numbers among what was told to be missing."""
        return tuple(float(one) for one in self.missing if not isinstance(one, str))

    @property
    def _told(self) -> set[str]:
        return {str(one) for one in self.missing}


NOTHING_ASKED = Asked()


def clean(series: pd.Series) -> Cleaned:
    """Read a column as what it holds; costs one pass, two for text."""
    if isinstance(series.dtype, pd.CategoricalDtype) and series.dtype.categories.dtype == "str":
        return Cleaned("text", series.astype("str"))  # its owner said that these are categories
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
        return read_texts(series.astype("str"))
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
    cleaned = read_texts(series.map(as_text, na_action="ignore").astype("str"))
    return replace(cleaned, types=python_types)


def as_text(value: object) -> str:
    """Write any value as text that JSON can carry; bytes are read as UTF-8."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "replace").decode()


def _types_of(series: pd.Series) -> tuple[ValueCount, ...]:
    counts = Counter(type(value).__name__ for value in series.dropna())
    return tuple(ValueCount(value=name, n=n) for name, n in counts.most_common())


def read_texts(series: pd.Series, asked: Asked = NOTHING_ASKED) -> Cleaned:
    """Take missing spellings out, then read numbers and dates out of the text if it is made so."""
    values, spellings = _without_spelled_missing(series, asked)
    present = values.dropna()
    probe = _probe(present).str.strip()
    for read in (_as_numbers, _as_moments):
        found = read(values, probe, asked)
        if found is None:
            continue
        form, parsed, told = found
        unread = present[parsed[present.index].isna()]
        if form == "number" and asked.missing_numbers:
            parsed, more = _without_missing_numbers(parsed, asked)
            spellings = (*spellings, *more)
        if asked.kind or len(unread) <= (1 - PARSE_SHARE) * len(present):
            counts = unread.str.slice(0, MAX_TEXT).value_counts().head(N_EXAMPLES)
            examples = tuple(ValueCount(value=str(v), n=int(n)) for v, n in counts.items())
            return replace(
                told,
                form=form,
                values=parsed,
                spellings=spellings,
                n_unparsed=len(unread),
                unread=examples,
            )
    return Cleaned("text", values, spellings)


def _probe(present: pd.Series) -> pd.Series:
    """Take cells from all over a column, some perhaps twice: cheaper than shuffling it."""
    if len(present) <= PROBE_ROWS:
        return present
    return present.iloc[np.random.default_rng(0).integers(0, len(present), PROBE_ROWS)]


def _without_spelled_missing(
    series: pd.Series, asked: Asked
) -> tuple[pd.Series, tuple[ValueCount, ...]]:
    is_short = series.str.len() <= asked.longest_missing
    if not is_short.any():
        return series, ()
    counts = (series if is_short.all() else series[is_short]).value_counts()
    found: Mapping[str, int] = {
        str(value): int(n) for value, n in counts.items() if asked.is_missing(str(value))
    }
    if not found:
        return series, ()
    spelled = tuple(ValueCount(value=value, n=n) for value, n in found.items())
    return series.mask(series.isin(list(found))), spelled


def _without_missing_numbers(
    numbers: pd.Series, asked: Asked
) -> tuple[pd.Series, tuple[ValueCount, ...]]:
    """Take out numbers that stand for no value, however they are written: -999, -999.0."""
    is_told = numbers.isin(asked.missing_numbers)
    counts = numbers[is_told].value_counts()
    spelled = tuple(ValueCount(value=f"{value:g}", n=int(n)) for value, n in counts.items())
    return numbers.mask(is_told), spelled


_Found = tuple[Literal["number", "moment"], pd.Series, Cleaned]


def _as_numbers(texts: pd.Series, probe: pd.Series, asked: Asked) -> _Found | None:
    """Read numbers; "0042" is a code and stays text, and so does everything beside it."""
    if asked.kind not in {"", "number"}:
        return None
    is_code = bool(texts.dropna().head(PROBE_ROWS).str.match(r"^\s*-?0\d").any())
    if is_code and not asked.kind:
        return None
    found = find_style(probe.tolist(), decimal=asked.decimal, thousands=asked.thousands)
    if found is None:
        if not asked.kind:
            return None
        found = FoundStyle(NumberStyle(asked.decimal or ".", asked.thousands), (), True, False)
    doubt, style = "", found.style
    if not found.is_certain and not style.is_plain and not asked.decimal:
        other = "," if style.decimal == "." else "."
        doubt = f"read with {style.words}; nothing rules out {other!r} as the decimal mark"
    parsed = read_numbers(texts, style, has_units=bool(found.units))
    told = Cleaned("number", parsed, style=style, units=found.units, doubt=doubt)
    return "number", parsed, told


def _as_moments(texts: pd.Series, probe: pd.Series, asked: Asked) -> _Found | None:
    """Read dates: ISO 8601 first, else the form that reads the most."""
    del probe
    if asked.kind not in {"", "date"}:
        return None
    form = asked.date_format
    twin = ""
    if not form:
        found = find_form(texts, day_first=asked.decimal == ",")
        if found is None and not asked.kind:
            return None
        form, twin = (found.form, found.twin) if found else ("mixed", "")
    doubt = f"day and month cannot be told apart; read as {form}, not {twin}" if twin else ""
    parsed = read_dates(texts, form)
    return "moment", parsed, Cleaned("moment", parsed, date_form=form, doubt=doubt)
