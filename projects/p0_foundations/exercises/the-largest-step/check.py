"""Run descent just below and just beyond the limit, and count steps from the worst start."""

import numpy as np


def tables():
    rng = np.random.default_rng(0)
    plain = rng.normal(size=(300, 4))
    mixed = np.column_stack(
        [rng.normal(45_000, 9_000, 500), rng.normal(40, 12, 500), rng.normal(size=500)]
    )
    copied = np.column_stack([plain, plain[:, 0], 2 * plain[:, 1]])
    tiny = rng.normal(size=(50, 3)) * 1e-5
    return {"plain": plain, "mixed units": mixed, "copied columns": copied, "tiny": tiny}


def factors(X, step):
    values = np.linalg.eigvalsh(X.T @ X / len(X))
    values = values[values > 1e-13 * values[-1]]
    return np.abs(1 - step * values)


def check(module):
    for name, X in tables().items():
        limit = module.largest_step(X)
        assert limit > 0, f"{name}: the limit is {limit}"
        below, beyond = factors(X, 0.999 * limit).max(), factors(X, 1.001 * limit).max()
        assert below < 1, f"{name}: a step just below your limit of {limit:.4g} diverges"
        assert beyond > 1, f"{name}: a step just beyond your limit of {limit:.4g} still converges"
        values = np.linalg.eigvalsh(X.T @ X / len(X))
        values = values[values > 1e-13 * values[-1]]
        best = factors(X, 2 / (values[0] + values[-1])).max()
        for shrink in (1e-1, 1e-3, 1e-6):
            n = module.steps_needed(X, shrink)
            assert best**n <= shrink * (1 + 1e-4), (
                f"{name}: after {n} steps the distance may be {best**n:.3g} of what it was, "
                f"not {shrink:g}"
            )
            assert best ** (n - 2) > shrink, f"{name}: {n} steps are more than {shrink:g} needs"
    X = tables()["mixed units"]
    before = X.copy()
    Z, back = module.rescaled(X)
    assert np.array_equal(X, before), "the caller's table was changed"
    v = np.array([1.0, -2.0, 3.0])
    assert np.allclose(Z @ v, X @ back(v)), "the weights on the way back predict something else"
    ratios = Z / X
    assert np.allclose(ratios, ratios[0]), "each column may only be divided by a number of its own"
    slow, fast = module.steps_needed(X, 1e-3), module.steps_needed(Z, 1e-3)
    assert fast < slow / 1000, f"rescaled it takes {fast:,} steps instead of {slow:,}"
    Z, back = module.rescaled(np.column_stack([X, np.zeros(len(X))]))
    assert np.isfinite(Z).all(), "a column of zeros became something that is no number"
    assert np.isfinite(back(np.ones(4))).all()
    tall = np.random.default_rng(1).normal(size=(200_000, 20))
    assert 1.5 < module.largest_step(tall) < 2.0
