"""Sets of classes that hold the truth at a promised rate: split conformal prediction.

Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005, section 4.2.
"""

import math

import numpy as np

ROUNDING = 1e-9


def fit(probabilities, truth, rate):
    """Return the largest strangeness that is still held."""
    strangeness = np.sort(1 - probabilities[np.arange(len(truth)), truth])
    rank = math.ceil((len(truth) + 1) * rate - ROUNDING)
    return strangeness[rank - 1] if rank <= len(truth) else np.inf


def predict(fitted, probabilities):
    """Return which classes are in each row's set."""
    return 1 - probabilities <= fitted
