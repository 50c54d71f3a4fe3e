"""Coverage and size over many small calibrations, for a good, a bad and an overconfident model."""

import numpy as np

N_DRAWS, N_NEW = 1500, 40


def patients(rng, n, quality):
    """Rounded probabilities of four classes, and the truth; `quality` 0 knows nothing."""
    truth = rng.integers(0, 4, n)
    scores = rng.normal(size=(n, 4))
    scores[np.arange(n), truth] += quality
    weights = np.exp(2 * scores)
    return np.round(weights / weights.sum(axis=1, keepdims=True), 2), truth


def coverage(module, n, rate, quality, seed):
    rng = np.random.default_rng(seed)
    held, sizes = [], []
    for _ in range(N_DRAWS):
        fitted = module.fit(*patients(rng, n, quality), rate)
        p, truth = patients(rng, N_NEW, quality)
        sets = np.asarray(module.predict(fitted, p))
        assert sets.shape == p.shape, f"sets of shape {sets.shape} for rows of shape {p.shape}"
        held.append(sets[np.arange(N_NEW), truth].mean())
        sizes.append(sets.sum(axis=1).mean())
    return float(np.mean(held)), float(np.std(held) / np.sqrt(N_DRAWS)), float(np.mean(sizes))


def check(module):
    cases = [(19, 0.9, 1.5), (19, 0.95, 1.5), (30, 0.9, 0.0), (50, 0.8, 3.0), (500, 0.9, 1.0)]
    for seed, (n, rate, quality) in enumerate(cases):
        held, error, _ = coverage(module, n, rate, quality, seed)
        assert held > rate - 3 * error, (
            f"with {n} labelled patients, sets promised at {rate:.0%} hold the truth in "
            f"{held:.1%} of new patients (± {2 * error:.1%})"
        )
    held, _, size = coverage(module, 39, 0.9, 1.5, 7)
    assert held < 0.96, f"sets of {size:.2f} classes hold {held:.1%}: far more than was promised"
    rng = np.random.default_rng(8)
    few = np.asarray(
        module.predict(module.fit(*patients(rng, 8, 2.0), 0.9), patients(rng, 20, 2.0)[0])
    )
    assert few.all(), "8 patients cannot promise 90 %: every class must be in the set"
