"""Ten predictions about losses."""

from math import exp, log


def sigmoid(z):
    """Return the probability of a logit."""
    return 1 / (1 + exp(-z))


P = sigmoid(-10)
ANSWERS = {
    "a": 10,
    "b": 0,
    "c": log(10),
    "d": -0.9 * log(0.99) - 0.1 * log(0.01),
    "e": -0.9 * log(0.9) - 0.1 * log(0.1),
    "f": sigmoid(2) - 1,
    "g": sigmoid(2),
    "h": 2 * (P - 1) * P * (1 - P),
    "i": "quantile 10/11",
    "j": 100,
}
