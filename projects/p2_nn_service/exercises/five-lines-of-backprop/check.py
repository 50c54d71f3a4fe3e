"""Finite differences of our own forward pass, weight by weight; then symbols that come twice."""

import numpy as np


def loss_of(weights, symbols, targets):
    x = weights["table"][symbols]
    y = x + weights["scale"] * np.tanh(x @ weights["W"] + weights["b"])
    z = y @ weights["table"].T
    top = z.max(axis=-1, keepdims=True)
    log_total = (top + np.log(np.exp(z - top).sum(axis=-1, keepdims=True)))[..., 0]
    return float((log_total - np.take_along_axis(z, targets[..., None], -1)[..., 0]).mean())


def quotient(weights, name, symbols, targets):
    found = np.empty_like(weights[name])
    for k in range(found.size):
        moved = {key: value.copy() for key, value in weights.items()}
        sides = []
        for h in (1e-6, -1e-6):
            moved[name].flat[k] = weights[name].flat[k] + h
            sides.append(loss_of(moved, symbols, targets))
        found.flat[k] = (sides[0] - sides[1]) / 2e-6
    return found


def case(module, what, symbols, targets, rng):
    k, d = 9, 4
    weights = {
        "table": rng.normal(size=(k, d)),
        "W": rng.normal(size=(d, d)),
        "b": rng.normal(size=d),
        "scale": np.array(0.7),
    }
    before = {name: value.copy() for name, value in weights.items()}
    _, kept = module.forward(weights, symbols, targets)
    kept_before = {name: value.copy() for name, value in kept.items()}
    found = module.backward(weights, kept)
    assert all(np.array_equal(weights[n], before[n]) for n in weights), "a weight was changed"
    assert all(np.array_equal(kept[n], kept_before[n]) for n in kept), "`kept` was changed"
    wrong = []
    for name in weights:
        wanted = quotient(weights, name, symbols, targets)
        got = np.asarray(found[name])
        assert got.shape == wanted.shape, f"the gradient of {name} has shape {got.shape}"
        off = np.abs(got - wanted).max() / np.abs(wanted).max()
        if off > 1e-5:
            wrong.append(f"{name} (off by {off:.0%} of its largest entry)")
    assert not wrong, f"{what}: wrong gradients of {', '.join(wrong)}"


def check(module):
    rng = np.random.default_rng(0)
    case(module, "one symbol", np.array([[3]]), np.array([[5]]), rng)
    apart = np.array([[0, 1, 2, 3]])
    case(module, "four different symbols in a row", apart, apart[:, ::-1] + 4, rng)
    symbols = rng.integers(0, 9, (3, 6))
    case(module, "three rows, symbols coming again", symbols, rng.integers(0, 9, (3, 6)), rng)
