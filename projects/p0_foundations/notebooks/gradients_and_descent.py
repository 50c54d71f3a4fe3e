# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# A notebook prints, shows what a cell ends in, claims with assert, and has its text in cells:
# ruff: noqa: D100, D101, D102, D103, ERA001, S101, T201

# %% [markdown]
# # Two thousandths decide between an answer and infinity
#
# Gradient descent with a step of 0.0999 finds the bottom of this valley. With 0.1001 it leaves the
# page. Nothing about the data changed: the limit is 2/L, and it can be computed before running.

# %%
from __future__ import annotations

import numpy as np
from p0_foundations import (
    GradientDescent,
    Momentum,
    Newton,
    Tensor,
    contour_picture,
    gradients,
    largest_stable_step,
    minimise,
    parse_formula,
    sin,
    window_around,
)

valley = parse_formula("0.5*x^2 + 10*y^2")


def of_point(point: Tensor) -> Tensor:
    return 0.5 * point[0] ** 2 + 10 * point[1] ** 2


START = [2.0, 1.0]
limit = largest_stable_step(of_point, START)
calm = minimise(of_point, START, GradientDescent(0.999 * limit), steps=30_000)
wild = minimise(of_point, START, GradientDescent(1.001 * limit), steps=30_000)
print(f"2/L = {limit:.4f}")
print(f"below it: {calm.verdict}, {calm.reason}")
print(f"above it: {wild.verdict}, {wild.reason}")
assert np.isclose(limit, 0.1)  # L = 20, the bend along y
assert calm.verdict == "converged"
assert wild.verdict == "diverged"

# %% [markdown]
# ## Autodiff in thirty lines
#
# A number that remembers what it was made of, and by how much each parent moved it. Going back
# through that memory, children first, is the chain rule; there is no more to it.


# %%
class Number:
    def __init__(self, value: float, parents: tuple[tuple[Number, float], ...] = ()) -> None:
        self.value, self.parents, self.slope = value, parents, 0.0

    def __add__(self, other: Number | float) -> Number:
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: Number | float) -> Number:
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.value * other.value, ((self, other.value), (other, self.value)))

    def sin(self) -> Number:
        return Number(float(np.sin(self.value)), ((self, float(np.cos(self.value))),))

    def backward(self) -> None:
        order: list[Number] = []

        def visit(node: Number) -> None:
            if node not in order:
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.slope = 1.0
        for node in reversed(order):
            for parent, share in node.parents:
                parent.slope += share * node.slope


a, b = Number(1.5), Number(-0.5)
c = (a * b + a.sin()) * a
c.backward()

# %% [markdown]
# The same in ours, which has arrays, broadcasting and thirty operations, and against a finite
# difference, which knows nothing of rules. `a` is used three times: its shares are *added*. Leave
# the `+` out of `+=` and every test with a variable used once still passes.

# %%
ours = Tensor([1.5, -0.5])


def same(point: Tensor) -> Tensor:
    return (point[0] * point[1] + sin(point[0])) * point[0]


same(ours).backward()
h = 1e-6
difference = (same(Tensor([1.5 + h, -0.5])).item() - same(Tensor([1.5 - h, -0.5])).item()) / (2 * h)
print(f"thirty lines {a.slope:.10f}, ours {ours.grad[0]:.10f}, difference {difference:.10f}")
assert np.isclose(a.slope, ours.grad[0], rtol=1e-12)
assert np.isclose(b.slope, ours.grad[1], rtol=1e-12)
assert abs(difference - a.slope) < 1e-8

# %% [markdown]
# Its gradients are tensors again, so they can be differentiated again: the bend, exactly.

# %%
point = Tensor([0.7, 1.1])
slope = gradients(same(point), [point])[0]
bend = gradients(slope[0], [point])[0].value
assert np.isclose(bend[0], 2 * 1.1 + 2 * np.cos(0.7) - 0.7 * np.sin(0.7))
print("d²/dx² =", bend[0])

# %% [markdown]
# ## Why a valley is slow
#
# The step is limited by the steepest direction (bend 20), the progress by the flattest (bend 1).
# Their ratio is the condition number of the last notebook: the same disease, another symptom.
# Momentum remembers the way along the floor; Newton divides by the bend and arrives in one step.

# %%
searches = {
    "gradient descent": minimise(of_point, START, GradientDescent(0.09), steps=2_000),
    "momentum": minimise(of_point, START, Momentum(0.06, 0.6), steps=2_000),
    "Newton": minimise(of_point, START, Newton(), steps=2_000),
}
for name, path in searches.items():
    print(f"{name:17} {path.n_steps:4} steps, {path.verdict}")
assert searches["Newton"].n_steps == 1
assert searches["momentum"].n_steps < 0.6 * searches["gradient descent"].n_steps
contour_picture(valley, path=searches["gradient descent"])

# %%
contour_picture(valley, path=searches["momentum"])

# %% [markdown]
# ## Diverging on purpose
#
# Each step multiplies the error along y by 1 - 20η. At η = 0.11 that is -1.2: the point jumps
# across the valley, a fifth further each time. The library stops and says so; a loop of your own
# prints `nan` some hundred steps later, when the cause is long out of sight.

# %%
jumps = minimise(of_point, START, GradientDescent(0.11), steps=200)
ratios = jumps.points[1:6, 1] / jumps.points[:5, 1]
print(jumps.reason, "| ratios", ratios.round(3))
assert np.allclose(ratios, -1.2)
assert np.isfinite(jumps.losses).all()
contour_picture(valley, window_around(jumps), jumps)

# %% [markdown]
# ## A slope of zero is not a minimum
#
# At the top of a pass everything is level. The search ends "converged", and looks once at the bend.


# %%
def saddle(point: Tensor) -> Tensor:
    return point[0] ** 2 - point[1] ** 2


stuck = minimise(saddle, [1.0, 0.0], GradientDescent(0.1))
print(stuck.verdict, "-", stuck.reason)
assert "saddle" in stuck.reason
nudged = minimise(saddle, [1.0, 1e-8], GradientDescent(0.1))
assert nudged.verdict == "diverged"  # a saddle without a floor: it never ends well
print("with a nudge of 1e-8:", nudged.reason)
