"""Ways to go downhill: each a small class of settings with one `step`.

An optimiser holds no state. `step` takes the place and what it remembered, and returns the next
point and what to remember: so one optimiser serves any number of searches at once, and no search
starts with the velocity of another. Knows no function and no loop. Read next: `descent.py`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np

from p0_foundations.autodiff import Floats
from p0_foundations.errors import OptimisationError

Memory = tuple[Floats, ...]
"""What an optimiser carries from step to step; empty before the first."""


@dataclass(frozen=True)
class Place:
    """What can be seen from where a search stands: the point (n,), the slope (n,), the bend."""

    point: Floats
    gradient: Floats
    hessian: Callable[[], Floats]
    """The second derivatives (n, n), computed when asked for: n times the price of a gradient."""


class Optimiser(Protocol):
    """Anything that can say where to go next."""

    def step(self, at: Place, memory: Memory) -> tuple[Floats, Memory]:
        """Return the next point, and what to remember."""
        ...


@dataclass(frozen=True)
class _Settings:
    step_size: float

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            is_share = one.name not in {"step_size", "epsilon"}
            if not math.isfinite(value) or value < 0 or (is_share and value >= 1):
                accepted = "0 to below 1" if is_share else "a finite number, not negative"
                raise OptimisationError(f"{one.name}={value}; accepted: {accepted}")


@dataclass(frozen=True)
class GradientDescent(_Settings):
    """x - η g: down the steepest slope; steady while η < 2 / L, which `descent.py` derives."""

    step_size: float = 0.1

    def step(self, at: Place, memory: Memory) -> tuple[Floats, Memory]:
        """Go down the slope."""
        return at.point - self.step_size * at.gradient, memory


@dataclass(frozen=True)
class Momentum(_Settings):
    """v ← μ v + g, x - η v: a ball with weight, faster along valleys (Polyak 1964)."""

    step_size: float = 0.1
    momentum: float = 0.9

    def step(self, at: Place, memory: Memory) -> tuple[Floats, Memory]:
        """Roll on."""
        (velocity,) = memory or (np.zeros_like(at.point),)
        velocity = self.momentum * velocity + at.gradient
        return at.point - self.step_size * velocity, (velocity,)


@dataclass(frozen=True)
class Nesterov(_Settings):
    """v ← μ v + g, x - η (g + μ v): momentum that brakes earlier (Nesterov 1983).

    In the form of torch and of Bengio et al. 2013, "Advances in optimizing recurrent networks":
    the point shown is the one looked ahead to, so only one gradient a step is needed.
    """

    step_size: float = 0.1
    momentum: float = 0.9

    def step(self, at: Place, memory: Memory) -> tuple[Floats, Memory]:
        """Roll on, looking ahead."""
        (velocity,) = memory or (np.zeros_like(at.point),)
        velocity = self.momentum * velocity + at.gradient
        ahead = at.gradient + self.momentum * velocity
        return at.point - self.step_size * ahead, (velocity,)


@dataclass(frozen=True)
class RMSProp(_Settings):
    """x - η g / (√s + ε), s the running mean of g²: each coordinate its own step (Hinton 2012)."""

    step_size: float = 0.01
    decay: float = 0.99
    epsilon: float = 1e-8

    def step(self, at: Place, memory: Memory) -> tuple[Floats, Memory]:
        """Go as far in flat directions as in steep ones."""
        (square,) = memory or (np.zeros_like(at.point),)
        square = self.decay * square + (1.0 - self.decay) * at.gradient**2
        change = self.step_size * at.gradient / (np.sqrt(square) + self.epsilon)
        return at.point - change, (square,)


@dataclass(frozen=True)
class Adam(_Settings):
    """RMSProp over momentum, both corrected for starting at 0 (Kingma and Ba 2015, algorithm 1)."""

    step_size: float = 0.1
    momentum: float = 0.9
    decay: float = 0.999
    epsilon: float = 1e-8

    def step(self, at: Place, memory: Memory) -> tuple[Floats, Memory]:
        """Go about one step size in each coordinate, less where the slope keeps changing."""
        zeros = np.zeros_like(at.point)
        mean, square, n = memory or (zeros, zeros, np.zeros(()))
        n = n + 1.0
        mean = self.momentum * mean + (1.0 - self.momentum) * at.gradient
        square = self.decay * square + (1.0 - self.decay) * at.gradient**2
        fair_mean = mean / (1.0 - self.momentum**n)
        fair_square = square / (1.0 - self.decay**n)
        change = self.step_size * fair_mean / (np.sqrt(fair_square) + self.epsilon)
        return at.point - change, (mean, square, n)


@dataclass(frozen=True)
class Newton(_Settings):
    """x - η |H|⁻¹ g: to the bottom of the parabola that fits here, in one step where η = 1.

    |H| has the Hessian's eigenvectors and the absolute values of its eigenvalues (Dauphin et al.
    2014, "saddle-free"): the same on a bowl, and downhill where plain Newton would climb to a
    saddle. Along a direction without bend it takes the slope itself.
    """

    step_size: float = 1.0

    def step(self, at: Place, memory: Memory) -> tuple[Floats, Memory]:
        """Jump to where the bend says the bottom is."""
        bends, directions = np.linalg.eigh(at.hessian())
        sizes = np.abs(bends)
        is_flat = sizes <= 1e-12 * max(float(sizes.max()), 1e-300)
        along = directions.T @ at.gradient / np.where(is_flat, 1.0, sizes)
        return at.point - self.step_size * directions @ along, memory


@dataclass(frozen=True)
class WeightDecay:
    """Any optimiser on the loss plus λ/2 |x|²: the slope grows by λ x, so large weights shrink."""

    inner: Optimiser
    rate: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate) and self.rate >= 0):
            raise OptimisationError(f"rate={self.rate}; accepted: a finite number, not negative")

    def step(self, at: Place, memory: Memory) -> tuple[Floats, Memory]:
        """Go where the inner one goes from here."""
        slope = at.gradient + self.rate * at.point
        return self.inner.step(replace(at, gradient=slope), memory)


OPTIMISERS: dict[str, Callable[[float], Optimiser]] = {
    "gradient-descent": GradientDescent,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSProp,
    "adam": Adam,
    "newton": Newton,
}
"""Every optimiser by the name that a page or a tool gives it; called with its step size."""
