"""Where a model is worse than elsewhere."""

import numpy as np


def worst_slice(columns, is_wrong):
    """Return the slice with the highest error rate."""
    worst, highest = None, is_wrong.mean()
    for name, labels in columns.items():
        for label in np.unique(labels):
            rate = is_wrong[labels == label].mean()
            if rate > highest:
                worst, highest = {name: str(label)}, rate
    return worst
