"""How the learning rate goes over a run: a factor of the highest rate for each step.

A function of the step alone, so that a resumed run needs no state for it.
"""

import math

from torch.optim import Optimizer

from p2_nn_service.training.recipe import Recipe, ScheduleName

_FIRST, _LAST = 1 / 25, 1e-4
"""Where `one_cycle` starts and ends."""


def rate_factor(schedule: ScheduleName, warm_up: float, share: float) -> float:
    """Return the factor when `share` (0 to 1) of all steps is behind.

    All rise linearly over the share `warm_up`. Then `constant` stays at 1, `linear` and `cosine`
    (Loshchilov and Hutter 2017) fall to 0. `one_cycle` (Smith 2018) rises from 1/25 and falls by a
    cosine to 1/10,000; momentum, which Smith lets fall and rise against it, stays.
    """
    low = _FIRST if schedule == "one_cycle" else 0.0
    if share < warm_up:
        return low + (1 - low) * share / warm_up
    behind = (share - warm_up) / (1 - warm_up)
    if schedule == "constant":
        return 1.0
    if schedule == "linear":
        return 1 - behind
    floor = _LAST if schedule == "one_cycle" else 0.0
    return floor + (1 - floor) * (1 + math.cos(math.pi * behind)) / 2


def set_rate(optimiser: Optimizer, recipe: Recipe, step: int, n_steps: int) -> float:
    """Set the rate of the step about to be taken (from 0); returns the factor.

    The first step of a warm-up counts as one behind, since a rate of zero would waste it.
    """
    is_rising = step < recipe.warm_up * n_steps
    factor = rate_factor(recipe.schedule, recipe.warm_up, (step + int(is_rising)) / n_steps)
    for group in optimiser.param_groups:
        group["lr"] = group["highest_lr"] * factor
    return factor
