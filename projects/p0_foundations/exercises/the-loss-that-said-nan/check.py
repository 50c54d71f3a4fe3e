"""Moderate logits to the last digit, then the edges of floating point."""

import warnings

import numpy as np


def exact(logits, labels, weights):
    """In extended precision, for moderate logits."""
    z = logits.astype(np.longdouble)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    w = weights.astype(np.longdouble) / weights.sum()
    loss = -(w[:, None] * labels * np.log(p)).sum()
    return float(loss), (w[:, None] * (p - labels)).astype(float)


def moderate(rng, n=40, k=5):
    labels = rng.dirichlet(np.ones(k), n)
    labels[::2] = np.eye(k)[rng.integers(0, k, len(labels[::2]))]
    return rng.normal(scale=3, size=(n, k)), labels, rng.uniform(0.1, 4, n)


def check(module):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        look(module.loss_and_gradient)


def look(f):
    rng = np.random.default_rng(0)
    for _ in range(5):
        z, y, w = moderate(rng)
        before = z.copy(), y.copy(), w.copy()
        loss, gradient = f(z, y, w)
        wanted, slope = exact(z, y, w)
        assert abs(loss - wanted) < 1e-12, f"moderate logits: the loss is {loss}, not {wanted}"
        assert np.abs(gradient - slope).max() < 1e-12, "moderate logits: the gradient is wrong"
        again = f(z + rng.normal(size=(len(z), 1)) * 1e3, y, w)[0]
        assert abs(again - loss) < 1e-9, "a number added to all logits of a row changed the loss"
        assert all(np.array_equal(a, b) for a, b in zip(before, (z, y, w), strict=True)), (
            "the caller's arrays were changed"
        )
    one = np.ones(1)
    loss, gradient = f(np.array([[3000.0, -2000.0]]), np.array([[0.0, 1.0]]), one)
    assert loss == 5000.0, f"certain and wrong by 5000 nats costs 5000, not {loss}"
    assert np.array_equal(gradient, [[1.0, -1.0]]), (
        f"the gradient where it is most wrong is {gradient.tolist()}: nothing would be learned"
    )
    barred = np.array([[0.0, -np.inf, 0.0]])
    loss, gradient = f(barred, np.array([[1.0, 0.0, 0.0]]), one)
    assert abs(loss - np.log(2)) < 1e-15, f"a class ruled out and not asked for costs {loss}"
    assert gradient[0, 1] == 0, "a class that is ruled out should have gradient zero"
    loss, _ = f(barred, np.array([[0.5, 0.5, 0.0]]), one)
    assert loss == np.inf, f"insisting on a class that is ruled out costs {loss}, not inf"
    two = np.vstack([barred, [[0.0, 0.0, 0.0]]])
    labels = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    loss, gradient = f(two, labels, np.array([0.0, 2.0]))
    assert abs(loss - np.log(3)) < 1e-15, f"a row of weight 0 made the loss {loss}"
    assert not gradient[0].any(), "a row of weight 0 has a gradient"
