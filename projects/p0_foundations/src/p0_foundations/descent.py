"""Going downhill, step by step, and saying how it ended.

Why a step size has a limit. Near a minimum a smooth function is a bowl, f(x) = ½ xᵀH x around the
bottom, with slope H x. One step of gradient descent turns x into (I - ηH) x: along an eigenvector
of H with eigenvalue λ the error is multiplied by 1 - ηλ. It shrinks while |1 - ηλ| < 1, that is
for 0 < η < 2/λ. All directions shrink only if the steepest does: η < 2/L with L the largest
eigenvalue. At 2/L the search swings for ever; beyond it every step is longer than the last
(Nesterov, "Lectures on Convex Optimization", 2018, section 1.2.3).

Knows no optimiser by name. Read before: `optimisers.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count

import numpy as np
from numpy.typing import ArrayLike, NDArray

from p0_foundations.autodiff import Floats, Tensor, gradients
from p0_foundations.errors import OptimisationError
from p0_foundations.optimisers import Memory, Optimiser, Place

Function = Callable[[Tensor], Tensor]
"""A scalar function of a point (n,)."""
Rows = NDArray[np.int64]

MAX_STEPS = 1_000_000
REACH = 1e6
N_RISES = 40
PATIENCE = 100
MAX_CURVED = 50
"""Most coordinates for which the end of a search is looked at for bends."""


class Verdict(StrEnum):
    """How a search ended."""

    CONVERGED = "converged"
    DIVERGED = "diverged"
    STALLED = "stalled"
    UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Path:
    """Where a search went: everything finite, whatever happened; row 0 is the start.

    `points` and `gradients` are (steps + 1, n), `losses` (steps + 1,). `reason` is for a person.
    """

    points: Floats
    losses: Floats
    gradients: Floats
    verdict: Verdict
    reason: str

    @property
    def n_steps(self) -> int:
        """How many steps were taken."""
        return len(self.losses) - 1


def minimise(
    function: Function,
    start: ArrayLike,
    optimiser: Optimiser,
    *,
    steps: int = 200,
    tolerance: float = 1e-6,
) -> Path:
    """Search a minimum of a function from a start (n,).

    Ends as `CONVERGED` where the slope's length is at most `tolerance`; as `DIVERGED` where the
    loss or the slope is no number, where the point has left by a million times its scale, or where
    the loss has risen `N_RISES` times in a row to above its start; as `STALLED` where the best loss
    is `PATIENCE` steps old; else as `UNFINISHED`. A start without value or slope is an error.
    """
    walk = _Walk(start, optimiser, steps)
    with np.errstate(all="ignore"):
        for k in range(steps + 1):
            end = walk.look(function) or walk.judge(tolerance)
            if end is not None:
                return walk.ended(*end)
            if k < steps:
                walk.step(function)
        return walk.ended(
            Verdict.UNFINISHED, f"the {steps} steps are used up and the slope is not yet 0"
        )


def minimise_on_batches(
    function: Callable[[Tensor, Rows], Tensor],
    start: ArrayLike,
    n_rows: int,
    optimiser: Optimiser,
    *,
    epochs: int = 10,
    batch_size: int = 32,
    seed: int = 0,
) -> Path:
    """Search with the slope of a few rows at a time: stochastic gradient descent, any optimiser.

    `function(point, rows)` is the average loss over those rows. The losses of the path are those
    of the batches, noisy and no sign of convergence; the last is that of all rows. Only divergence
    ends it early.
    """
    order = batches(n_rows, batch_size, epochs=epochs, seed=seed)
    walk = _Walk(start, optimiser, epochs)
    with np.errstate(all="ignore"):
        for rows in order:
            seen: Function = lambda point, rows=rows: function(point, rows)  # noqa: E731
            end = walk.look(seen)
            if end is not None:
                return walk.ended(*end)
            walk.step(seen)
        end = walk.look(lambda point: function(point, np.arange(n_rows)))
        return walk.ended(*(end or (Verdict.UNFINISHED, f"all {epochs} epochs are done")))


def batches(n_rows: int, batch_size: int, *, epochs: int | None, seed: int = 0) -> Iterator[Rows]:
    """Yield the rows of each batch: every row once an epoch, each epoch in a new order.

    Without a number of epochs it goes on for ever.
    """
    if n_rows < 1 or batch_size < 1:
        raise OptimisationError(f"{n_rows} rows in batches of {batch_size}; at least 1 of each")
    rng = np.random.default_rng(seed)
    for _ in count() if epochs is None else range(epochs):
        order = rng.permutation(n_rows)
        for first in range(0, n_rows, batch_size):
            yield order[first : first + batch_size]


def hessian(function: Function, at: ArrayLike) -> Floats:
    """Return the exact second derivatives (n, n) at a point: the gradient, differentiated again."""
    point = Tensor(at)
    output = function(point)
    slope = gradients(output, [point])[0] if output.needs_grad else output
    if not slope.needs_grad:  # the function is constant or linear
        return np.zeros((point.value.size, point.value.size))
    return np.stack([gradients(slope[k], [point])[0].value for k in range(point.value.size)])


def largest_stable_step(function: Function, at: ArrayLike) -> float:
    """Return 2 / L, L the Hessian's largest eigenvalue; infinite where nothing bends upward.

    Gradient descent with a smaller step closes in on a minimum at `at`, with a larger one leaves.
    """
    largest = float(np.linalg.eigvalsh(hessian(function, at))[-1])
    return 2.0 / largest if largest > 0 else np.inf


End = tuple[Verdict, str]


class _Walk:
    """One search under way: what was passed, and where it stands now."""

    def __init__(self, start: ArrayLike, optimiser: Optimiser, steps: int) -> None:
        self._point: Floats = np.array(start, dtype=np.float64)
        if self._point.ndim != 1 or not np.isfinite(self._point).all():
            raise OptimisationError(f"start={start}; a list of finite numbers is accepted")
        if not 0 <= steps <= MAX_STEPS:
            raise OptimisationError(f"{steps} steps; accepted: 0 to {MAX_STEPS:,}")
        self._reach = REACH * (1.0 + float(np.linalg.norm(self._point)))
        self._optimiser = optimiser
        self._memory: Memory = ()
        self._passed: list[tuple[Floats, float, Floats]] = []
        self._n_rises = 0
        self._best = (np.inf, 0)
        self._function: Function | None = None

    def look(self, function: Function) -> End | None:
        """Take in the point; an end when it cannot be used, and then it is not taken in."""
        self._function = function
        loss, gradient = _value_and_slope(function, self._point)
        k = len(self._passed)
        if not (np.isfinite(loss) and np.isfinite(gradient).all()):
            what = "value" if not np.isfinite(loss) else "slope"
            where = ", ".join(f"{c:.4g}" for c in self._point[:4])
            if not k:
                raise OptimisationError(f"the function has no finite {what} at the start ({where})")
            return Verdict.DIVERGED, f"step {k}: the function has no finite {what} at ({where})"
        if np.linalg.norm(self._point - self._passed[0][0] if k else 0.0) > self._reach:
            return Verdict.DIVERGED, f"step {k}: the point ran away, further than {self._reach:.3g}"
        self._n_rises = self._n_rises + 1 if k and loss > self._passed[-1][1] else 0
        self._passed.append((self._point, loss, gradient))
        return None

    def judge(self, tolerance: float) -> End | None:
        """Say whether the search is at its end."""
        k = len(self._passed) - 1
        point, loss, gradient = self._passed[-1]
        slope = float(np.linalg.norm(gradient))
        if slope <= tolerance:
            return Verdict.CONVERGED, f"step {k}: the slope is {slope:.2g}{self._lie(point)}"
        if self._n_rises >= N_RISES and loss > self._passed[0][1]:
            reason = f"step {k}: the loss rose {N_RISES} times in a row; take smaller steps"
            return Verdict.DIVERGED, reason
        if loss < self._best[0] - 1e-12 * abs(loss):
            self._best = (loss, k)
        elif k - self._best[1] >= PATIENCE:
            reason = f"step {k}: no lower loss for {PATIENCE} steps at a slope of {slope:.2g}"
            return Verdict.STALLED, f"{reason}; smaller steps may settle"
        return None

    def step(self, function: Function) -> None:
        """Move on."""
        point, _, gradient = self._passed[-1]
        place = Place(point, gradient, lambda: hessian(function, point))
        try:
            self._point, self._memory = self._optimiser.step(place, self._memory)
        except np.linalg.LinAlgError:  # a Hessian that is no number leads nowhere
            self._point = np.full_like(point, np.nan)

    def ended(self, verdict: Verdict, reason: str) -> Path:
        """Return the path so far."""
        points, losses, slopes = zip(*self._passed, strict=True)
        return Path(np.stack(points), np.array(losses), np.stack(slopes), verdict, reason)

    def _lie(self, point: Floats) -> str:
        """Say when a level place is no minimum."""
        if self._function is None or point.size > MAX_CURVED:
            return ""
        bends = hessian(self._function, point)
        if np.isfinite(bends).all() and np.linalg.eigvalsh(bends)[0] < -1e-9:
            return ", but the ground falls away from here: a saddle or a top, no minimum"
        return ""


def _value_and_slope(function: Function, at: Floats) -> tuple[float, Floats]:
    point = Tensor(at)
    output = function(point)
    if output.needs_grad:
        output.backward()
    return output.item(), np.zeros_like(at) if point.grad is None else point.grad
