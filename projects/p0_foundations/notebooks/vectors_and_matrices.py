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
# ruff: noqa: D100, ERA001, S101, T201

# %% [markdown]
# # A right answer that is wrong in every digit
#
# Two ways to solve the same least-squares problem, both taught as exact. One of them returns
# nonsense on a matrix that looks harmless. To see why, look at what a matrix *does*: it turns,
# stretches, and turns again; a stretch that is far from even is where the digits go.

# %%
import numpy as np
from p0_foundations import (
    NumbersError,
    compare_conditioning,
    condition_number,
    conditioning_picture,
    eigen_images_picture,
    fit_picture,
    least_squares_by_normal_equations,
    least_squares_by_qr,
    least_squares_by_svd,
    load_digits,
    principal_components,
    project,
    projection_picture,
    stretch_picture,
)

rng = np.random.default_rng(3)
heights_m = rng.normal(1.75, 0.08, 60)
columns = np.stack([np.ones(60), heights_m, heights_m + 2e-8 * rng.normal(size=60)], axis=1)
truth = np.array([1.0, 2.0, 3.0])
seen = columns @ truth  # no noise at all

by_qr = least_squares_by_qr(columns, seen)
print("condition", f"{condition_number(columns):.1e}", "by QR", by_qr.round(6))
try:
    by_normal = least_squares_by_normal_equations(columns, seen)
except NumbersError as refused:
    by_normal = np.full(3, np.inf)
    print("by the normal equations:", refused)
error_qr = np.abs(by_qr - truth).max()
error_normal = np.abs(by_normal - truth).max()
print(f"worst coefficient off by {error_qr:.1e} (QR), {error_normal:.1e} (normal equations)")
assert error_qr < 1e-5
assert error_normal > 0.1
if np.isfinite(by_normal).all():
    assert np.abs(columns @ by_normal - seen).max() < 1e-6

# %% [markdown]
# Two columns that are nearly the same (the height, and the height measured again) make a matrix
# of condition a hundred million and more. QR loses eight of sixteen digits. The normal equations
# square the matrix, so they lose them all. The residual would have told you nothing: both *fit*.
#
# ## A projection is a best guess
#
# The nearest point of a line is where what is left over stands at a right angle to it. That is the
# whole of least squares; more columns only make the line a plane.

# %%
found = project([2.0, 3.0], onto=[3.0, 1.0])
print("shadow", found.point, "left over", found.residual)
assert abs(found.residual @ np.array([3.0, 1.0])) < 1e-12
projection_picture([2.0, 3.0], onto=[3.0, 1.0])

# %% [markdown]
# Any other point of the line is further away. Do not believe it: try ten thousand.

# %%
others = np.linspace(-3, 3, 10_001)[:, None] * np.array([3.0, 1.0])
nearest = np.linalg.norm(np.array([2.0, 3.0]) - others, axis=1).min()
assert nearest >= np.linalg.norm(found.residual) - 1e-12
print(f"nearest of the others: {nearest:.6f}; the projection: {np.linalg.norm(found.residual):.6f}")

# %% [markdown]
# ## Least squares, three ways
#
# On a friendly matrix all three agree to the last digits, so choosing is about cost and about what
# happens when the matrix is *not* friendly.

# %%
x = np.linspace(0, 1, 25)
y = 1 - 2 * x + 4 * x**2 + rng.normal(0, 0.1, 25)
A = np.vander(x, 3)
ways = [
    solve(A, y)
    for solve in (
        least_squares_by_normal_equations,
        least_squares_by_qr,
        least_squares_by_svd,
    )
]
print(np.round(ways, 6))
assert np.ptp(ways, axis=0).max() < 1e-10
fit_picture(x, y, degree=2)

# %% [markdown]
# With a column that is exactly the sum of two others there is no one answer. QR and the normal
# equations must refuse. The SVD returns the shortest of the infinitely many.

# %%
dependent = np.column_stack([A, A[:, 1] + A[:, 2]])
try:
    least_squares_by_qr(dependent, y)
except NumbersError as refused:
    print("QR:", refused)
else:
    raise AssertionError("QR took dependent columns")
shortest = least_squares_by_svd(dependent, y)
nobody = np.append(ways[1], 0.0)  # the same fit, the fourth column unused
assert np.allclose(dependent @ shortest, dependent @ nobody)
assert np.linalg.norm(shortest) < np.linalg.norm(nobody)

# %% [markdown]
# ## Condition: the longest stretch over the shortest
#
# A circle becomes an ellipse. An error along its thin axis is stretched the other way when you
# solve backwards: the condition number says by how much at worst.

# %%
thin = np.array([[1.0, 0.95], [0.95, 1.0]])
nudge = np.array([1.0, -1.0]) * 1e-3
before = np.linalg.solve(thin, [1.95, 1.95])
after = np.linalg.solve(thin, np.array([1.95, 1.95]) + nudge)
relative_in = np.linalg.norm(nudge) / np.linalg.norm([1.95, 1.95])
relative_out = np.linalg.norm(after - before) / np.linalg.norm(before)
print(f"condition {condition_number(thin):.0f}; the error grew {relative_out / relative_in:.0f}×")
assert np.isclose(relative_out / relative_in, condition_number(thin))
stretch_picture(thin)

# %%
losses = compare_conditioning(np.array([1e2, 1e4, 1e6]))
for name, errors in losses.errors.items():
    print(f"{name:17}", " ".join(f"{error:.0e}" for error in errors))
squared = losses.errors["normal equations"][-1] / losses.errors["QR"][-1]
assert squared > 100
conditioning_picture()

# %% [markdown]
# ## SVD as a microscope: eigen-digits
#
# A digit is a point in 64 dimensions, but real digits fill few of them. The principal components
# are the directions in which they differ most; drawn as pictures, they are strokes being added and
# taken away.

# %%
digits = load_digits()
eigen_images_picture(digits)

# %%
rows = digits.flat.rows
for k in (2, 10, 30):
    kept = principal_components(rows, k)
    rebuilt = kept.rebuild(kept.scores(rows))
    lost = ((rows - rebuilt) ** 2).sum() / ((rows - rows.mean(axis=0)) ** 2).sum()
    print(f"{k:2} of 64 numbers kept: {1 - lost:.0%} of what tells digits apart")
    assert np.isclose(1 - lost, kept.shares.sum())
assert principal_components(rows, 30).shares.sum() > 0.95

# %% [markdown]
# The share kept and the squared error of rebuilding are the same sum, seen from two sides: that is
# Pythagoras, in 64 dimensions. And the directions are at right angles, each to each:

# %%
directions = principal_components(rows, 30).directions
assert np.allclose(directions @ directions.T, np.eye(30))
print("thirty directions, all at right angles")
