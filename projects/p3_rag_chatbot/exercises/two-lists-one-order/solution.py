"""Two ways to make one order of several."""

import math


def by_ranks(lists, weights=None, k=60):
    """Fuse by ranks: how far apart two scores are is forgotten, and cannot mislead."""
    parts = [
        {one: 1 / (k + rank) for rank, one in reversed(list(enumerate(ids, 1)))} for ids in lists
    ]
    return _blended(parts, [list(ids) for ids in lists], weights)


def by_scores(scored, weights=None):
    """Fuse by scores, each list on its own scale."""
    if any(math.isnan(score) for scores in scored for score in scores.values()):
        raise ValueError("a score is no number")
    seen = [sorted(scores, key=scores.__getitem__, reverse=True) for scores in scored]
    return _blended([_scaled(scores) for scores in scored], seen, weights)


def _scaled(scores):
    low, high = min(scores.values(), default=0), max(scores.values(), default=0)
    if low == high:
        return dict.fromkeys(scores, 1.0)
    return {one: (score - low) / (high - low) for one, score in scores.items()}


def _blended(parts, seen, weights):
    weights = [1] * len(parts) if weights is None else list(weights)
    if len(weights) != len(parts) or any(not weight >= 0 for weight in weights):
        raise ValueError(f"{len(parts)} weights of at least 0 are wanted, not {weights}")
    fused = dict.fromkeys((one for ids in seen for one in ids), 0.0)
    for part, weight in zip(parts, weights, strict=True):
        for one, value in part.items():
            fused[one] += weight * value
    # A stable sort: what is equal stays in the order in which it was seen.
    return sorted(fused.items(), key=lambda item: item[1], reverse=True)
