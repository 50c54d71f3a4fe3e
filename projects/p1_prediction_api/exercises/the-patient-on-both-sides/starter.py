"""Folds that simulate going live."""

import numpy as np
from sklearn.model_selection import TimeSeriesSplit


def folds(patient, day, n_folds, delay):
    """Yield pairs of rows to train on and to test on."""
    order = np.argsort(day)
    for train, test in TimeSeriesSplit(n_folds).split(order):
        yield order[train], order[test]
