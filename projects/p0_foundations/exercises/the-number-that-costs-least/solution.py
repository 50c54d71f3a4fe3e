"""The best single answer under each loss."""

import math

import numpy as np


def best_constant(y, loss):
    """Return the number with the smallest mean loss."""
    y = np.sort(np.asarray(y, dtype=float))
    name, *given = loss
    if name == "squared":
        return float(y.mean())
    if name in {"absolute", "pinball"}:
        q = given[0] if given else 0.5
        return float(y[max(0, math.ceil(q * len(y)) - 1)])
    if name == "exponential":
        scaled = given[0] * y
        top = scaled.max()
        return float((top + np.log(np.mean(np.exp(scaled - top)))) / given[0])
    width = given[0]

    def pull(c):
        residuals = y - c
        if name == "huber":
            return np.clip(residuals, -width, width).mean()
        return np.mean(np.sign(residuals) * (np.abs(residuals) > width))

    low, high = y[0], y[-1]
    while True:
        middle = low + (high - low) / 2
        if middle in {low, high}:
            break
        low, high = (middle, high) if pull(middle) > 0 else (low, middle)
    return float(high)
