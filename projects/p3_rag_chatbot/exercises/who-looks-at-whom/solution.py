"""Attention of several heads, by hand."""

import numpy as np


def attend(q, k, v, n_heads, lengths=None, causal=False):
    """Return what each position gathered, and where it looked."""
    batch, n, d = q.shape
    m = k.shape[1]
    seen = np.ones((batch, 1, n, m), bool)
    if lengths is not None:
        is_there = np.arange(m) < np.asarray(lengths)[:, None]
        seen &= is_there[:, None, None]
        # Zero times nan is nan: what is padding is taken out before it is multiplied.
        k, v = (np.where(is_there[..., None], x, 0) for x in (k, v))
    if causal:
        seen &= np.tril(np.ones((n, m), bool))
    scores = _heads(q, n_heads) @ _heads(k, n_heads).swapaxes(-1, -2) / np.sqrt(d // n_heads)
    scores = np.where(seen, scores, -np.inf)
    top = scores.max(axis=-1, keepdims=True)
    # The largest score is subtracted, so that no exponential overflows.
    weights = np.exp(scores - np.where(np.isfinite(top), top, 0))
    total = weights.sum(axis=-1, keepdims=True)
    weights = weights / np.where(total > 0, total, 1)
    gathered = weights @ _heads(v, n_heads)
    return gathered.swapaxes(1, 2).reshape(batch, n, d), weights


def _heads(x, n_heads):
    batch, n, d = x.shape
    return x.reshape(batch, n, n_heads, d // n_heads).swapaxes(1, 2)
