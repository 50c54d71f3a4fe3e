"""A training loop that works, nearly."""

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
    losses = []
    for _ in range(epochs):
        velocity_w, velocity_b = np.zeros(d), 0.0
        rng.shuffle(X)
        for start in range(0, n - batch, batch):
            rows, labels = X[start : start + batch], y[start : start + batch]
            error = sigmoid(rows @ w + b) - labels
            gradient_w = rows.T @ error / batch + weight_decay * w
            gradient_b = error.mean() + weight_decay * b
            velocity_w = momentum * velocity_w + gradient_w
            velocity_b = momentum * velocity_b + gradient_b
            w -= step * velocity_w
            b -= step * velocity_b
        losses.append(cross_entropy(w, b, rows, labels))
    return w, b, losses
