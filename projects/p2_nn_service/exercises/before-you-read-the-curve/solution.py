"""Ten predictions about what a training log will show."""

from math import e, log, sqrt

SAME, OTHER = 0.8 + 0.2 / 5, 0.2 / 5
ANSWERS = {
    "a": log(37),
    "b": log(e + 9) - 1,
    "c": -(0.91 * log(0.91) + 0.09 * log(0.01)),
    "d": -(SAME * log(SAME) + 4 * OTHER * log(OTHER)),
    "e": -(0.9 * log(0.9) + 0.1 * log(0.1)),
    "f": 1 - 0.1 - 0.1 * (1 + 0.9) - 0.1 * (1 + 0.9 + 0.71),
    "g": (0.2 + 0.2 + 1.4) / 3 - (0.2 * 1000 + 1.4 * 50) / 1050,
    "h": 4 * (1 - 0.9**12),
    "i": 0.01 * sqrt(100),
    "j": 0.999**500,
}
