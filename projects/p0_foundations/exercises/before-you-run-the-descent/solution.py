"""Eight predictions about gradient descent."""

from math import log, sqrt

KAPPA = 200 / 2
STEP = 0.1
ANSWERS = {
    "a": (1 - 0.6) ** 2,
    "b": 2 / 6,
    "c": 1 / 6,
    "d": log(1e-6) / log((KAPPA - 1) / (KAPPA + 1)),
    "e": (sqrt(KAPPA) - 1) / (sqrt(KAPPA) + 1),
    "f": 0.05,
    "g": STEP / (2 - STEP),
    "h": 0.001,
}
