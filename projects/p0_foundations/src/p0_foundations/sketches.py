"""Order statistics kept of a number, and what two sets of them tell about each other.

A sketch holds values with their exact numbers below and up to it, so that jumps (zeros, caps,
whole numbers) stay jumps; between its values the distribution is interpolated. Knows no column
and no pandas. Read next: `drift.py`.
"""

import numpy as np
from numpy.typing import NDArray

from p0_foundations.figures import Sketch

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def make_sketch(ordered: Floats, *, n_knots: int) -> Sketch:
    """Sketch sorted finite values; keeps every distinct value when they are at most `n_knots`."""
    n = len(ordered)
    if n == 0:
        return Sketch(n=0, values=(), n_below=(), n_upto=())
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if len(starts) <= n_knots:
        values = ordered[starts]
    else:
        ranks = np.linspace(0, n - 1, n_knots).round().astype(np.int64)
        values = np.unique(ordered[ranks])
    return Sketch(
        n=n,
        values=tuple(values.tolist()),
        n_below=tuple(np.searchsorted(ordered, values, side="left").tolist()),
        n_upto=tuple(np.searchsorted(ordered, values, side="right").tolist()),
    )


def distribution(sketch: Sketch, at: Floats) -> tuple[Floats, Floats]:
    """Return the shares of values below, and up to, each point of `at`."""
    values = np.asarray(sketch.values, dtype=np.float64)
    below, upto = np.asarray(sketch.n_below), np.asarray(sketch.n_upto)
    index = np.clip(np.searchsorted(values, at, side="left"), 0, len(values) - 1)
    is_knot = values[index] == at
    right = np.searchsorted(values, at, side="right")
    left = np.clip(right - 1, 0, len(values) - 1)
    after = np.clip(right, 0, len(values) - 1)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        share = np.nan_to_num((at - values[left]) / (values[after] - values[left]))
    between = upto[left] + np.clip(share, 0.0, 1.0) * (below[after] - upto[left])
    between = np.where(right == 0, 0.0, np.where(right == len(values), float(sketch.n), between))
    lower: Floats = np.where(is_knot, below[index], between) / sketch.n
    upper: Floats = np.where(is_knot, upto[index], between) / sketch.n
    return lower, upper


def largest_gap(one: Sketch, other: Sketch) -> float:
    """Return the Kolmogorov-Smirnov distance, 0 to 1: the largest gap of the distributions."""
    at = np.union1d(np.asarray(one.values), np.asarray(other.values))
    lower_one, upper_one = distribution(one, at)
    lower_other, upper_other = distribution(other, at)
    gaps = np.abs(upper_one - upper_other), np.abs(lower_one - lower_other)
    return float(np.max(np.concatenate(gaps)))


def decile_counts(reference: Sketch, later: Sketch, *, n_bins: int = 10) -> tuple[Ints, Ints]:
    """Count both in bins that each hold about a tenth of the reference, for the PSI."""
    values, upto = np.asarray(reference.values), np.asarray(reference.n_upto)
    wanted = np.arange(1, n_bins) / n_bins * reference.n
    edges = np.unique(values[np.searchsorted(upto, wanted, side="left")])
    edges = edges[edges < values[-1]]

    def counts(sketch: Sketch) -> Ints:
        _, upper = distribution(sketch, edges)
        return np.diff(np.concatenate(([0.0], upper, [1.0])) * sketch.n).round().astype(np.int64)

    return counts(reference), counts(later)
