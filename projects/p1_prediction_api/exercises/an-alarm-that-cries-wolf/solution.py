"""Which columns of an hour's rows have moved: certainly, and far enough to matter."""

import numpy as np
from scipy import stats

ALARM_RATE = 0.01
"""Chance that a quiet hour pages at all."""
FAR = 0.1
"""Smallest distance between the two distributions, in probability, that is worth a page."""


class Watch:
    """Compares each hour with the reference."""

    def __init__(self, reference):
        self.reference = np.sort(reference, axis=0)

    def look(self, batch):
        """Return the columns to page about, most certain first."""
        n_columns = batch.shape[1]
        found = [
            stats.ks_2samp(self.reference[:, k], batch[:, k], method="asymp")
            for k in range(n_columns)
        ]
        moved = [
            (one.pvalue, k)
            for k, one in enumerate(found)
            if one.pvalue < ALARM_RATE / n_columns and one.statistic > FAR
        ]
        return [k for _, k in sorted(moved)]
