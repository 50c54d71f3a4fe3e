"""Folds that simulate going live: only what was known then, only patients never seen."""

import numpy as np


def folds(patient, day, n_folds, delay):
    """Return an iterator over pairs of rows to train on and to test on."""
    days, counts = np.unique(day, return_counts=True)
    reached = np.cumsum(counts)
    shares = len(day) * np.arange(1, n_folds + 1) / (n_folds + 1)
    ends = np.searchsorted(reached, shares)  # the day at which a stretch ends, as a position
    made = []
    for k in range(n_folds):
        first = ends[k] + 1
        last = ends[k + 1] if k + 1 < n_folds else len(days) - 1
        if first > last:
            raise ValueError(f"fold {k}: there are too few days for {n_folds} folds")
        train = np.flatnonzero(day + delay <= days[first])
        train = train[day[train] < days[first]]
        is_later = (day >= days[first]) & (day <= days[last])
        test = np.flatnonzero(is_later & ~np.isin(patient, patient[train]))
        if not len(train):
            raise ValueError(f"fold {k}: no outcome is known on day {days[first]}")
        if not len(test):
            raise ValueError(f"fold {k}: every patient of its test rows was in training")
        made.append((train, test))
    return iter(made)
