"""One column at a time: what it holds, what is missing, how it is distributed.

Reads a pandas Series, returns a `ColumnProfile`. Values that pandas cannot hash (lists, dicts) are
looked at as text. Relations between columns are in `relations.py`.
"""

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from p0_foundations.contracts import ColumnProfile, Histogram, Kind, NumberStats, ValueCount

Floats = NDArray[np.float64]

MISSING_SPELLINGS = frozenset(
    {"", "?", "-", "--", ".", "na", "n/a", "nan", "null", "none", "nil", "missing", "unknown"}
)
SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0)
N_TOP = 20
N_QUANTILES = 513
"""Kept order statistics: a Kolmogorov–Smirnov distance from them is right to 1/512."""
MAX_CATEGORIES = 50
PARSE_SHARE = 0.95
MIN_ID_ROWS = 50
UNHASHABLE: frozenset[type] = frozenset({list, dict, set, np.ndarray})
_ID_NAME = re.compile(r"(?i)(^|_|\b)(id|uuid|guid|key|index|row_?number|customerid)($|_|\b)|ID$")


def profile_column(name: str, series: pd.Series) -> ColumnProfile:
    """Describe one column; cost is one pass to count values and one sort of its numbers."""
    stored_as = str(series.dtype)
    values = _hashable(series)
    spellings: tuple[ValueCount, ...] = ()
    if _is_textual(values):
        values, spellings = _without_spelled_missing(values)
        values = _parsed(values)
    present = values.dropna()
    counts = present.value_counts()
    kind = _kind(name, present, counts, n_rows=len(series))
    numbers = _numbers(present) if kind is Kind.NUMBER or _is_numeric(present) else None
    is_dated = kind is Kind.DATETIME and len(present) > 0
    return ColumnProfile(
        name=name,
        kind=kind,
        stored_as=stored_as,
        n_rows=len(series),
        n_missing=len(series) - len(present),
        missing_spellings=spellings,
        suspected_missing=_sentinels(numbers, counts) if numbers is not None else (),
        n_unique=len(counts),
        top=_top(counts),
        number=_number_stats(numbers) if numbers is not None and len(numbers) else None,
        first=str(present.min()) if is_dated else "",
        last=str(present.max()) if is_dated else "",
        mean_length=_mean_length(present) if kind in {Kind.TEXT, Kind.ID} else None,
    )


def _hashable(series: pd.Series) -> pd.Series:
    if series.dtype != object:
        return series
    sample = series.dropna().head(1000)
    kinds: set[type] = {type(value) for value in sample}
    if kinds & UNHASHABLE:
        return series.map(repr, na_action="ignore")
    if kinds == {bool}:
        return series.astype("boolean")
    if len(kinds) > 1 and str in kinds:  # mixed types: compared as text
        return series.map(str, na_action="ignore")
    return series


def _is_textual(series: pd.Series) -> bool:
    if isinstance(series.dtype, pd.CategoricalDtype):
        return _is_textual(pd.Series(series.cat.categories))
    return pd.api.types.is_string_dtype(series) or series.dtype == object


def _is_numeric(series: pd.Series) -> bool:
    is_number = pd.api.types.is_numeric_dtype(series.dtype)
    return is_number and not pd.api.types.is_bool_dtype(series.dtype)


def _without_spelled_missing(series: pd.Series) -> tuple[pd.Series, tuple[ValueCount, ...]]:
    """Turn "?", "", "NA" and the like into missing cells, and say which were found."""
    counts = series.value_counts()
    found = [
        value
        for value in counts.index
        if isinstance(value, str) and value.strip().lower() in MISSING_SPELLINGS
    ]
    if not found:
        return series, ()
    spelled = tuple(ValueCount(value=repr(value), n=int(counts[value])) for value in found)
    return series.mask(series.isin(found)), spelled


def _parsed(series: pd.Series) -> pd.Series:
    """Read text that is nearly all numbers, or nearly all dates, as what it says."""
    present = series.dropna()
    if present.empty:
        return series
    probe = present.sample(min(len(present), 1000), random_state=0)
    if pd.to_numeric(probe, errors="coerce").notna().mean() >= PARSE_SHARE:
        parsed = pd.to_numeric(series, errors="coerce")
        return parsed if parsed.notna().sum() >= PARSE_SHARE * len(present) else series
    if not probe.astype(str).str.contains(r"\d{1,4}[-/.:]\d{1,2}", regex=True).mean() > PARSE_SHARE:
        return series
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas says that it guesses the format: so it does
        dates = pd.to_datetime(series, errors="coerce", utc=True)
    return dates if dates.notna().sum() >= PARSE_SHARE * len(present) else series


def _kind(name: str, present: pd.Series, counts: pd.Series, *, n_rows: int) -> Kind:
    n_unique = len(counts)
    if present.empty:
        return Kind.EMPTY
    if n_unique == 1 and n_rows > 1:
        return Kind.CONSTANT
    if pd.api.types.is_bool_dtype(present.dtype):
        return Kind.BOOLEAN
    if pd.api.types.is_datetime64_any_dtype(present.dtype):
        return Kind.DATETIME
    if _is_numeric(present):
        return Kind.ID if _is_numeric_id(name, present, n_unique) else Kind.NUMBER
    if n_unique >= 0.99 * len(present) and len(present) >= MIN_ID_ROWS:
        return Kind.TEXT if _mean_length(present) > 40 else Kind.ID
    if n_unique <= MAX_CATEGORIES or n_unique <= 0.2 * len(present):
        return Kind.CATEGORY
    return Kind.TEXT


def _is_numeric_id(name: str, present: pd.Series, n_unique: int) -> bool:
    """Whether whole numbers that never repeat only number the rows, or are named as a key."""
    if n_unique < len(present) or len(present) < MIN_ID_ROWS:
        return False
    if not pd.api.types.is_integer_dtype(present.dtype):
        return False
    spread = int(present.max()) - int(present.min()) + 1
    return spread <= 2 * len(present) or bool(_ID_NAME.search(name))


def _numbers(present: pd.Series) -> Floats:
    return np.asarray(present.astype("float64"), dtype=np.float64)


def _number_stats(numbers: Floats) -> NumberStats | None:
    finite = np.sort(numbers[np.isfinite(numbers)])
    if not len(finite):
        return None
    if len(finite) <= N_QUANTILES:
        quantiles: Floats = finite
    else:
        at = np.linspace(0, len(finite) - 1, N_QUANTILES).round().astype(np.int64)
        quantiles = finite[at]
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(finite.mean()), float(finite.std())
        skew = float(np.mean(((finite - mean) / std) ** 3)) if std > 0 else 0.0
    return NumberStats(
        mean=_plain(mean),
        std=_plain(std),
        minimum=float(finite[0]),
        maximum=float(finite[-1]),
        skew=_plain(skew),
        n_zero=int((finite == 0).sum()),
        n_negative=int((finite < 0).sum()),
        n_infinite=int(len(numbers) - len(finite)),
        quantiles=tuple(float(value) for value in quantiles),
        histogram=_histogram(finite),
    )


def _plain(value: float) -> float:
    """A figure beyond the floating-point range is reported as the largest there is."""
    return float(np.nan_to_num(value))


def _histogram(ordered: Floats) -> Histogram:
    """Bin by Freedman–Diaconis within 8 to 40 bins; whole numbers of few values get one each."""
    low, high = float(ordered[0]), float(ordered[-1])
    distinct = np.unique(ordered)
    if len(distinct) <= 20 and np.all(distinct == np.round(distinct)) and high - low <= 40:
        edges = np.arange(low - 0.5, high + 1.0)
    else:
        q1, q3 = ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
        width = 2 * (q3 - q1) / len(ordered) ** (1 / 3)
        n_bins = int(np.clip((high - low) / width, 8, 40)) if width > 0 else 20
        edges = np.linspace(low, high, n_bins + 1)
    if not np.all(np.isfinite(edges)) or np.any(np.diff(edges) <= 0):
        return Histogram(edges=(low, high), counts=(len(ordered),))
    counts = np.histogram(ordered, edges)[0]
    return Histogram(
        edges=tuple(float(edge) for edge in edges), counts=tuple(int(n) for n in counts)
    )


def _sentinels(numbers: Floats, counts: pd.Series) -> tuple[ValueCount, ...]:
    """Find -999 and its kin: frequent, at an end, and far from every other value."""
    finite = numbers[np.isfinite(numbers)]
    found = []
    for sentinel in SENTINELS:
        n = int((finite == sentinel).sum())
        rest = finite[finite != sentinel]
        if n < max(3, 0.002 * len(finite)) or len(rest) < 20:
            continue
        spread = float(np.quantile(rest, 0.99) - np.quantile(rest, 0.01))
        gap = max(float(rest.min()) - sentinel, sentinel - float(rest.max()))
        if gap > 0.5 * spread and spread > 0 and len(counts) > 3:
            found.append(ValueCount(value=f"{sentinel:g}", n=n))
    return tuple(found)


def _top(counts: pd.Series) -> tuple[ValueCount, ...]:
    head: Any = counts.head(N_TOP)
    return tuple(ValueCount(value=str(v)[:200], n=int(n)) for v, n in head.items())


def _mean_length(present: pd.Series) -> float:
    probe = present.head(10_000).astype(str)
    return float(probe.str.len().mean()) if len(probe) else 0.0
