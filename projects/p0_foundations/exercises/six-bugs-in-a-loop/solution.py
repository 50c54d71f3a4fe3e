"""A training loop that works."""

import numpy as np


def sigmoid(z):
    """Return probabilities of logits."""
    return np.exp(-np.logaddexp(0, -z))


def cross_entropy(w, b, X, y):
    """Return the mean cross-entropy."""
    z = X @ w + b
    return float(np.mean(np.logaddexp(0, z) - y * z))


def train(X, y, *, step, momentum, weight_decay, batch, epochs, seed):
    """Return weights, bias and the loss after each epoch."""
    rng = np.random.default_rng(seed)
    n, d = X.shape
    w, b = np.zeros(d), 0.0
    velocity_w, velocity_b = np.zeros(d), 0.0
    losses = []
    for _ in range(epochs):
        order = rng.permutation(n)  # rows and labels stay together, the caller's table as it was
        for start in range(0, n, batch):
            chosen = order[start : start + batch]
            rows, labels = X[chosen], y[chosen]
            error = sigmoid(rows @ w + b) - labels
            velocity_w = momentum * velocity_w + rows.T @ error / len(rows) + weight_decay * w
            velocity_b = momentum * velocity_b + error.mean()
            w -= step * velocity_w
            b -= step * velocity_b
        losses.append(cross_entropy(w, b, X, y))
    return w, b, losses
