"""How columns go together: correlations of numbers, Cramér's V of categories, and between the two.

Works on sampled columns. Every measure leaves out the rows where either column is missing. Read
next: `predictors.py`, for one column as a predictor of the target.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Literal

import numpy as np
import pandas as pd

from p0_foundations.contracts import Association
from p0_foundations.sampling import MEASURED, SampledColumn
from p0_foundations.sketches import Floats, Ints

MIN_ROWS = 3
_MEASURES: tuple[Literal["pearson"], Literal["spearman"]] = ("pearson", "spearman")


def relate(columns: Sequence[SampledColumn], *, n_most: int) -> tuple[Association, ...]:
    """Relate every pair of the first `n_most` columns that can be related; strongest first."""
    chosen = [column for column in columns if _is_relatable(column)][:n_most]
    numbers = {c.name: c.numbers for c in chosen if c.numbers is not None}
    named = {c.name: c.codes for c in chosen if c.codes is not None}
    found = _correlations(numbers)
    for a, b in combinations(named, 2):
        value = cramers_v(named[a], named[b])
        found.append(Association(a=a, b=b, measure="cramers_v", value=value))
    for a, b in product(named, numbers):
        value = correlation_ratio(named[a], numbers[b])
        found.append(Association(a=a, b=b, measure="correlation_ratio", value=value))
    return tuple(sorted(found, key=lambda pair: -abs(pair.value)))


def _is_relatable(column: SampledColumn) -> bool:
    if column.codes is not None:
        present = column.codes[column.codes >= 0]
        return len(present) >= MIN_ROWS and bool((present != present[0]).any())
    if column.numbers is None or column.kind not in MEASURED:
        return False
    finite = column.numbers[~np.isnan(column.numbers)]
    return len(finite) >= MIN_ROWS and bool((finite != finite[0]).any())


def _correlations(numbers: Mapping[str, Floats]) -> list[Association]:
    found: list[Association] = []
    if len(numbers) < 2:
        return found
    frame = pd.DataFrame({name: _scaled(values) for name, values in numbers.items()})
    for measure in _MEASURES:
        matrix = frame.corr(method=measure, min_periods=MIN_ROWS).to_numpy()
        for (i, a), (j, b) in combinations(enumerate(numbers), 2):
            if np.isfinite(matrix[i, j]):
                value = float(np.clip(matrix[i, j], -1.0, 1.0))
                found.append(Association(a=a, b=b, measure=measure, value=value))
    return found


def _scaled(values: Floats) -> Floats:
    """Bring values near one, so that squares do not overflow; correlations do not change."""
    scale = float(np.nanmax(np.abs(values)))
    return values / scale if scale > 0 else values


def cramers_v(one: Ints, other: Ints) -> float:
    """Return Cramér's V with the bias correction of Bergsma (2013), 0 to 1.

    The uncorrected V grows with the number of categories even for independent columns.
    """
    is_both = (one >= 0) & (other >= 0)
    n = int(is_both.sum())
    if n < MIN_ROWS:
        return 0.0
    table = np.bincount(one[is_both] * (other.max() + 1) + other[is_both]).astype(np.float64)
    table = np.pad(table, (0, (one.max() + 1) * (other.max() + 1) - len(table)))
    table = table.reshape(one.max() + 1, other.max() + 1)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    r, k = table.shape
    if min(r, k) < 2:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi2 = float(((table - expected) ** 2 / expected).sum()) / n
    corrected = max(0.0, phi2 - (k - 1) * (r - 1) / (n - 1))
    width = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    return min(1.0, (corrected / width) ** 0.5) if width > 0 else 0.0


def correlation_ratio(codes: Ints, numbers: Floats) -> float:
    """Return the share of spread between categories as a ratio, 0 to 1, less what chance gives.

    Kelley's epsilon (1935): eta squared with the degrees of freedom taken into account.
    """
    is_both = (codes >= 0) & ~np.isnan(numbers)
    kept, values = codes[is_both], _scaled(numbers[is_both]) if is_both.any() else numbers[:0]
    n_groups, n = len(np.unique(kept)), len(values)
    if n_groups < 2 or n <= n_groups:
        return 0.0
    counts = np.bincount(kept)
    sums = np.bincount(kept, weights=values)
    means = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
    total = float(((values - values.mean()) ** 2).sum())
    if total == 0.0:
        return 0.0
    within = float(((values - means[kept]) ** 2).sum())
    epsilon2 = 1 - (within / (n - n_groups)) / (total / (n - 1))
    return max(0.0, min(1.0, epsilon2)) ** 0.5
