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
# ruff: noqa: B018, D100, D103, ERA001, S101, T201

# %% [markdown]
# # A network, trained
#
# The digits of phase 0, now by the loop that trains everything here. First what a straight line
# through pixels can do, then what a hidden layer adds, then what knowing that pixels lie beside
# each other adds. Then the ways it goes wrong, and how that looks before it costs a night.

# %%
import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from p0_foundations import load_digits
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.debugging.examining import CHECKS, examine
from p2_nn_service.debugging.subject import of_classifier
from p2_nn_service.models.building import build, n_parameters
from p2_nn_service.models.inputs import Task
from p2_nn_service.runs import find_run
from p2_nn_service.settings import Settings
from p2_nn_service.tracking.folder import FolderSink
from p2_nn_service.training.classifying import ClassifierRun, train_classifier
from p2_nn_service.training.recipes import recipe_for

torch.set_num_threads(1)
found = load_digits()
pixels = np.round(255 * found.pixels).astype(np.uint8)[:, None]  # (n, 1, 8, 8)
digits = Dataset("digits", pixels, found.labels.astype(np.int64), tuple("0123456789"))
home = tempfile.TemporaryDirectory()
settings = Settings(data_dir=Path(home.name))
print(f"{len(digits)} digits of shape {digits.shape}")

# %% [markdown]
# ## The first number of every log
#
# Ten classes and no knowledge: the loss is about log 10. Another number at the start is a bug, and
# the cheapest one to find.

# %%
batch = torch.from_numpy(pixels[:256] / 255).float()
labels = torch.from_numpy(digits.labels[:256])
for preset in ("perceptron", "mlp", "cnn-tiny"):
    network = build(preset, Task(digits.shape, 10)).eval()
    first = torch.nn.functional.cross_entropy(network(batch), labels).item()
    print(f"{preset}: {n_parameters(network):,} parameters, first loss {first:.2f}")
    assert abs(first - math.log(10)) < 0.6

# %% [markdown]
# ## From a line to a convolution
#
# The same loop, each with its own recipe, eight passes over nine tenths of the digits. The folder
# of each run keeps what the page draws.


# %%
def train(preset: str, dataset: Dataset = digits, **changes: object) -> ClassifierRun:
    recipe = replace(recipe_for(preset), epochs=8, batch_size=50, precision="fp32", augment=())
    return train_classifier(
        dataset, preset, replace(recipe, **changes), settings=settings, sinks=[FolderSink(settings)]
    )


runs = {preset: train(preset) for preset in ("perceptron", "mlp", "cnn-tiny")}
for preset, run in runs.items():
    accuracy = run.record.metrics["held_out_accuracy"]
    print(f"{preset}: {accuracy:.1%} of held-out digits right, {run.record.train_s:.1f} s")
    assert accuracy > 0.85
assert runs["cnn-tiny"].record.metrics["held_out_accuracy"] > 0.95

# %% [markdown]
# ## The curves
#
# Training and held-out loss by epoch. Where the two part, the network has begun to learn rows
# rather than digits.


# %%
def curve(run: ClassifierRun, name: str) -> list[float]:
    events = find_run(settings.data_dir, run.record.id).events()
    return [event.values[name] for event in events if "held_out_loss" in event.values]


figure = Figure(figsize=(8, 3.5), layout="constrained")
for axes, name in zip(figure.subplots(1, 2), ("loss", "held_out_loss"), strict=True):
    for preset, run in runs.items():
        axes.plot(range(1, 9), curve(run, name), label=preset)
    axes.set(title=name, xlabel="epoch", yscale="log")
    axes.legend()
assert curve(runs["mlp"], "loss")[-1] < 0.5 * curve(runs["mlp"], "loss")[0]
figure

# %% [markdown]
# ## Break it: a rate that is too high
#
# Nothing raises: the loss is a number, and the network has learned next to nothing. Its curve
# tells.

# %%
hasty = train("mlp", learning_rate=3.0, clip_norm=0.0)
losses = curve(hasty, "loss")
print("loss by epoch:", " ".join(f"{loss:.2f}" for loss in losses))
assert losses[0] > 2 * math.log(10), "a first epoch far above knowing nothing"
assert hasty.record.metrics["held_out_accuracy"] < runs["mlp"].record.metrics["held_out_accuracy"]

# %% [markdown]
# `p2-nn-service debug` looks for this and a dozen other faults by itself. Here is one of its checks
# as a function: it tries rates from small to large and says where the edge is.

# %%
ranges = [check for check in CHECKS if check.code == "learning-rate"]
recipes = {"its own rate": recipe_for("mlp"), "3": replace(recipe_for("mlp"), learning_rate=3.0)}
severities = []
for recipe in recipes.values():
    (finding,) = examine(of_classifier(digits, "mlp", recipe), checks=ranges).findings
    severities.append(finding.severity)
    print(f"{finding.severity}: {finding.verdict}")
assert severities[0] == "ok"
assert severities[1] == "problem"

# %% [markdown]
# ## Break it: labels that got out of step
#
# Rows shuffled, labels not. The training loss goes down all the same (a network can learn rows by
# heart), so the training loss proves nothing; the held-out accuracy is chance.

# %%
order = np.random.default_rng(0).permutation(len(digits))
mixed = replace(digits, inputs=digits.inputs[order], fingerprint="")
astray = train("mlp", mixed, epochs=30)
losses = curve(astray, "loss")
print(f"loss {losses[0]:.2f} → {losses[-1]:.2f}", end="; ")
print(f"held-out accuracy {astray.record.metrics['held_out_accuracy']:.1%}")
assert losses[-1] < losses[0] - 0.1
assert astray.record.metrics["held_out_accuracy"] < 0.25

# %% [markdown]
# ## The test that takes a second
#
# Before any long run: can the network learn sixteen examples by heart? One that cannot has a bug,
# not a shortage of data. Here one whose gradient is cut off before its first layer: it still
# learns, by its last layer alone, and only a look at the gradients shows it.

# %%
cut = build("mlp", Task(digits.shape, 10))
whole = build("mlp", Task(digits.shape, 10))


def gradient_sizes(network: torch.nn.Module, features: torch.Tensor) -> dict[str, float]:
    loss = torch.nn.functional.cross_entropy(network.head(features), labels[:16])
    loss.backward()
    return {
        name: 0.0 if p.grad is None else p.grad.norm().item()
        for name, p in network.named_parameters()
        if p.ndim >= 2
    }


sizes = {
    "whole": gradient_sizes(whole, whole.features(batch[:16])),
    "cut": gradient_sizes(cut, cut.features(batch[:16]).detach()),
}
for name, of in sizes.items():
    print(f"{name}: " + ", ".join(f"{layer} {size:.3f}" for layer, size in of.items()))
assert min(sizes["whole"].values()) > 0
assert sum(size == 0 for size in sizes["cut"].values()) == len(sizes["cut"]) - 1
home.cleanup()
