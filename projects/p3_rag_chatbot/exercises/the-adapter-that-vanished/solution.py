"""LoRA: merging, splitting, and what rounding leaves of it."""

import numpy as np


def merge(W, A, B, alpha):
    """Return W with the adapter in it: added in float64, rounded once."""
    return (W.astype(np.float64) + _change(W, A, B, alpha)).astype(W.dtype)


def split(delta, r):
    """Return the nearest adapter of rank r: the largest singular values (Eckart and Young)."""
    if not 0 < r <= min(delta.shape):
        raise ValueError(f"no rank {r} in a matrix of shape {delta.shape}")
    U, S, Vt = np.linalg.svd(delta.astype(np.float64), full_matrices=False)
    root = np.sqrt(S[:r])
    return root[:, None] * Vt[:r], U[:, :r] * root


def kept(W, A, B, alpha, n_bits=8):
    """Return the share of the adapter that is left when the merged matrix is rounded."""
    change = _change(W, A, B, alpha)
    size = np.sum(change**2)
    if size == 0:
        return 1.0
    W = W.astype(np.float64)
    left = _rounded(W + change, n_bits) - _rounded(W, n_bits)
    return float(max(0.0, 1 - np.sum((left - change) ** 2) / size))


def _change(W, A, B, alpha):
    if A.ndim != 2 or B.ndim != 2 or len(A) != B.shape[1] or (len(B), A.shape[1]) != W.shape:
        raise ValueError(f"A {A.shape} and B {B.shape} make no change of W {W.shape}")
    return alpha / len(A) * (B.astype(np.float64) @ A.astype(np.float64))


def _rounded(W, n_bits):
    scale = np.abs(W).max(axis=1, keepdims=True) / (2 ** (n_bits - 1) - 1)
    scale = np.where(scale > 0, scale, 1)
    return np.rint(W / scale) * scale
