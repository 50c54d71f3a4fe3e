"""Choose the model to serve from what was measured."""

import numpy as np

WARM_UP = 10
LEVEL = 0.05
SAME = 1.02


def choose(models, budget_ms):
    """Return the model's name, and why."""
    settled = _checked(models)
    slow = {name: float(np.percentile(times, 99)) for name, times in settled.items()}
    within = [name for name in models if slow[name] <= budget_ms]
    if not within:
        nearest = min(slow, key=slow.__getitem__)
        raise LookupError(
            f"none keeps to {budget_ms} ms; {nearest} comes nearest with {slow[nearest]:.1f} ms"
        )
    accuracy = {name: float(np.mean(models[name]["right"])) for name in within}
    reference = max(within, key=accuracy.__getitem__)
    good = [
        name
        for name in within
        if p_value(models[name]["right"], models[reference]["right"]) >= LEVEL
    ]
    median = {name: float(np.median(settled[name])) for name in good}
    quick = [name for name in good if median[name] <= SAME * min(median.values())]
    chosen = min(quick, key=lambda name: (models[name]["n_bytes"], -accuracy[name]))
    return chosen, (
        f"{chosen} is as accurate as {reference} ({accuracy[chosen]:.2%} and "
        f"{accuracy[reference]:.2%}) at a median of {median[chosen]:.1f} ms"
    )


def p_value(a, b):
    """Return the two-sided exact p-value of the disagreements (McNemar 1947)."""
    only_a, only_b = int(np.sum(a & ~b)), int(np.sum(b & ~a))
    n = only_a + only_b
    tail = term = 1  # C(n, 0), and each next from the one before
    for k in range(min(only_a, only_b)):
        term = term * (n - k) // (k + 1)
        tail += term
    return min(1.0, 2 * tail / 2**n)  # whole numbers divide without overflow


def _checked(models):
    length = max(len(model["right"]) for model in models.values())
    settled = {}
    for name, model in models.items():
        settled[name] = np.asarray(model["latencies_ms"], float)[WARM_UP:]
        if len(model["right"]) != length:
            raise ValueError(f"{name} was judged on {len(model['right'])} images of {length}")
        if not len(settled[name]):
            raise ValueError(f"{name} has no latency after the warm-up")
    return settled
