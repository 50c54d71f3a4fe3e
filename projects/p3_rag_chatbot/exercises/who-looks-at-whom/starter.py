"""Attention of several heads, by hand."""

import numpy as np


def attend(q, k, v, n_heads, lengths=None, causal=False):
    """Return what each position gathered, and where it looked."""
    batch, n, d = q.shape
    m = k.shape[1]
    split = lambda x: x.reshape(batch, n_heads, -1, d // n_heads)  # noqa: E731
    scores = split(q) @ split(k).swapaxes(-1, -2) / np.sqrt(d)
    if lengths is not None:
        scores = scores * (np.arange(m) < np.asarray(lengths)[:, None])[:, None, None]
    weights = np.exp(scores)
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return (weights @ split(v)).reshape(batch, n, d), weights
