"""Cross-entropy of logits, and its gradient."""

import numpy as np


def loss_and_gradient(logits, labels, weights):
    """Return the weighted mean cross-entropy and its gradient by the logits."""
    exponentials = np.exp(logits)
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    probabilities = np.clip(probabilities, 1e-7, 1 - 1e-7)
    losses = -(labels * np.log(probabilities)).sum(axis=1)
    gradient = (probabilities - labels) / len(logits)
    return float((weights * losses).mean()), gradient
