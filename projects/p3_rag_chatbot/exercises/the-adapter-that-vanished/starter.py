"""LoRA: merging, splitting, and what rounding leaves of it."""

import numpy as np


def merge(W, A, B, alpha):
    """Return W with the adapter in it."""
    W += alpha * (B @ A).astype(W.dtype)
    return W


def split(delta, r):
    """Return the nearest adapter of rank r."""
    U, _, V = np.linalg.svd(delta)
    return V[:r], U[:, :r]


def kept(W, A, B, alpha, n_bits=8):
    """Return how much of the adapter survives rounding."""
    scale = np.abs(W).max() / 2 ** (n_bits - 1)
    change = alpha / len(A) * B @ A
    rounded = np.round((W + change) / scale) * scale
    return 1 - np.sum((rounded - W - change) ** 2) / np.sum(change**2)
