"""Symmetric int8, by hand."""

import numpy as np

EDGE = 127


def quantise(w):
    """Return int8 weights and the scale of each row."""
    if not np.isfinite(w).all():
        raise ValueError("a weight is no finite number")
    largest = np.abs(w).max(axis=1)
    scales = np.where(largest > 0, largest / EDGE, 1).astype(np.float32)
    return _rounded(w, scales[:, None]), scales


def dequantise(q, scales):
    """Return the weights that int8 and scales stand for."""
    return q.astype(np.float32) * scales[:, None]


def activation_scale(samples):
    """Return the scale with the least squared error: a coarse search, then a fine one."""
    values = np.asarray(samples, np.float64).ravel()
    top = np.abs(values).max() / EDGE
    if top == 0:
        return 1.0

    def error(scale):
        return np.mean((values - scale * np.clip(np.rint(values / scale), -EDGE, EDGE)) ** 2)

    coarse = top * np.geomspace(1e-3, 1, 120)
    best = min(coarse, key=error)
    fine = best * np.linspace(0.93, 1.07, 81)
    return float(min(fine, key=error))


def linear(x, x_scale, q, scales, bias):
    """Return x @ w.T + bias: whole numbers are multiplied and added, and scaled once at the end."""
    total = _rounded(x, x_scale).astype(np.int32) @ q.astype(np.int32).T
    return (total * (np.float64(x_scale) * scales) + bias).astype(np.float32)


def _rounded(values, scale):
    return np.clip(np.rint(values / scale), -EDGE, EDGE).astype(np.int8)
