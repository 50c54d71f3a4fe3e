"""What each column alone tells of the target, out of fold, and which tells too much.

A column is cut into bins (or taken by its values, missing being one of them); the target's mean
in the bin, learnt on four fifths of the rows, predicts the fifth left out. What predicts almost
perfectly alone, or stands far above everything else, may have been written down after the target.
Works on sampled columns.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from p0_foundations.contracts import Predictor
from p0_foundations.sampling import SampledColumn
from p0_foundations.sketches import Floats, Ints

Flags = NDArray[np.bool_]
Measure = Literal["gini", "brier_skill", "r2"]

N_FOLDS = 5
N_BINS = 32
MIN_ROWS = 50
SMOOTHING_ROWS = 2.0
NEARLY_PERFECT = 0.98
STRONG, FAR_ABOVE = 0.8, 0.4


def rate_predictors(
    columns: Sequence[SampledColumn], target: SampledColumn, *, seed: int
) -> tuple[Predictor, ...]:
    """Rate every column that has values against the target; strongest first."""
    is_known = _is_present(target)
    n = int(is_known.sum())
    if n < MIN_ROWS:
        return ()
    folds = np.random.default_rng(seed).permutation(n) % N_FOLDS
    truth, measure = _truth(target, is_known)
    if truth.shape[1] == 0:
        return ()
    rated = []
    for column in columns:
        bins = _bins(column, is_known)
        if column.name == target.name or bins is None or bins.max(initial=0) == 0:
            continue
        power = _power(bins, truth, folds, measure)
        is_copy = _is_copy(column, target, is_known)
        rated.append(Predictor(column=column.name, power=power, measure=measure, is_copy=is_copy))
    return _marked(sorted(rated, key=lambda one: (-one.is_copy, -one.power)))


def _marked(rated: list[Predictor]) -> tuple[Predictor, ...]:
    """Mark copies, the nearly perfect, and the one that is strong and far above the rest."""
    marked = []
    for k, one in enumerate(rated):
        rest = rated[k + 1].power if k + 1 < len(rated) else one.power
        is_apart = k == 0 and one.power >= STRONG and one.power - rest >= FAR_ABOVE
        is_suspect = one.is_copy or one.power >= NEARLY_PERFECT or is_apart
        marked.append(one.model_copy(update={"is_suspect": is_suspect}))
    return tuple(marked)


def _is_present(column: SampledColumn) -> Flags:
    if column.codes is not None:
        return column.codes >= 0
    if column.numbers is not None:
        return ~np.isnan(column.numbers)
    return np.zeros(0, dtype=np.bool_)


def _truth(target: SampledColumn, is_known: Flags) -> tuple[Floats, Measure]:
    """Return the target as a matrix: a column per class, one for a number, none if constant."""
    if target.numbers is not None:
        values = target.numbers[is_known] / max(float(np.nanmax(np.abs(target.numbers))), 1e-300)
        centred = (values - values.mean())[:, None]
        return centred if centred.any() else centred[:, :0], "r2"
    codes = (target.codes if target.codes is not None else np.zeros(0, np.int64))[is_known]
    present = np.unique(codes)
    if len(present) < 2:
        return np.empty((len(codes), 0)), "brier_skill"
    onehot = (codes[:, None] == present[None, :]).astype(np.float64)
    return (onehot[:, :1], "gini") if len(present) == 2 else (onehot, "brier_skill")


def _bins(column: SampledColumn, is_known: Flags) -> Ints | None:
    """Give each row its bin; missing is the last one."""
    if column.codes is not None:
        codes = column.codes[is_known]
        return np.where(codes >= 0, codes, codes.max(initial=0) + 1)
    if column.numbers is None:
        return None
    values = column.numbers[is_known]
    present = values[~np.isnan(values)]
    if not len(present):
        return None
    edges = np.unique(np.quantile(present, np.arange(1, N_BINS) / N_BINS))
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, "left"))


def _power(bins: Ints, truth: Floats, folds: Ints, measure: Measure) -> float:
    predicted, baseline = _out_of_fold(bins, truth, folds)
    if measure == "gini":
        return _mean_gini(predicted[:, 0], truth[:, 0] > 0.5, folds)
    error, spread = ((truth - predicted) ** 2).sum(), ((truth - baseline) ** 2).sum()
    return float(np.clip(1 - error / spread, 0.0, 1.0)) if spread > 0 else 0.0


def _out_of_fold(bins: Ints, truth: Floats, folds: Ints) -> tuple[Floats, Floats]:
    """Predict each row by its bin's mean over the other folds, drawn a little to their mean."""
    n_bins = int(bins.max()) + 1
    cell = bins * N_FOLDS + folds
    counts = np.bincount(cell, minlength=n_bins * N_FOLDS).reshape(n_bins, N_FOLDS)
    others = counts.sum(axis=1, keepdims=True) - counts
    n_others = others.sum(axis=0)
    predicted, baseline = np.empty_like(truth), np.empty_like(truth)
    for k in range(truth.shape[1]):
        sums = np.bincount(cell, weights=truth[:, k], minlength=n_bins * N_FOLDS)
        sums = sums.reshape(n_bins, N_FOLDS)
        outside = sums.sum(axis=1, keepdims=True) - sums
        prior = outside.sum(axis=0) / n_others
        means = (outside + SMOOTHING_ROWS * prior) / (others + SMOOTHING_ROWS)
        predicted[:, k], baseline[:, k] = means[bins, folds], prior[folds]
    return predicted, baseline


def _mean_gini(score: Floats, is_positive: Flags, folds: Ints) -> float:
    """Return 2 AUC - 1, averaged over the folds, so that their different means do not matter."""
    found = []
    for fold in range(N_FOLDS):
        inside = folds == fold
        labels = is_positive[inside]
        n_positive, n_negative = int(labels.sum()), int((~labels).sum())
        if n_positive and n_negative:
            ranks = _ranks(score[inside])
            above = ranks[labels].sum() - n_positive * (n_positive + 1) / 2
            found.append(2 * above / (n_positive * n_negative) - 1)
    return max(0.0, float(np.mean(found))) if found else 0.0


def _is_copy(column: SampledColumn, target: SampledColumn, is_known: Flags) -> bool:
    """Whether the column is the target under other names, or its numbers in another unit."""
    one, other = column.values, target.values
    if one is None or other is None:
        return False
    is_both = is_known & _is_present(column)
    if is_both.sum() < MIN_ROWS or is_both.sum() < 0.5 * is_known.sum():
        return False
    a, b = one[is_both], other[is_both]
    if column.codes is None and target.codes is None:
        ranks_a, ranks_b = _ranks(a), _ranks(b)
        return bool(abs(_correlation(ranks_a, ranks_b)) > 1 - 1e-9)
    n_pairs = len(np.unique(np.column_stack([a, b]), axis=0))
    return 2 <= n_pairs == len(np.unique(a)) == len(np.unique(b))


def _ranks(values: np.ndarray) -> Floats:
    """Rank values from 1, ties at their mean; scipy.stats would load for a second."""
    return np.asarray(pd.Series(values).rank(), dtype=np.float64)


def _correlation(one: Floats, other: Floats) -> float:
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
