"""Areas under ROC and precision-recall curves, fast enough to be resampled hundreds of times.

The same figures as scikit-learn's, without its checks, which cost ten times the sum itself.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def roc_area(is_it: NDArray[Any], score: NDArray[np.float64]) -> float:
    """Return how probably a row that is it scores above one that is not; NaN where none can.

    Hanley and McNeil, Radiology (1982).
    """
    n_all, n_it = len(is_it), int(np.sum(is_it))
    if n_it in {0, n_all}:
        return float("nan")
    ranks = float(rankdata(score)[np.asarray(is_it, dtype=bool)].sum())
    return (ranks - n_it * (n_it + 1) / 2) / (n_it * (n_all - n_it))


def average_precision(is_it: NDArray[Any], score: NDArray[np.float64]) -> float:
    """Return the mean precision over the rows that are it, rows of equal score together."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(is_it[order])
    if hits[-1] == 0:
        return float("nan")
    ends = np.r_[np.flatnonzero(np.diff(score[order])), len(score) - 1]
    found = hits[ends]
    return float(np.sum(np.diff(np.r_[0, found]) * found / (ends + 1)) / hits[-1])
