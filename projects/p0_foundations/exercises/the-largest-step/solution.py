"""What the data says about the step of gradient descent."""

import math

import numpy as np


def curvatures(X):
    """Return the loss's curvatures that are not zero, ascending."""
    found = np.linalg.eigvalsh(X.T @ X / len(X))
    return found[found > len(found) * np.finfo(float).eps * found[-1]]


def largest_step(X):
    """Return the limit of stable steps."""
    return float(2 / curvatures(X)[-1])


def steps_needed(X, shrink):
    """Return how many steps shrink the distance by a factor, with the best step."""
    found = curvatures(X)
    rate = (found[-1] - found[0]) / (found[-1] + found[0])
    if rate < 1e-12:
        return 1
    return math.ceil(math.log(shrink) / math.log(rate) - 1e-6)


def rescaled(X):
    """Return columns of root mean square one, and the way back."""
    size = np.sqrt(np.mean(X**2, axis=0))
    size[size == 0] = 1.0
    return X / size, lambda v: v / size
