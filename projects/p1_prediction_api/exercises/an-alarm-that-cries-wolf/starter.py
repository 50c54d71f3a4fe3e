"""Which columns of an hour's rows have moved."""

import numpy as np
from scipy import stats


class Watch:
    """Compares each hour with the reference."""

    def __init__(self, reference):
        self.reference = reference

    def look(self, batch):
        """Return the columns to page about."""
        p_values = [
            stats.ttest_ind(self.reference[:, k], batch[:, k]).pvalue for k in range(batch.shape[1])
        ]
        return [int(k) for k in np.argsort(p_values) if p_values[k] < 0.05]
