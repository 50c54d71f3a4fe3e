"""Against finite differences at several shapes and scales, then rows that are all alike."""

import time

import numpy as np


def forward(x, gain, bias, eps):
    mean = x.mean(axis=-1, keepdims=True)
    return gain * (x - mean) / np.sqrt(x.var(axis=-1, keepdims=True) + eps) + bias


def slopes(f, at, h):
    found = np.empty_like(at)
    for k in range(at.size):
        up, down = at.copy(), at.copy()
        up.flat[k] += h
        down.flat[k] -= h
        found.flat[k] = (f(up) - f(down)) / (2 * h)
    return found


def compare(what, got, wanted):
    assert np.shape(got) == wanted.shape, f"{what} has shape {np.shape(got)}, wanted {wanted.shape}"
    size = np.abs(wanted).max() + 1e-12
    worst = np.abs(got - wanted).max() / size
    assert worst < 1e-5, f"{what} is off by {worst:.1%} of its largest entry"


def case(module, name, x, eps, rng):
    d = x.shape[-1]
    gain, bias, dy = rng.normal(1, 0.5, d), rng.normal(size=d), rng.normal(size=x.shape)
    kept = x.copy(), dy.copy(), gain.copy()
    dx, dgain, dbias = module.backward(dy, x, gain, eps)
    same = all(np.array_equal(a, b) for a, b in zip(kept, (x, dy, gain), strict=True))
    assert same, f"{name}: what the caller gave was changed"
    h = 1e-5 * np.sqrt(x.var(axis=-1).mean() + eps)
    wanted = slopes(lambda v: float((forward(v, gain, bias, eps) * dy).sum()), x, h)
    compare(f"{name}: dx", dx, wanted)
    centred = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    before = tuple(range(x.ndim - 1))
    compare(f"{name}: dgain", dgain, (dy * centred).sum(axis=before))
    compare(f"{name}: dbias", dbias, dy.sum(axis=before))
    rows = np.abs(dx.sum(axis=-1)).max()
    assert rows <= 1e-9 * np.abs(dx).sum(axis=-1).max() + 1e-15, (
        f"{name}: a row of dx sums to {rows}"
    )


def check(module):
    rng = np.random.default_rng(0)
    cases = {
        "two axes": (rng.normal(size=(3, 5)), 1e-5),
        "three axes": (rng.normal(size=(2, 3, 4)), 1e-5),
        "four axes": (rng.normal(size=(2, 2, 2, 6)), 1e-5),
        "inputs around 1,000": (1000 + rng.normal(size=(3, 5)), 1e-5),
        "inputs around 1e-4": (1e-4 * rng.normal(size=(3, 5)), 1e-5),
        "a row that is all alike": (np.full((2, 4), 3.0), 1e-3),
    }
    for name, (x, eps) in cases.items():
        case(module, name, x, eps, rng)
    x, dy = rng.normal(size=(2, 64, 128, 256))
    start = time.process_time()
    module.backward(dy, x, np.ones(256), 1e-5)
    assert time.process_time() - start < 5, "a batch of (64, 128, 256) takes too long: no loops"
