"""Probabilities that mean what they say, and the cost that decides where to act on them.

Scores of rows that a fold did not learn from are mapped to log-odds by one slope and, for several
classes, an intercept each: Platt's scaling (1999) for two classes, temperature with bias for more.
Being affine, it leaves attributions additive. The threshold that costs least follows from the two
costs alone (Elkan, IJCAI 2001).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

from p1_prediction_api.contracts import Calibration

Floats = NDArray[np.float64]
PENALTY = 1e-3
"""Keeps the fit finite when the classes are told apart without a mistake."""


def probabilities(scores: Floats, calibration: Calibration) -> Floats:
    """Return probabilities, shape (n, classes), of raw scores of shape (n, 1) or (n, classes)."""
    log_odds = scores * calibration.slope + np.asarray(calibration.intercepts)
    if log_odds.shape[1] == 1:
        positive = expit(log_odds[:, 0])
        return np.stack([1 - positive, positive], axis=1)
    return np.asarray(softmax(log_odds, axis=1))


def calibrate(scores: Floats, y: NDArray[np.int64]) -> Calibration:
    """Fit the map on raw scores of rows that were not learned from, and their classes."""
    n_scores = scores.shape[1]
    scale = float(np.std(scores)) or 1.0
    scaled = scores / scale

    def loss(parameters: Floats) -> float:
        log_odds = scaled * np.exp(parameters[0]) + parameters[1:]
        if n_scores == 1:
            signed = np.where(y == 1, 1.0, -1.0) * log_odds[:, 0]
            likelihood = float(np.logaddexp(0, -signed).mean())
        else:
            likelihood = -float(log_softmax(log_odds, axis=1)[np.arange(len(y)), y].mean())
        return likelihood + PENALTY * float(parameters @ parameters) / len(y)

    found = minimize(loss, np.zeros(1 + n_scores), method="L-BFGS-B")
    return Calibration(
        slope=float(np.exp(found.x[0]) / scale),
        intercepts=tuple(float(b) for b in found.x[1:]),
    )


def calibration_error(y: NDArray[np.int64], p: Floats, *, n_bins: int = 15) -> float:
    """Return the expected calibration error: what is said of the likeliest class against the truth.

    Bins of equal numbers of rows (Nguyen and O'Connor, 2015): the figure does not depend on where
    the edges of empty bins lie.
    """
    confidence = p.max(axis=1)
    is_right = p.argmax(axis=1) == y
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, min(n_bins, len(order)))
    gaps = [abs(confidence[rows].mean() - is_right[rows].mean()) * len(rows) for rows in parts]
    return float(sum(gaps) / len(y))


def cheapest_threshold(false_positive_cost: float, false_negative_cost: float) -> float:
    """Return the probability from which acting costs less than not acting."""
    return false_positive_cost / (false_positive_cost + false_negative_cost)
