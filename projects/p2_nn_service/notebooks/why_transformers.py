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
# # Why Transformers replaced recurrent networks
#
# Three networks of one size read a text character by character: an RNN, an LSTM, a Transformer.
# What is measured here in seconds, `p2-nn-service why-transformers` measures in minutes, with
# intervals over seeds. What comes out is not that the Transformer wins everywhere.

# %%
import inspect
import typing

import numpy as np
import torch
from matplotlib.figure import Figure
from p2_nn_service.language.kinds import KINDS
from p2_nn_service.language.networks import build_language
from p2_nn_service.language.sampling import continue_text
from p2_nn_service.language.texts import Text
from p2_nn_service.language.training import next_symbol, scoring
from p2_nn_service.language.why.gradients import first_step_norm
from p2_nn_service.language.why.pace import step_seconds
from p2_nn_service.language.why.recall import RecallBatches, recalling, sequences
from p2_nn_service.language.windows import Windows, scored_windows
from p2_nn_service.models.building import n_parameters
from p2_nn_service.training.loop import fit
from p2_nn_service.training.recipe import Recipe

torch.set_num_threads(1)
source = "\n".join(line for line in inspect.getsource(typing).splitlines() if line.isascii())
text = Text.of("typing.py", source)
print(f"{len(text.symbols):,} characters of Python, {len(text.characters)} different")

# %% [markdown]
# ## One size for all
#
# A comparison at different sizes is none. The Transformer's comes first; the others are made as
# wide as its number of parameters allows.

# %%
size = n_parameters(
    build_language("transformer", len(text.characters), context=32, n_wanted=20_000)
)
networks = {
    kind: build_language(kind, len(text.characters), context=32, n_wanted=size) for kind in KINDS
}
for kind, network in networks.items():
    print(f"{kind}: {n_parameters(network):,} parameters, {network.width} wide")
assert all(abs(n_parameters(network) / size - 1) < 0.05 for network in networks.values())

# %% [markdown]
# ## What reaches the first character
#
# How much can training tell the first of n characters about a mistake at the last? In the RNN the
# word goes through the same matrix n times and fades like a power. The LSTM has a way along which
# it fades slowly. The Transformer's way is two layers long, whatever n is.

# %%
lengths = (2, 8, 32)
windows = torch.from_numpy(text.held_out)[torch.arange(16)[:, None] * 40 + torch.arange(33)]
norms = {
    kind: [first_step_norm(network.double(), windows[:, : n + 1]) for n in lengths]
    for kind, network in networks.items()
}
for kind, of in norms.items():
    print(f"{kind}: " + ", ".join(f"{n}: {norm:.1e}" for n, norm in zip(lengths, of, strict=True)))
kept = {kind: of[-1] / of[0] for kind, of in norms.items()}
assert kept["rnn"] < 1e-3 * kept["transformer"]
assert kept["rnn"] < kept["lstm"] < kept["transformer"]

# %% [markdown]
# ## Say again what was shown
#
# Four symbols, sixteen blanks, then four cues at which to say the symbols: an eighth is right by
# chance. The same batches for both. Nobody tells the Transformer where to look: it learns to.


# %%
def recalled(kind: str) -> float:
    network = build_language(kind, 10, context=24, n_wanted=8_000)
    recipe = Recipe(
        epochs=1, learning_rate=3e-3, clip_norm=1.0, precision="fp32", channels_last=False
    )
    fit(network, RecallBatches(16, 180, seed=0), recalling, recipe)
    inputs, shown = sequences(256, 16, torch.Generator().manual_seed(1))
    with torch.no_grad():
        said = network.eval()(inputs)[:, -4:].argmax(-1)
    return (said == shown).double().mean().item()


share = {kind: recalled(kind) for kind in ("rnn", "transformer")}
print(", ".join(f"{kind}: {value:.0%} recalled after 16 steps" for kind, value in share.items()))
assert share["transformer"] > share["rnn"] + 0.3

# %% [markdown]
# ## Bits a character, and the price of a step
#
# Both learn to write Python of a kind. Who is ahead at this size and in these seconds is worth
# measuring rather than knowing: on a processor, where little runs side by side, an LSTM's step is
# the cheaper one. The Transformer's advantage is that its steps *can* be taken at once.

# %%
curves: dict[str, list[tuple[float, float]]] = {}
judge = scoring(scored_windows(text.held_out[:2000], 32), torch.device("cpu"))
for kind in ("lstm", "transformer"):
    network = build_language(kind, len(text.characters), context=32, n_wanted=size)
    networks[kind] = network
    recipe = Recipe(
        epochs=4, batch_size=32, learning_rate=5e-3, schedule="constant", clip_norm=1.0,
        precision="fp32", channels_last=False,
    )  # fmt: skip
    points = curves[kind] = []
    batches = Windows(text.learned, 32, 32, at_most=40)

    def noting(model: torch.nn.Module, points: list = points) -> dict[str, float]:
        found = judge(model)
        points.append((40 * (len(points) + 1), found["held_out_bits"]))
        return found

    fit(network, batches, next_symbol, recipe, evaluate=noting, judged_by="held_out_loss")
    print(f"{kind}: " + " → ".join(f"{bits:.2f}" for _, bits in points) + " bits a character")
    assert points[-1][1] < points[0][1] < np.log2(len(text.characters))

# %%
figure = Figure(figsize=(5, 3), layout="constrained")
axes = figure.subplots()
for kind, points in curves.items():
    axes.plot(*zip(*points, strict=True), "o-", label=kind)
axes.set(xlabel="steps", ylabel="bits for a held-out character")
axes.legend()
figure

# %%
for length in (16, 128):
    taken = {}
    for kind in ("lstm", "transformer"):
        network = build_language(kind, 60, context=128, n_wanted=20_000)
        taken[kind] = min(step_seconds(network, 1024 // length, length) for _ in range(3))
    ratio = taken["lstm"] / taken["transformer"]
    print(f"sequences of {length}: the LSTM takes {ratio:.2f} of the Transformer's time a step")
    assert ratio > 0

# %% [markdown]
# ## What it writes
#
# Four lessons are few. It has found words that are frequent, and where lines break.

# %%
written = "".join(
    continue_text(
        networks["transformer"].eval(), text.characters, "    def ", n_characters=120, seed=1
    )
)
print("    def " + written)
assert set(written) <= set(text.characters)
assert " " in written
