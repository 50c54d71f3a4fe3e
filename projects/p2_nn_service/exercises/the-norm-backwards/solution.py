"""The backward pass of a layer norm."""

import numpy as np


def backward(dy, x, gain, eps):
    """Return the gradients of the input, the gain and the bias."""
    mean = x.mean(axis=-1, keepdims=True)
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    normed = (x - mean) / spread
    before = tuple(range(x.ndim - 1))
    d_normed = dy * gain
    # Each input acts directly, through the mean of its row, and through the spread of its row.
    dx = (
        d_normed
        - d_normed.mean(axis=-1, keepdims=True)
        - normed * (d_normed * normed).mean(axis=-1, keepdims=True)
    ) / spread
    return dx, (dy * normed).sum(axis=before), dy.sum(axis=before)
