"""Each promise of the prompt by a run that only its bug would spoil, then all of them together."""

import numpy as np


def table(n=101, d=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    y = (rng.random(n) < 1 / (1 + np.exp(-(X @ [2.0, -1.0, 0.5] + 1.5)))).astype(float)
    return X, y


def expected(X, y, step, momentum, decay, batch, epochs, seed):
    rng = np.random.default_rng(seed)
    w, b, vw, vb, losses = np.zeros(X.shape[1]), 0.0, 0.0, 0.0, []
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for part in np.array_split(order, range(batch, len(X), batch)):
            e = 1 / (1 + np.exp(-(X[part] @ w + b))) - y[part]
            vw = momentum * vw + (X[part] * e[:, None]).mean(axis=0) + decay * w
            vb = momentum * vb + e.mean()
            w, b = w - step * vw, b - step * vb
        z = X @ w + b
        losses.append(np.mean(np.logaddexp(0, z) - y * z))
    return w, b, losses


def run(module, X, y, *options):
    names = ("step", "momentum", "weight_decay", "batch", "epochs", "seed")
    return module.train(X.copy(), y.copy(), **dict(zip(names, options, strict=True)))


def differs(module, X, y, *options):
    w, b, losses = run(module, X, y, *options)
    right = expected(X, y, *options)
    parts = {"weights": (w, right[0]), "bias": (b, right[1]), "losses": (losses, right[2])}
    return [
        name
        for name, (got, wanted) in parts.items()
        if np.shape(got) != np.shape(wanted) or not np.allclose(got, wanted, atol=1e-9)
    ]


def check(module):
    X, y = table()
    kept = X.copy(), y.copy()
    names = ("step", "momentum", "weight_decay", "batch", "epochs", "seed")
    module.train(X, y, **dict(zip(names, (0.1, 0.9, 0.0, 10, 2, 0), strict=True)))
    assert np.array_equal(X, kept[0]), "the caller's table was changed"
    assert np.array_equal(y, kept[1]), "the caller's labels were changed"
    even_X, even_y = table(100)
    cases = [
        ("one epoch, one batch of every row", X, y, (0.5, 0.0, 0.0, 101, 1, 0)),
        ("one epoch, batches that fit", even_X, even_y, (0.5, 0.0, 0.0, 20, 1, 0)),
        ("one epoch, a short last batch", X, y, (0.5, 0.0, 0.0, 20, 1, 0)),
        ("with decay, one batch an epoch", X, y, (0.5, 0.0, 0.1, 101, 3, 0)),
        ("with momentum over two epochs", X, y, (0.1, 0.9, 0.0, 101, 2, 0)),
        ("all together", X, y, (0.1, 0.9, 0.01, 16, 5, 3)),
    ]
    for what, X, y, options in cases:
        wrong = differs(module, X, y, *options)
        assert not wrong, f"{what}: the {' and the '.join(wrong)} differ from what was specified"
