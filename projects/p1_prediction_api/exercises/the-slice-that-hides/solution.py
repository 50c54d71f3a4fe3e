"""Where a model is worse than elsewhere, beyond the worst that chance would show."""

from itertools import combinations

import numpy as np
from scipy import stats

ALARM_RATE = 0.05
MIN_ROWS = 15
"""Smaller slices cannot be significant among hundreds; decided by size alone."""


def slices(columns):
    """Yield each slice of one label or of two labels of different columns, with its rows."""
    masks = [
        (name, str(label), labels == label)
        for name, labels in columns.items()
        for label in np.unique(labels)
    ]
    masks = [one for one in masks if MIN_ROWS <= one[2].sum() < len(one[2])]
    for name, label, rows in masks:
        yield {name: label}, rows
    for (one, a, in_a), (other, b, in_b) in combinations(masks, 2):
        rows = in_a & in_b
        if one != other and rows.sum() >= MIN_ROWS:
            yield {one: a, other: b}, rows


def worst_slice(columns, is_wrong):
    """Return the slice that is worse than the rest with the most certainty, or None."""
    n, n_wrong = len(is_wrong), int(is_wrong.sum())
    best, best_p, n_looked_at = None, 1.0, 0
    for found, rows in slices(columns):
        n_looked_at += 1
        tail = stats.hypergeom.sf(is_wrong[rows].sum() - 1, n, n_wrong, rows.sum())
        if tail < best_p:  # the first of equals has fewer words
            best, best_p = found, tail
    return best if best_p * n_looked_at < ALARM_RATE else None
