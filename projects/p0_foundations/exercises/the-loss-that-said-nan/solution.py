"""Cross-entropy of logits, and its gradient, wherever they exist."""

import numpy as np


def loss_and_gradient(logits, labels, weights):
    """Return the weighted mean cross-entropy and its gradient by the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(total)
    asked = labels > 0
    terms = np.zeros_like(log_probabilities)
    terms[asked] = -labels[asked] * log_probabilities[asked]
    losses = terms.sum(axis=1)
    counts = weights > 0
    share = weights / weights.sum()
    gradient = share[:, None] * (exponentials / total - labels)
    return float(share[counts] @ losses[counts]), gradient
