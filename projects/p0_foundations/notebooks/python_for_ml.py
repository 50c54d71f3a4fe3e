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
# ruff: noqa: D100, D103, ERA001, S101, T201

# %% [markdown]
# # A perfect model with a loss of 1.9
#
# Two arrays of a thousand numbers, subtracted. No error, no warning; the result has a million
# numbers, and its mean looks like a loss. Shapes are types that Python does not check: this
# notebook is about reading them.

# %%
import sys
from pathlib import Path
from timeit import repeat

import numpy as np
import pandas as pd
from p0_foundations import (
    ShapeError,
    Tensor,
    fit_picture,
    profile_frame,
    squared_error,
    type_frame,
)

rng = np.random.default_rng(0)
target = rng.normal(size=1_000)
prediction = target[:, None]  # a perfect model whose output has shape (1000, 1)
wrong = ((prediction - target) ** 2).mean()
right = ((prediction[:, 0] - target) ** 2).mean()
print(f"shapes {prediction.shape} - {target.shape} = {(prediction - target).shape}")
print(f"the loss of a perfect model: {wrong:.2f}; with the shapes right: {right:.2f}")
assert wrong > 1.5
assert right == 0.0

# %% [markdown]
# Our losses refuse it, by name and with both shapes: a check at the door is worth an hour.

# %%
try:
    squared_error(Tensor(prediction), target)
except ShapeError as refused:
    print(refused)
else:
    raise AssertionError("a loss broadcast its target")

# %% [markdown]
# ## From loops to arrays
#
# Write the loop first, as it is what you mean. Then say the same of whole arrays. The distance from
# every row to every centre, three ways, checked against each other before any is timed.


# %%
def by_loops(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    found = np.empty((len(rows), len(centres)))
    for i in range(len(rows)):
        for j in range(len(centres)):
            total = 0.0
            for k in range(rows.shape[1]):
                total += (rows[i, k] - centres[j, k]) ** 2
            found[i, j] = total
    return found


def by_broadcasting(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return ((rows[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)


def by_algebra(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    squares = (rows**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1)
    return squares - 2 * rows @ centres.T


rows, centres = rng.normal(size=(300, 16)), rng.normal(size=(20, 16))
expected = by_loops(rows, centres)
assert np.allclose(by_broadcasting(rows, centres), expected)
assert np.allclose(by_algebra(rows, centres), expected)


def seconds(call) -> float:
    """Return the best of three: noise only ever adds."""
    return min(repeat(call, number=1, repeat=3))


loop_s = seconds(lambda: by_loops(rows, centres))
for way in (by_broadcasting, by_algebra):
    ratio = loop_s / seconds(lambda way=way: way(rows, centres))
    print(f"{way.__name__}: {ratio:,.0f} times as fast as the loops, here and now")
    assert ratio > 5

# %% [markdown]
# The fastest has a price: it subtracts large numbers that are nearly equal. For points far from
# the origin it returns distances that are negative, and a square root of those is `nan`. Fast *and*
# right: move the origin first.

# %%
far = rows + 1e8
print("smallest squared distance of a point to itself:", np.diag(by_algebra(far, far)).min())
assert np.abs(np.diag(by_algebra(far, far))).max() > 0.5
assert (by_broadcasting(far[:20], far[:20]).diagonal() == 0).all()
centred = far - far.mean(axis=0)
assert np.abs(np.diag(by_algebra(centred, centred))).max() < 1e-10

# %% [markdown]
# ## Memory is a speed, too
#
# Broadcasting made an array of 300 x 20 x 16 in between: nothing here, 8 GB for a hundred times as
# many rows and centres. And a view is not a copy, which is a gift until you write to it.

# %%
between = rows[:, None, :] - centres[None, :, :]
print(f"in between {between.nbytes / 1e6:.1f} MB, the answer {expected.nbytes / 1e3:.0f} kB")
assert between.nbytes == 16 * expected.nbytes

table = np.arange(12).reshape(3, 4)
view, copy = table[:, 1], table[:, [1]]
view[:] = -1
assert (table[:, 1] == -1).all()
copy[:] = 99
assert not (table == 99).any()
print("a slice shares memory, a list of indices copies:", np.shares_memory(table, view))

# %% [markdown]
# ## pandas to NumPy: what is lost on the way
#
# One missing value turns whole numbers into floats; one word turns a column into objects, and
# arithmetic on those runs at the speed of the loops. An id above 2**53 comes back as another id.

# %%
ids = pd.Series([2**53 + 1, 2**53 + 3, None])
print("as float:", int(ids[0]), "was", 2**53 + 1)
assert int(ids[0]) != 2**53 + 1
kept = pd.Series([2**53 + 1, 2**53 + 3, None], dtype="Int64")
assert int(kept[0]) == 2**53 + 1

text = pd.DataFrame({"amount": ["1.5", "2.5", "?"], "n": ["3", "4", "5"]})
typed = type_frame(text).frame
print(typed.dtypes.to_dict())
assert typed["amount"].dtype.kind == "f"
assert np.isnan(typed["amount"].iloc[2])

# %% [markdown]
# **Alignment is the other silent thing.** pandas adds by label, NumPy by place. After a sort, the
# same two columns give two different sums, and neither complains.

# %%
price = pd.Series([10.0, 20.0, 30.0], index=["a", "b", "c"])
fee = pd.Series([1.0, 2.0, 3.0], index=["c", "b", "a"])
by_label, by_place = price + fee, price.to_numpy() + fee.to_numpy()
print("by label", by_label.to_list(), "by place", by_place.tolist())
assert by_label.to_list() == [13.0, 22.0, 31.0]
assert by_place.tolist() == [11.0, 22.0, 33.0]

# %% [markdown]
# ## Group-by instead of loops over groups
#
# The mean of each of five hundred groups, by a loop that filters and by one pass.

# %%
sales = pd.DataFrame({"shop": rng.integers(0, 500, 50_000), "amount": rng.gamma(2, 10, 50_000)})


def by_filters() -> pd.Series:
    shops = np.sort(sales["shop"].unique())
    return pd.Series({shop: sales.loc[sales["shop"] == shop, "amount"].mean() for shop in shops})


def by_group() -> pd.Series:
    return sales.groupby("shop")["amount"].mean()


assert np.allclose(by_filters().to_numpy(), by_group().to_numpy())
ratio = seconds(by_filters) / seconds(by_group)
print(f"one pass is {ratio:,.0f} times as fast, here and now")
assert ratio > 5

# %% [markdown]
# ## Reproducible or not at all
#
# A generator that is passed in gives the same numbers wherever it is called. The global one gives
# whatever the last import left.

# %%
assert (np.random.default_rng(7).normal(size=5) == np.random.default_rng(7).normal(size=5)).all()
first, second = np.random.default_rng(7).spawn(2)
print("two streams of one seed:", first.normal(), second.normal())

# %% [markdown]
# ## From a notebook to a package
#
# A notebook is for looking; what proved right moves into a module with a name, types and a test.
# This one imports everything it uses from a package that is tested without it, is a text file that
# a reviewer can read, and is run by the test suite. What stays here is the argument.

# %%
module = Path(sys.modules[squared_error.__module__].__file__)
n_lines = len(module.read_text(encoding="utf-8").splitlines())
print(f"the loss that refused the shapes lives in {module.name}: {n_lines} lines and their tests")
assert module.suffix == ".py"

profile = profile_frame(sales)
print(profile.verdict)
weeks = np.arange(30.0)
fit_picture(weeks, 3 + 0.5 * weeks + rng.normal(0, 1, 30))
