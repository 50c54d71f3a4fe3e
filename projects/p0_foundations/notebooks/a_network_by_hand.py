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
# # A network that learns nothing, perfectly
#
# All hidden units start alike: harmless, fair, and fatal. The loss even goes down. But each unit
# stays a copy of every other for ever, so thirty-two of them are one. First a network that works,
# by our own autodiff, on real digits; then the ways to break it.

# %%
import numpy as np
from p0_foundations import (
    Adam,
    GradientDescent,
    Images,
    Momentum,
    Network,
    NetworkError,
    Tensor,
    cross_entropy,
    eigen_images_picture,
    load_digits,
    train,
    train_frames,
)

digits = load_digits()
learned, held_out = digits.flat.split(0.8)
network = Network((64, 32, 10))
trained = train(network, learned, Adam(0.01), epochs=15)
accuracy = network.accuracy(trained, held_out)
print(f"{network.n_parameters:,} parameters, {accuracy:.1%} of held-out digits right")
assert accuracy > 0.95

# %% [markdown]
# ## Check the gradient before you believe it
#
# A wrong gradient often still descends, only worse. The check costs ten lines: along a random
# direction, the slope must equal the difference quotient.

# %%
rng = np.random.default_rng(0)
at = network.initial(0)
rows, labels = learned.rows[:64], learned.labels[:64]


def loss_at(parameters: np.ndarray) -> float:
    return cross_entropy(network.scores(Tensor(parameters), rows), labels).item()


point = Tensor(at)
cross_entropy(network.scores(point, rows), labels).backward()
for _ in range(3):
    direction = rng.normal(size=at.size)
    quotient = (loss_at(at + 1e-6 * direction) - loss_at(at - 1e-6 * direction)) / 2e-6
    slope = float(point.grad @ direction)
    print(f"slope {slope:+.8f}, quotient {quotient:+.8f}")
    assert abs(slope - quotient) < 1e-6 * max(1.0, abs(slope))

# %% [markdown]
# The loss of an untrained network is no mystery either: ten classes, none preferred, log 10.

# %%
print(f"first loss {loss_at(at):.2f}, log 10 = {np.log(10):.2f}")
assert abs(loss_at(np.zeros_like(at)) - np.log(10)) < 1e-12
assert abs(loss_at(at) - np.log(10)) < 0.5

# %% [markdown]
# ## Break it: equal weights
#
# Units that start alike see the same and are told the same. After 200 steps the columns of the
# first layer are still one column, thirty-two times. Zeros are the worst case: then the first layer
# gets no slope at all. Random weights are there to break the tie, and for nothing else.

# %%
twins = at.copy()
first = 64 * 32
twins[:first] = np.repeat(rng.normal(size=(64, 1)) / 8, 32, axis=1).ravel()
twins[first + 32 : first + 32 + 320] = np.tile(rng.normal(size=10) / 8, 32)
before = loss_at(twins)
for _ in range(200):
    here = Tensor(twins)
    cross_entropy(network.scores(here, rows), labels).backward()
    twins -= 0.5 * here.grad
columns = twins[:first].reshape(64, 32)
print(f"loss {before:.2f} → {loss_at(twins):.2f}; spread {np.ptp(columns, axis=1).max():.1e}")
assert loss_at(twins) < before
assert np.ptp(columns, axis=1).max() < 1e-9

# %% [markdown]
# ## Break it: steps too large
#
# The library stops at the step that left the page and says which it was.

# %%
try:
    train(Network((64, 32, 10), "relu"), learned, GradientDescent(1_000.0), epochs=3)
except NetworkError as stopped:
    print(stopped)
else:
    raise AssertionError("a step of a thousand trained")

# %% [markdown]
# ## Break it: sigmoids, stacked
#
# A sigmoid's slope is at most ¼. The slopes of six layers shrink the signal that reaches the first
# to less than a four-thousandth: it does learn, in geological time. The same depth with
# tanh, whose slope is 1 at 0, passes the signal on.


# %%
def first_layer_slope(activation: str, n_layers: int) -> float:
    deep = Network((64, *[32] * n_layers, 10), activation)
    here = Tensor(deep.initial(0))
    cross_entropy(deep.scores(here, rows), labels).backward()
    return float(np.linalg.norm(here.grad[: 64 * 32]))


for depth in (1, 3, 6):
    slopes = [first_layer_slope(name, depth) for name in ("tanh", "sigmoid")]
    print(f"{depth} layers: tanh {slopes[0]:.1e}, sigmoid {slopes[1]:.1e}")
assert first_layer_slope("sigmoid", 6) < 1e-3 * first_layer_slope("tanh", 6)

# %% [markdown]
# ## Break it: labels that mean nothing
#
# Shuffle the labels and train on: a large network learns them by heart. It fits the training rows
# and knows nothing: on held-out digits it is at chance. A training loss is no evidence.

# %%
nonsense = type(learned)(learned.rows[:200], rng.permutation(learned.labels[:200]))
large = Network((64, 128, 10))
by_heart = train(large, nonsense, Adam(0.01), epochs=150)
print(f"nonsense learned {large.accuracy(by_heart, nonsense):.0%}", end=", ")
print(f"held-out {large.accuracy(by_heart, held_out):.0%}")
assert large.accuracy(by_heart, nonsense) > 0.95
assert large.accuracy(by_heart, held_out) < 0.25

# %% [markdown]
# ## What it looks at
#
# The principal directions of the first layer's weights, as pictures: strokes and gaps, not digits.
# Training also can be watched frame by frame; this is what the page's playground streams.

# %%
weights = trained[:first].reshape(64, 32).T.reshape(-1, 8, 8)
frames = train_frames(network, learned, Momentum(0.05), grid=0, steps_per_frame=45)
losses = [next(frames).loss for _ in range(6)]
print("loss, frame by frame:", np.round(losses, 3))
assert losses[-1] < 0.3 * losses[0]
eigen_images_picture(Images(weights, np.arange(32)))
