"""Right gradients at many scales, faults at one entry, and bends."""

import numpy as np


def cases():
    """Yield name, function, gradient and point."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 4))
    for scale in (1e-12, 1e-3, 1.0, 1e6, 1e12):
        yield (
            f"squares times {scale:g}",
            lambda v, s=scale: float(s * (v**2).sum()),
            2 * scale * x,
            x,
        )
        yield (
            f"exponentials times {scale:g}",
            lambda v, s=scale: float(s * np.exp(v).sum()),
            scale * np.exp(x),
            x,
        )
    for size in (1e-6, 1e6):
        z = size * np.sign(x) * (np.abs(x) + 0.5)
        yield (
            f"cubes around {size:g}",
            lambda v: float((v**3).sum()),
            3 * z**2,
            z,
        )
    long = rng.normal(size=2000)
    yield "a product", lambda v: float(np.prod(v)), np.prod(x) / x, x
    yield "2,000 tanh", lambda v: float(np.tanh(v).sum()), 1 - np.tanh(long) ** 2, long
    w = rng.normal(size=12)
    yield (
        "a logistic loss",
        lambda v: float(np.logaddexp(0, -v.ravel() @ w)),
        (-w / (1 + np.exp(x.ravel() @ w))).reshape(x.shape),
        x,
    )


FAULTS = {
    "1 % too large": lambda g: 1.01 * g,
    "2 % too small": lambda g: 0.98 * g,
    "of the wrong sign": lambda g: -g,
    "zero": lambda g: 0.0 * g,
    "not a number": lambda g: np.nan * g,
}


def named(module, f, gradient, x):
    before = x.copy()
    found = [int(k) for k in module.wrong_entries(f, gradient.copy(), x)]
    assert np.array_equal(x, before), "the point was changed"
    return found


def check(module):
    for name, f, gradient, x in cases():
        accused = named(module, f, gradient, x)
        assert not accused, f"{name}: the gradient is right, and entries {accused[:5]} are accused"
        sizes = np.abs(gradient).ravel()
        k = int(np.argsort(sizes)[3 * sizes.size // 4])
        for what, fault in FAULTS.items():
            bad = gradient.copy()
            bad.flat[k] = fault(bad.flat[k])
            found = named(module, f, bad, x)
            assert found == [k], f"{name}: entry {k} is {what}, and {found[:5]} is what you name"
    look_at_bends(module)


def look_at_bends(module):
    x = np.array([0.0, 1.5, -2.0, 0.0, 3.0])

    def relu(v):
        return float((np.array([1.0, 2.0, 3.0, 4.0, 5.0]) * np.maximum(v, 0)).sum())

    right = np.array([0.0, 2.0, 0.0, 4.0, 5.0])
    assert not named(module, relu, right, x), "at a bend, both one-sided derivatives are right"
    between = np.array([0.5, 2.0, 0.0, 2.0, 5.0])
    assert not named(module, relu, between, x), "at a bend, everything between is right"
    outside = np.array([-0.5, 2.0, 0.0, 4.5, 5.0])
    assert named(module, relu, outside, x) == [0, 3], "at a bend, what lies outside is wrong"

    def ridge(v):
        return float(np.abs(v).sum() + (v**2).sum())

    assert named(module, ridge, np.array([1.5, 4.0, -5.0, -1.0, 7.0]), x) == [0]
