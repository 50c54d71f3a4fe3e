"""Costs by exhaustive search, on scores with ties and on different scales."""

import numpy as np


def cost_of(y, flagged, miss, alarm):
    return float(miss * np.sum((y == 1) & ~flagged) + alarm * np.sum((y == 0) & flagged))


def brute_force(y, scores, miss, alarm):
    thresholds = [-np.inf, *np.unique(scores), np.inf]
    return min(cost_of(y, scores >= t, miss, alarm) for t in thresholds)


def payments(seed, quality, n=2000):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.05).astype(int)
    return y, np.round(rng.normal(size=n) + quality * y, 1)


def check(module):
    for seed, (miss, alarm) in enumerate([(100, 1), (20, 5), (7, 3)]):
        y, a = payments(seed, 2.0)
        b = np.round(np.random.default_rng(seed + 50).normal(size=len(y)) + 1.0 * y, 1) * 30 - 400
        found = module.choose(y, a, b, miss, alarm)
        wanted = brute_force(y, a, miss, alarm)
        assert found["model"] == "a", f"costs {miss}/{alarm}: model {found['model']} was chosen"
        assert abs(found["cost"] - wanted) < 1e-9, (
            f"costs {miss}/{alarm}: the best threshold costs {wanted:g}, yours {found['cost']:g}"
        )
        again = cost_of(y, a >= found["threshold"], miss, alarm)
        assert abs(again - wanted) < 1e-9, "flagging at your threshold does not cost what you say"
    y, a = payments(3, 2.5)
    found = module.choose(y, a, a * 3 + 1, 30, 2)
    assert not found["is_clear"], "b is a, rescaled: there is no difference to be clear about"
    y, a = payments(4, 3.0)
    noise = np.random.default_rng(1).normal(size=len(y))
    assert module.choose(y, a, noise, 50, 2)["is_clear"], (
        "a is far better than noise: that is clear"
    )
    y, _ = payments(5, 0.0)
    rng = np.random.default_rng(2)
    found = module.choose(
        y, rng.normal(size=len(y)) - 9 * y, rng.normal(size=len(y)) - 9 * y, 1, 50
    )
    assert found["model"] == "neither", "flagging nothing is cheapest here"
    assert found["threshold"] == np.inf
    assert found["cost"] == float(np.sum(y)), "flagging nothing costs every miss"
