"""Softmax cross-entropy with its gradient."""

import numpy as np

PADDING = -100


def loss_and_gradient(logits, labels, smoothing):
    """Return the mean loss and its gradient by the logits."""
    k = logits.shape[1]
    counts = labels != PADDING
    gradient = np.zeros_like(logits)
    n = int(counts.sum())
    if n == 0:
        return 0.0, gradient
    z = logits[counts].astype(np.float64)
    rows, label = np.arange(n), labels[counts]
    z -= z.max(axis=1, keepdims=True)
    weights = np.exp(z)
    total = weights.sum(axis=1, keepdims=True)
    log_chances = z - np.log(total)
    target = np.full((n, k), smoothing / k)
    target[rows, label] += 1 - smoothing
    loss = -(target * log_chances).sum() / n
    slope = weights / total - smoothing / k
    # p - 1 of the label by what the others have: 1 minus nearly 1 would lose every digit.
    others = weights.copy()
    others[rows, label] = 0
    slope[rows, label] = -others.sum(axis=1) / total[:, 0] + smoothing - smoothing / k
    gradient[counts] = slope / n
    return max(0.0, float(loss)), gradient
