"""The loss and its gradient at the edges of float64, with padding and smoothing."""

import warnings
from math import exp, isfinite, log, log1p

import numpy as np


def call(module, logits, labels, smoothing=0.0):
    kept = logits.copy(), labels.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            loss, gradient = module.loss_and_gradient(logits, labels, smoothing)
        except Warning as warned:
            raise AssertionError(f"logits up to {np.abs(logits).max():g}: {warned}") from None
    assert np.array_equal(kept[0], logits), "the caller's logits were changed"
    assert np.array_equal(kept[1], labels), "the caller's labels were changed"
    assert isinstance(loss, float), f"the loss is a {type(loss).__name__}, not a float"
    assert isfinite(loss), f"the loss is {loss} for logits up to {np.abs(logits).max():g}"
    assert gradient.shape == logits.shape, f"the gradient has shape {gradient.shape}"
    assert gradient.dtype == logits.dtype, f"the gradient is {gradient.dtype}, not {logits.dtype}"
    assert np.isfinite(gradient).all(), "an entry of the gradient is no number"
    return loss, gradient


def near(what, got, wanted, relative=1e-6):
    assert abs(got - wanted) <= relative * abs(wanted) + 1e-300, f"{what}: {got!r}, not {wanted!r}"


def against_differences(module, smoothing, rng):
    logits, labels = rng.normal(size=(5, 4)), np.array([0, 3, -100, 1, 1])
    _, gradient = call(module, logits, labels, smoothing)
    for i in range(5):
        for j in range(4):
            up, down = logits.copy(), logits.copy()
            up[i, j] += 1e-5
            down[i, j] -= 1e-5
            slope = (
                call(module, up, labels, smoothing)[0] - call(module, down, labels, smoothing)[0]
            )
            assert abs(gradient[i, j] - slope / 2e-5) < 1e-8, (
                f"smoothing {smoothing}: entry ({i}, {j}), label {labels[i]}, is "
                f"{gradient[i, j]:.6f}; a finite difference of your loss says {slope / 2e-5:.6f}"
            )


def check(module):
    rng = np.random.default_rng(0)
    near("equal logits, 4 classes", call(module, np.zeros((3, 4)), np.array([0, 1, 2]))[0], log(4))
    padded = np.array([[0.0, 0.0], [5.0, 0.0]])
    near("one row of two is padding", call(module, padded, np.array([0, -100]))[0], log(2))
    smooth = call(module, np.array([[2.0, 0, 0, 0]]), np.array([0]), 0.1)[0]
    near("smoothing 0.1", smooth, log(exp(2) + 3) - 2 * (0.9 + 0.1 / 4))
    for smoothing in (0.0, 0.2):
        against_differences(module, smoothing, rng)
    for shift in (1e4, -1e4, 1e6):
        logits = np.array([[3.0, 1.0, 0.0]])
        plain, slope = call(module, logits, np.array([1]))
        moved, same = call(module, logits + shift, np.array([1]))
        near(f"{shift:g} added to a row", moved, plain)
        assert np.allclose(slope, same, rtol=1e-6), f"the gradient changes with {shift:g} added"
    loss, _ = call(module, np.array([[1e4, -1e4]]), np.array([1]))
    near("wrong by 20,000", loss, 2e4)
    for gap in (40.0, 200.0):
        loss, gradient = call(module, np.array([[gap, 0.0]]), np.array([0]))
        assert 0 <= loss <= 2 * log1p(exp(-gap)) + 1e-15, f"right by {gap:g}: the loss is {loss!r}"
        near(f"right by {gap:g}: the gradient of the label", gradient[0, 0], -exp(-gap))
    for kind in (np.float32, np.float64):
        logits = (30 * rng.normal(size=(64, 50))).astype(kind)
        _, gradient = call(module, logits, rng.integers(0, 50, 64), 0.1)
        size = 1e-6 if kind is np.float32 else 1e-15
        assert np.abs(gradient.sum(axis=1)).max() < size, (
            f"a row's gradient does not sum to 0 ({kind.__name__})"
        )
    loss, gradient = call(module, np.ones((2, 3)), np.array([-100, -100]))
    assert (loss, float(np.abs(gradient).max())) == (0.0, 0.0), "a batch of padding alone"
