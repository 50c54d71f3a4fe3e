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
# # The loss is the question
#
# Five colleagues say how long a task takes: 2, 3, 3, 4 and 60 days. The best single number is 14.4,
# or 3, or about 3.4, and every one of them is *optimal*. They answer different questions, and the
# loss is where the question is put.

# %%
import numpy as np
from p0_foundations import (
    LOSSES,
    GradientDescent,
    Tensor,
    absolute_error,
    cross_entropy,
    fit_picture,
    hinge,
    huber,
    likelihood_picture,
    logistic,
    maximum_likelihood,
    minimise,
    sigmoid,
    squared_error,
)

days = np.array([2.0, 3.0, 3.0, 4.0, 60.0])
ones = np.ones(5)


def best_constant(loss) -> float:
    path = minimise(lambda p: loss(p[0] * ones, days), [5.0], GradientDescent(0.05), steps=5_000)
    return float(path.points[np.argmin(path.losses), 0])


answers = {name: best_constant(LOSSES[name].value) for name in ("squared", "absolute", "huber")}
for name, answer in answers.items():
    print(f"{name:9} {answer:6.2f}   right when {LOSSES[name].right_when}")
assert np.isclose(answers["squared"], days.mean(), atol=1e-3)
assert np.isclose(answers["absolute"], np.median(days), atol=0.05)
assert np.median(days) < answers["huber"] < 4

# %% [markdown]
# ## The gradient says who is heard
#
# The squared error lets a row pull in proportion to its error: the 60 outweighs all the others
# together. The absolute error gives each row one vote. Huber listens like the first nearby and
# like the second far away.

# %%
guess = 3.4 * ones
for name in answers:
    pull = LOSSES[name].gradient(guess, days)
    print(f"{name:9}", pull.round(3))
squared_pull = np.abs(LOSSES["squared"].gradient(guess, days))
assert squared_pull[-1] > 10 * squared_pull[:-1].sum()
assert np.abs(LOSSES["absolute"].gradient(guess, days)).max() <= 1 / 5

# %% [markdown]
# ## One bad row turns a line
#
# A slope of 2, thirty good rows and one typing error; the squared error listens to the last.

# %%
rng = np.random.default_rng(0)
x = np.linspace(0, 1, 31)
y = 2 * x + rng.normal(0, 0.05, 31)
y[-1] = -20.0  # a misplaced sign and point


def fitted_slope(loss) -> float:
    path = minimise(
        lambda p: loss(p[0] * x + p[1], y), [0.0, 0.0], GradientDescent(0.1), steps=4_000
    )
    return float(path.points[np.argmin(path.losses), 0])


slopes = {loss.__name__: fitted_slope(loss) for loss in (squared_error, absolute_error, huber)}
print({name: round(slope, 2) for name, slope in slopes.items()})
assert slopes["squared_error"] < 0
assert abs(slopes["absolute_error"] - 2) < 0.2
fit_picture(x, y)

# %% [markdown]
# ## A loss is a likelihood with a minus sign
#
# Minimising the squared error is believing in Gaussian noise; the absolute error believes in
# Laplace's. Minimising the logistic loss is maximum likelihood for a coin, exactly: 7 heads of 10
# give log-odds of log(7/3), with a standard error from the bend.

# %%
flips = np.array([1.0] * 7 + [0.0] * 3)


def surprise(p: Tensor) -> Tensor:
    return logistic(p[0] * np.ones(10), flips) * 10


coin = maximum_likelihood(surprise, [0.0])
print(f"log-odds {coin.parameters[0]:.4f} ± {coin.standard_errors[0]:.2f}")
assert np.isclose(coin.parameters[0], np.log(7 / 3))
assert np.isclose(coin.standard_errors[0], 1 / np.sqrt(10 * 0.7 * 0.3))
likelihood_picture(surprise, 0.0, "log-odds of heads")

# %% [markdown]
# ## Hinge stops asking
#
# Rows beyond the margin pull with exactly zero. The logistic loss never quite lets go of any row,
# which is why its scores become probabilities and the hinge's do not.

# %%
scores = np.array([-2.0, 0.5, 1.5, 8.0])
pulls = [LOSSES[name].gradient(scores, np.ones(4)) for name in ("hinge", "logistic")]
print("hinge   ", pulls[0], "\nlogistic", pulls[1].round(5))
assert (pulls[0][2:] == 0).all()
assert (pulls[1] < 0).all()
assert hinge(Tensor([8.0]), [1.0]).item() == 0 < logistic(Tensor([8.0]), [1.0]).item()

# %% [markdown]
# ## Where it goes wrong
#
# **Separable classes have no best logistic fit**: doubling the weights always helps a little. The
# search never ends, and the honest answer is to say so.

# %%
separable = minimise(
    lambda p: logistic(p[0] * np.array([-1.0, 1.0]), np.array([0.0, 1.0])),
    [0.0],
    GradientDescent(1.0),
    steps=2_000,
    tolerance=1e-6,
)
print(f"weight {separable.points[-1, 0]:.1f} and growing: {separable.verdict}")
assert separable.verdict == "unfinished"
assert (np.diff(separable.points[:, 0]) > 0).all()

# %% [markdown]
# **The softmax overflows** as soon as a score passes 709, if it is written as in the textbook.
# Taking out the largest score first changes nothing but the range.

# %%
big = np.array([[1000.0, 0.0, -1000.0]])
with np.errstate(over="ignore", invalid="ignore"):
    textbook = np.exp(big) / np.exp(big).sum()
ours = cross_entropy(Tensor(big), np.array([2])).item()
print("as in the textbook:", textbook, "| ours:", ours)
assert np.isnan(textbook).any()
assert ours == 2000.0

# %% [markdown]
# **The wrong loss goes flat where it is needed most.** The squared error of a *sigmoid* is not
# convex: at a confident mistake its slope is nearly zero, so nothing is learned from it. The
# logistic loss pulls there with full strength.

# %%
wrong = Tensor([-12.0])
squared_error(sigmoid(wrong), [1.0]).backward()
flat = wrong.grad.item()
wrong.grad = None
logistic(wrong, [1.0]).backward()
print(f"slope at a confident mistake: squared {flat:.1e}, logistic {wrong.grad.item():.3f}")
assert abs(flat) < 1e-4
assert abs(wrong.grad.item()) > 0.99
