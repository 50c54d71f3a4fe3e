"""Choose a model and a threshold by what mistakes cost."""

import numpy as np


def row_costs(y, flagged, cost_miss, cost_alarm):
    """Return what each payment costs under these flags."""
    return np.where(y == 1, np.where(flagged, 0.0, cost_miss), np.where(flagged, cost_alarm, 0.0))


def best_threshold(y, scores, cost_miss, cost_alarm):
    """Return the cheapest threshold among the distinct scores, and its cost."""
    order = np.argsort(-scores, kind="stable")
    caught = np.cumsum(y[order] == 1)
    alarms = np.cumsum(y[order] == 0)
    cost = cost_miss * (np.sum(y == 1) - caught) + cost_alarm * alarms
    is_last_of_tie = np.append(np.diff(scores[order]) != 0, True)
    ends = np.flatnonzero(is_last_of_tie)
    best = ends[np.argmin(cost[ends])]
    return float(scores[order][best]), float(cost[best])


def choose(y, scores_a, scores_b, cost_miss, cost_alarm):
    """Return model, threshold, cost and whether the difference is clear."""
    scores = {"a": scores_a, "b": scores_b}
    best = {name: best_threshold(y, s, cost_miss, cost_alarm) for name, s in scores.items()}
    trivial = {
        np.inf: float(cost_miss * np.sum(y == 1)),
        -np.inf: float(cost_alarm * np.sum(y == 0)),
    }
    name = min(best, key=lambda n: best[n][1])
    threshold, cost = best[name]
    simple = min(trivial, key=trivial.get)
    if trivial[simple] <= cost:
        name, threshold, cost = "neither", simple, trivial[simple]
    costs = {n: row_costs(y, s >= best[n][0], cost_miss, cost_alarm) for n, s in scores.items()}
    gap = costs["a"] - costs["b"]
    rng = np.random.default_rng(0)
    sums = [gap[rng.integers(0, len(gap), len(gap))].sum() for _ in range(2000)]
    low, high = np.quantile(sums, [0.025, 0.975])
    return {
        "model": name,
        "threshold": threshold,
        "cost": cost,
        "is_clear": bool(low > 0 or high < 0),
    }
