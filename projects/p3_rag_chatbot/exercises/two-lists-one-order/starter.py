"""Two ways to make one order of several."""


def by_ranks(lists, weights=None, k=60):
    """Fuse by ranks."""
    weights = weights or [1] * len(lists)
    fused = {}
    for ids, weight in zip(lists, weights, strict=False):
        for rank, one in enumerate(ids):
            fused[one] = fused.get(one, 0) + weight / (k + rank)
    return sorted(fused.items(), key=lambda item: item[1])


def by_scores(scored, weights=None):
    """Fuse by scores."""
    fused = {}
    for scores in scored:
        for one, score in scores.items():
            fused[one] = fused.get(one, 0) + score
    return sorted(fused.items(), key=lambda item: item[1])
