"""The rows that relations are computed on, each column as floats or as small whole codes.

Knows no statistics. Read next: `relations.py` and `predictors.py`, which use it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from p0_foundations.cleaning import Cleaned
from p0_foundations.contracts import ColumnProfile, Kind
from p0_foundations.sketches import Floats, Ints

MAX_LEVELS = 50
MEASURED = (Kind.NUMBER, Kind.DATETIME)
NAMED = (Kind.CATEGORY, Kind.BOOLEAN, Kind.CODE)


@dataclass(frozen=True)
class SampledColumn:
    """A column on the sampled rows: `numbers` with NaN, or `codes` with -1, where missing."""

    name: str
    kind: Kind
    numbers: Floats | None = None
    codes: Ints | None = None

    @property
    def values(self) -> Floats | Ints | None:
        """Codes or numbers, whichever it has."""
        return self.numbers if self.codes is None else self.codes


def sample_rows(n_rows: int, n_wanted: int, seed: int) -> NDArray[np.int64] | None:
    """Choose rows without replacement, in order; None when all are wanted."""
    if n_rows <= n_wanted:
        return None
    chosen = np.random.default_rng(seed).choice(n_rows, n_wanted, replace=False)
    return np.sort(chosen)


def sample_column(
    profile: ColumnProfile, cleaned: Cleaned, rows: NDArray[np.int64] | None
) -> SampledColumn:
    """Take the sampled rows of a column as numbers or codes; ids and texts give neither."""
    values = cleaned.values if rows is None else cleaned.values.iloc[rows]
    name, kind = profile.name, profile.kind
    if kind in NAMED:
        return SampledColumn(name, kind, codes=encode(values))
    if cleaned.form == "number" and kind is not Kind.EMPTY:
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        return SampledColumn(name, kind, numbers=np.where(np.isinf(numbers), np.nan, numbers))
    if kind is Kind.DATETIME:
        return SampledColumn(name, kind, numbers=_seconds(values))
    return SampledColumn(name, kind)


def encode(values: pd.Series) -> Ints:
    """Number the values by frequency; beyond the first fifty they share one code, missing is -1."""
    codes, _ = pd.factorize(values)
    counts = np.bincount(codes[codes >= 0]) if (codes >= 0).any() else np.zeros(1, dtype=np.int64)
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.where(codes >= 0, np.minimum(rank[codes], MAX_LEVELS), -1)


def _seconds(values: pd.Series) -> Floats:
    naive = values.dt.tz_convert(None).to_numpy().astype("datetime64[us]")
    seconds = naive.astype(np.int64) / 1e6
    return np.where(np.isnat(naive), np.nan, seconds)
