"""Choose the model to serve from what was measured."""

import numpy as np


def choose(models, budget_ms):
    """Return the model's name, and why."""
    within = {n: m for n, m in models.items() if np.mean(m["latencies_ms"]) <= budget_ms}
    best = max(within, key=lambda n: np.mean(within[n]["right"]))
    return best, "the most accurate within the budget"
