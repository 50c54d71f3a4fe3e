"""Check a gradient against finite differences."""

import numpy as np


def wrong_entries(f, gradient, x):
    """Return the flat positions at which the claimed gradient is wrong."""
    h, wrong = 1e-5, []
    for k in range(x.size):
        up, down = x.copy(), x.copy()
        up.flat[k] += h
        down.flat[k] -= h
        estimate = (f(up) - f(down)) / (2 * h)
        if np.abs(estimate - gradient.flat[k]) > 1e-5:
            wrong.append(k)
    return wrong
