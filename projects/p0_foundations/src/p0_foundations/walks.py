"""A search on a typed-in formula with all that is needed to explain each of its steps.

The search is `descent.minimise`; what the optimiser remembered is not kept there, so it is found by
taking the same steps again from the same slopes. Knows no HTTP. Read next: `lab_routes.py`.
"""

from dataclasses import dataclass, fields
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from p0_foundations.autodiff import Floats
from p0_foundations.descent import Function, Path, hessian, largest_stable_step, minimise
from p0_foundations.errors import OptimisationError
from p0_foundations.formulas import Formula
from p0_foundations.optimisers import (
    OPTIMISERS,
    Adam,
    Memory,
    Momentum,
    Nesterov,
    Newton,
    Optimiser,
    Place,
    RMSProp,
)

MEMORY_NAMES: dict[str, tuple[str, ...]] = {
    "momentum": ("velocity",),
    "nesterov": ("velocity",),
    "rmsprop": ("square",),
    "adam": ("mean", "square"),
}
"""What the memory of each optimiser is called, in its order; the others have none."""


@dataclass(frozen=True)
class Walk:
    """A path, and what its optimiser held after each step.

    `memory` maps a name to rows, one a step (steps, 2); `hessians` is (steps, 2, 2), empty unless
    the optimiser looks at it. `step_limit` is the largest stable step by the bend at the start;
    None where nothing bends upward or the optimiser has no such limit.
    """

    path: Path
    memory: dict[str, Floats]
    hessians: Floats
    step_limit: float | None


def optimiser_named(name: str, step_size: float, **settings: float) -> Optimiser:
    """Make an optimiser; settings that it does not have are ignored.

    An unknown name or a setting out of range is an `OptimisationError`.
    """
    if name not in OPTIMISERS:
        raise OptimisationError(f"optimiser {name!r} is not known; use {', '.join(OPTIMISERS)}")
    made = OPTIMISERS[name]
    known = {one.name for one in fields(cast("type", made))}
    return cast("type", made)(
        step_size, **{key: value for key, value in settings.items() if key in known}
    )


def walk(formula: Formula, start: ArrayLike, name: str, optimiser: Optimiser, steps: int) -> Walk:
    """Search from a start and explain every step taken."""
    path = minimise(formula.at, start, optimiser, steps=steps)
    remembered = _remembered(formula.at, path, optimiser)
    rows = {  # the square of a steep slope can be beyond a float
        key: np.nan_to_num([one[k] for one in remembered]).reshape(-1, 2)
        for k, key in enumerate(MEMORY_NAMES.get(name, ()))
    }
    bends = [hessian(formula.at, at) for at in path.points[:-1]] if name == "newton" else []
    with np.errstate(all="ignore"):
        limit = step_limit(formula.at, path.points[0], optimiser)
    return Walk(path, rows, np.array(bends).reshape(-1, 2, 2), limit)


def step_limit(function: Function, at: ArrayLike, optimiser: Optimiser) -> float | None:
    """Return the step size from which on this optimiser leaves a bowl that bends as `at` does.

    With L the largest second derivative, descent stays below 2/L. With momentum μ the error of a
    direction follows a two-term recurrence whose roots leave the unit circle at 2 (1 + μ) / L, with
    Nesterov's at 2 (1 + μ) / ((1 + 2μ) L). Newton divides by the bend itself: 2. RMSProp and Adam
    go about one step size whatever the slope: they circle, and have no limit.
    """
    if isinstance(optimiser, Newton):
        return 2.0
    bends = hessian(function, at)
    if isinstance(optimiser, RMSProp | Adam) or not np.isfinite(bends).all():
        return None
    limit = largest_stable_step(function, at)
    if isinstance(optimiser, Momentum):
        limit *= 1.0 + optimiser.momentum
    elif isinstance(optimiser, Nesterov):
        limit *= (1.0 + optimiser.momentum) / (1.0 + 2.0 * optimiser.momentum)
    return float(limit) if np.isfinite(limit) else None


def _remembered(function: Function, path: Path, optimiser: Optimiser) -> list[Memory]:
    """Take the path's steps again and keep the memory after each."""
    memory: Memory = ()
    kept = []
    with np.errstate(all="ignore"):
        for point, slope in zip(path.points[:-1], path.gradients[:-1], strict=True):
            place = Place(point, slope, lambda point=point: hessian(function, point))
            _, memory = optimiser.step(place, memory)
            kept.append(memory)
    return kept
