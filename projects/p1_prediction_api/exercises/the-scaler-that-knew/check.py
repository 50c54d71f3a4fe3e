"""Noise must score like a coin, signal must be found, and rows must not see each other's fold."""

import numpy as np


def table(n_rows, n_columns, n_useful, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns))
    y = rng.permutation(np.arange(n_rows) % 2)
    X[:, :n_useful] += 1.5 * y[:, None]
    X[rng.random(X.shape) < 0.05] = np.nan
    return X, y


def check(module):
    noise = [module.honest_accuracy(*table(60, 2000, 0, seed)) for seed in range(6)]
    mean = float(np.mean(noise))
    assert mean < 0.6, (
        f"on pure noise six tables average {mean:.2f}; a coin has 0.50. Something still looks at "
        "rows it is scored on"
    )
    assert mean > 0.4, f"on pure noise six tables average {mean:.2f}: too bad to be chance"
    signal = float(np.mean([module.honest_accuracy(*table(120, 400, 5, s)) for s in range(3)]))
    assert signal > 0.85, (
        f"with five columns that matter it scores {signal:.2f}: the selection lost the signal"
    )
    X, y = table(60, 50, 3, 9)
    before = X.copy()
    module.honest_accuracy(X, y)
    assert np.array_equal(before, X, equal_nan=True), "the caller's table was changed"
