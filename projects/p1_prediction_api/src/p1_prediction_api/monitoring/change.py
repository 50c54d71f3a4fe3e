"""Whether a distribution or a share moved, and by how much; NumPy and `math` alone.

A reference is a sample too, so every test is of two samples. Size and chance are kept apart: the
population stability index, less what chance gives, says how far; chi-squared says whether it can be
chance. Shares that may be zero are compared by intervals that hold near zero. The same grades as
P0's drift. Knows no model.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from p1_prediction_api.contracts import Estimate

Integers = NDArray[np.int64]
MIN_EXPECTED = 5.0
Z_95 = 1.959963984540054


def stability_index(before: Integers, after: Integers) -> float:
    """Return the PSI of two rows of counts, less its expectation when nothing changed; at least 0.

    sum((q - p) ln(q / p)), half a count in empty cells; under no change about
    (bins - 1)(1/n + 1/m) (Yurdakul and Naranjo, Journal of Risk Model Validation 14, 2020).
    """
    p, q = np.maximum(before, 0.5), np.maximum(after, 0.5)
    n, m = p.sum(), q.sum()
    p, q = p / n, q / m
    index = float(((q - p) * np.log(q / p)).sum())
    return max(0.0, index - (len(p) - 1) * float(1 / n + 1 / m))


def same_distribution_p(before: Integers, after: Integers) -> float:
    """Return the p-value of the chi-squared test that two rows of counts have one distribution.

    Cells expected to hold fewer than five in either row are pooled; 1.0 when one cell is left.
    """
    table = _without_rare(np.array([before, after], dtype=np.float64))
    if table.shape[1] < 2:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return chi_squared_tail(statistic, table.shape[1] - 1)


def _without_rare(table: NDArray[np.float64]) -> NDArray[np.float64]:
    totals = table.sum(axis=0)
    if not table.sum(axis=1).all():
        return table[:, :0]
    is_rare = totals * table.sum(axis=1).min() / totals.sum() < MIN_EXPECTED
    kept, rare = table[:, ~is_rare], table[:, is_rare].sum(axis=1, keepdims=True)
    if not rare.sum():
        return kept
    if kept.size and totals[is_rare].sum() * table.sum(axis=1).min() / totals.sum() < MIN_EXPECTED:
        least = int(kept.sum(axis=0).argmin())  # the rare ones together are still too few
        kept[:, least] += rare[:, 0]
        return kept
    return np.hstack([kept, rare])


def chi_squared_tail(statistic: float, dof: int) -> float:
    """Return the chance that chi-squared with `dof` degrees of freedom is larger.

    The finite sums for whole numbers of degrees: Abramowitz and Stegun (1964), 26.4.4 and 26.4.5.
    """
    y = statistic / 2
    if y <= 0:
        return 1.0
    total, half = (math.erfc(math.sqrt(y)), 0.5) if dof % 2 else (0.0, 0.0)
    while half < dof / 2:
        total += math.exp(half * math.log(y) - y - math.lgamma(half + 1))
        half += 1
    return min(1.0, total)


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values for their number (Benjamini and Hochberg, 1995); None stays None."""
    tested = sorted((p, k) for k, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 1.0
    for rank in range(len(tested), 0, -1):
        p, k = tested[rank - 1]
        least = min(least, p * len(tested) / rank)
        adjusted[k] = least
    return adjusted


def share(n_hits: int, n: int, z: float = Z_95) -> Estimate:
    """Return a share with Wilson's score interval (1927); 0 to 1 when nothing was tried."""
    if n == 0:
        return Estimate(value=0.0, low=0.0, high=1.0)
    p = n_hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    return Estimate(
        value=p, low=max(0.0, min(p, middle - reach)), high=min(1.0, max(p, middle + reach))
    )


def share_moved(before: tuple[int, int], after: tuple[int, int], z: float) -> tuple[float, float]:
    """Return the interval of the later share less the former, each as (hits, trials).

    Of `z` standard errors, by joining Wilson's intervals of both (Newcombe, Statistics in Medicine
    17, 1998, method 10): it holds where one of the shares is zero.
    """
    one, other = share(*before, z=z), share(*after, z=z)
    moved = other.value - one.value
    down = math.hypot(other.value - other.low, one.high - one.value)
    up = math.hypot(other.high - other.value, one.value - one.low)
    return moved - down, moved + up
