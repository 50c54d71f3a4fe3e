"""Symmetric int8, by hand."""

import numpy as np


def quantise(w):
    """Return int8 weights and their scales."""
    scale = np.abs(w).max() / 128
    return (w / scale).astype(np.int8), np.full(len(w), scale, np.float32)


def dequantise(q, scales):
    """Return the weights that int8 and scales stand for."""
    return q * scales[0]


def activation_scale(samples):
    """Return the scale for activations like these."""
    return float(np.abs(samples).max() / 127)


def linear(x, x_scale, q, scales, bias):
    """Return x @ w.T + bias by int8."""
    x_q = (x / x_scale).astype(np.int8)
    return (x_q @ q.T) * x_scale * scales + bias
