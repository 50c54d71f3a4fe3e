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
# ruff: noqa: B018, D100, D101, D102, D103, ERA001, S101, S311, SIM905, T201

# %% [markdown]
# # Adapters, compared
#
# One small thing is taught to the same encoder in five ways: a head on the frozen encoder, LoRA of
# rank 1, 4 and 16, and every weight. What does each learn, and what does it cost? It takes seconds
# and tells the ways apart; how well an adapter reads real text is in the reader's card.

# %%
import tempfile
import time
import warnings
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from matplotlib.figure import Figure
from p3_rag_chatbot.embedding.lora import Adapter
from p3_rag_chatbot.embedding.minilm import find_minilm
from p3_rag_chatbot.training.reader_network import base_encoder
from peft import LoraConfig, get_peft_model
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

torch.set_num_threads(1)
files = find_minilm(Path(tempfile.mkdtemp()))
tokenizer = Tokenizer.from_file(str(files.tokenizer))
tokenizer.no_truncation()
tokenizer.no_padding()

# %% [markdown]
# ## Who did it to whom?
#
# In each sentence the bank does something to another, or has it done to it. Each pair below has the
# same words in another order: who counts words is right half of the time, whatever the weights.
# Held-out sentences have other verbs and other partners, so that nothing can be known by heart.

# %%
FORMS = (
    ("the bank {verb} the {other}.", 1), ("the {other} {verb} the bank.", 0),
    ("the {other} was {verb} by the bank.", 1), ("the bank was {verb} by the {other}.", 0),
    ("it was the bank that {verb} the {other}.", 1),
    ("it was the bank that the {other} {verb}.", 0),
    ("it was the {other} that the bank {verb}.", 1),
    ("it was the {other} that {verb} the bank.", 0),
)  # fmt: skip
LEARNED = (
    "paid called helped warned sued thanked trusted praised visited blamed".split(),
    "shop clinic hotel school bakery museum theatre library farm garage".split(),
)
UNSEEN = ("hired joined punished insured".split(), "harbour brewery airport cinema".split())


@dataclass(frozen=True)
class Sentences:
    texts: list[str]
    ids: Tensor
    mask: Tensor
    labels: Tensor

    @classmethod
    def made(cls, words: tuple[list[str], list[str]], n: int, seed: int) -> "Sentences":
        chance = Random(seed)
        forms = [FORMS[k % len(FORMS)] for k in range(n)]
        texts = [
            form.format(verb=chance.choice(words[0]), other=chance.choice(words[1]))
            for form, _ in forms
        ]
        rows = [torch.tensor(one.ids) for one in tokenizer.encode_batch(texts)]
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        return cls(texts, ids, (ids > 0).long(), torch.tensor([label for _, label in forms]))


train, held_out = Sentences.made(LEARNED, 512, seed=0), Sentences.made(UNSEEN, 192, seed=1)
for text, label in zip(held_out.texts[:8], held_out.labels[:8].tolist(), strict=True):
    print(f"{label}  {text}")
words = [sorted(form.strip(".").split()) for form, _ in FORMS]
assert all(one == other for one, other in zip(words[::2], words[1::2], strict=True))

# %% [markdown]
# ## LoRA, by hand
#
# W (out, in) stays as it is. Beside it are B (out, r) and A (r, in), and the layer computes
# W·x + s·B·(A·x) (Hu et al. 2021, section 4.1). B begins at zero: before the first step the network
# is the one that it was. To be trained are r · (out + in) numbers instead of out · in.


# %%
class Lora(nn.Module):
    def __init__(self, base: nn.Linear, rank: int, scale: float = 1.0) -> None:
        super().__init__()
        self.base, self.scale = base, scale
        self.a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.scale * (x @ self.a.T @ self.b.T)


class Network(nn.Module):
    """The encoder's first layers, the mean of what they say of each token, and a head."""

    def __init__(self, n_layers: int = 2) -> None:
        super().__init__()
        self.encoder = base_encoder(files.tensors.parent)
        self.encoder.encoder.layer = self.encoder.encoder.layer[:n_layers]
        self.head = nn.Linear(384, 2)

    def pooled(self, one: Sentences) -> Tensor:
        states = self.encoder(input_ids=one.ids, attention_mask=one.mask).last_hidden_state
        mask = one.mask.unsqueeze(-1)
        return (states * mask).sum(1) / mask.sum(1)

    def forward(self, one: Sentences) -> Tensor:
        return self.head(self.pooled(one))


def with_lora(encoder: nn.Module, rank: int) -> None:
    places = [(name, one) for name, one in encoder.named_modules() if isinstance(one, nn.Linear)]
    for name, linear in places:
        parent, _, own = name.rpartition(".")
        setattr(encoder.get_submodule(parent), own, Lora(linear, rank))


def network_for(way: str) -> Network:
    torch.manual_seed(0)
    network = Network()
    if way != "all":
        network.encoder.requires_grad_(requires_grad=False)
    if way.startswith("LoRA"):
        with_lora(network.encoder, int(way.rsplit(maxsplit=1)[-1]))
    return network.eval()


with torch.no_grad():
    same = [network_for(way)(held_out) for way in ("all", "LoRA, rank 4")]
assert torch.equal(*same)

# %% [markdown]
# ## Is it in there already?
#
# First the cheapest way, done as well as it can be: a logistic regression on what the frozen
# encoder says, run until it converges, for the first two layers and for all six. The mean of the
# sixth is the vector that the service searches with. It can hardly tell who paid whom: to a search,
# two sentences that say opposite things with the same words are one.

# %%
frozen = {}
for n_layers in (2, 6):
    encoder = Network(n_layers).eval()
    with torch.no_grad():
        known, asked = (encoder.pooled(one).numpy() for one in (train, held_out))
    model = LogisticRegression(max_iter=5000).fit(known, train.labels)
    frozen[n_layers] = model.score(asked, held_out.labels)
    print(f"{n_layers} layers, frozen: {frozen[n_layers]:.0%} of unseen sentences right")

opposite = Sentences.made((["sued"], ["harbour"]), 2, seed=0)
with torch.no_grad():
    pair = functional.normalize(encoder.pooled(opposite))
cosine = (pair[0] @ pair[1]).item()
print(f"cosine {cosine:.2f}: {' '.join(opposite.texts)}")
assert max(frozen.values()) < 0.75
assert cosine > 0.9

# %% [markdown]
# ## Five ways to learn
#
# The same 100 batches for all. A small change may be learned faster, so each way has a learning
# rate of its own, the best of the few that were tried for this page.

# %%
RATES = {
    "head alone": 1e-2,
    "LoRA, rank 1": 5e-3, "LoRA, rank 4": 4e-3, "LoRA, rank 16": 2e-3,
    "all": 3e-4,
}  # fmt: skip
N_STEPS, EVERY = 100, 20


@dataclass
class Learned:
    network: Network
    n_trained: int
    accuracy: list[float]
    step_ms: float
    optimiser_bytes: int


def accuracy(network: Network) -> float:
    with torch.no_grad():
        return (network(held_out).argmax(1) == held_out.labels).double().mean().item()


def taught(way: str, rate: float) -> Learned:
    network = network_for(way)
    trained = [one for one in network.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(trained, weight_decay=0.0)
    draw, points, times = torch.Generator().manual_seed(0), [accuracy(network)], []
    for step in range(N_STEPS):
        began = time.process_time()
        for group in optimiser.param_groups:
            group["lr"] = rate * min((step + 1) / 10, 1) * max(0.1, 1 - step / N_STEPS)
        rows = torch.randint(0, len(train.ids), (32,), generator=draw)
        batch = Sentences([], train.ids[rows], train.mask[rows], train.labels[rows])
        loss = functional.cross_entropy(network(batch), batch.labels)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        times.append(time.process_time() - began)
        if (step + 1) % EVERY == 0:
            points.append(accuracy(network))
    kept = sum(tensor.nbytes for state in optimiser.state.values() for tensor in state.values())
    n_trained = sum(one.numel() for one in trained)
    return Learned(network, n_trained, points, 1e3 * float(np.median(times)), kept)


ways = {way: taught(way, rate) for way, rate in RATES.items()}
print("way             right   trained numbers   file   optimiser   a step")
for way, one in ways.items():
    print(
        f"{way:14} {one.accuracy[-1]:6.0%} {one.n_trained:17,} {4 * one.n_trained / 1e6:5.1f} MB"
        f" {one.optimiser_bytes / 1e6:8.1f} MB {one.step_ms:5.0f} ms"
    )

right = {way: one.accuracy[-1] for way, one in ways.items()}
adapted = [value for way, value in right.items() if way.startswith("LoRA")]
assert right["head alone"] < 0.7
assert min(adapted) > right["head alone"] + 0.15
assert max(adapted) > right["all"] - 0.1
assert ways["LoRA, rank 16"].n_trained < 0.02 * ways["all"].n_trained
assert ways["LoRA, rank 16"].optimiser_bytes < 0.02 * ways["all"].optimiser_bytes

# %% [markdown]
# A thousandth of the numbers, at rank 1, learns what the whole network learns: the task is narrow,
# and rank is no dial for quality here. What an adapter saves is the optimiser's memory and the
# file; a step is cheaper by what is not updated, while both passes still go through every layer.
# And 192 sentences tell a half from nine tenths, not 93 % from 98 %: with other seeds the order of
# the ranks, and of whole and adapted, is another one.

# %%
figure = Figure(figsize=(8, 3), layout="constrained")
over_steps, over_numbers = figure.subplots(1, 2, sharey=True)
for way, one in ways.items():
    over_steps.plot(np.arange(len(one.accuracy)) * EVERY, one.accuracy, label=way)
    over_numbers.semilogx(one.n_trained, one.accuracy[-1], "o")
    over_numbers.annotate(
        way, (one.n_trained, one.accuracy[-1]), (0, -14), textcoords="offset points",
        ha="center", fontsize=7,
    )  # fmt: skip
over_steps.set(xlabel="steps", ylabel="right on unseen sentences", ylim=(0.4, 1.02))
over_steps.legend(fontsize=7)
over_numbers.set(xlabel="trained numbers")
figure

# %% [markdown]
# ## How many directions does the whole network change?
#
# LoRA bets that the change may be of low rank. Here the bet can be looked at: full training changed
# each matrix by some D, and the r largest directions of D (Eckart and Young 1936) are the best
# adapter of rank r for it. What is left of the accuracy with those alone, not trained further?

# %%
before, whole = network_for("all"), ways["all"].network


def cut_to(rank: int | None) -> tuple[float, float]:
    """Return the accuracy, and the share of the squared change of all matrices that is kept."""
    network, kept, all_of_it = deepcopy(whole), 0.0, 0.0
    for name, linear in network.encoder.named_modules():
        if isinstance(linear, nn.Linear):
            start = before.encoder.get_submodule(name).weight.detach()
            u, sizes, v = torch.linalg.svd(linear.weight.detach() - start, full_matrices=False)
            linear.weight.data = start + (u[:, :rank] * sizes[:rank]) @ v[:rank]
            kept += sizes[:rank].square().sum().item()
            all_of_it += sizes.square().sum().item()
    return accuracy(network), kept / all_of_it


cuts = {rank: cut_to(rank) for rank in (0, 1, 2, 4, 16, 64)}
for rank, (value, share) in cuts.items():
    print(f"rank {rank:2}: {value:.0%} right with {share:.0%} of the change of the matrices")
assert cuts[0][0] < cuts[64][0] - 0.15
assert cuts[16][0] > right["all"] - 0.1
assert cuts[1][1] < cuts[4][1] < cuts[16][1] < 0.98

# %% [markdown]
# The change is spread over many directions, as its share says, and a few of them carry what was
# learned: the rest is what 100 noisy steps leave behind.

# %%
figure = Figure(figsize=(5, 3), layout="constrained")
axes = figure.subplots()
ranks = [str(rank) for rank in cuts]
axes.plot(ranks, [value for value, _ in cuts.values()], "o-", label="right on unseen sentences")
axes.plot(ranks, [share for _, share in cuts.values()], "s--", label="share of the change kept")
axes.set(xlabel="rank that full training's change is cut to", ylim=(0, 1.02))
axes.legend(fontsize=7)
figure

# %% [markdown]
# ## Merged, it costs nothing to run
#
# The adapter of rank 4 in three forms: beside the weights as it was trained; in peft, the library
# that trains the reader; merged into the weights by the code that loads the reader's adapter. All
# answer alike, and the merged network has no layer more than the one that it was.

# %%
ours = ways["LoRA, rank 4"].network
factors = {
    f"base_model.model.{name}.lora_{factor}.weight": getattr(one, factor.lower()).detach()
    for name, one in ours.encoder.named_modules()
    if isinstance(one, Lora)
    for factor in "AB"
}

theirs = Network().eval()
config = LoraConfig(r=4, lora_alpha=4, target_modules=["query", "key", "value", "dense"])
with warnings.catch_warnings():  # peft asks transformers by a name that is going away
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
    theirs.encoder = get_peft_model(theirs.encoder, config).eval()
placed = {name.replace(".weight", ".default.weight"): one for name, one in factors.items()}
unplaced = theirs.encoder.load_state_dict(placed, strict=False).unexpected_keys

merged = Network().eval()
adapter = Adapter.of({name: one.numpy() for name, one in factors.items()}, scale=1.0)
plain = {name: one.numpy() for name, one in merged.encoder.state_dict().items()}
merged.encoder.load_state_dict(
    {name: torch.from_numpy(one) for name, one in adapter.merged_into(plain).items()}
)

for network in (theirs, merged):
    network.head = ours.head
with torch.no_grad():
    answers = [network.double()(held_out) for network in (ours, theirs, merged)]
print(f"largest difference to peft {(answers[0] - answers[1]).abs().max():.0e}, ", end="")
print(f"to the merged weights {(answers[0] - answers[2]).abs().max():.0e}")
assert not unplaced
assert torch.allclose(answers[0], answers[1], atol=1e-5)
assert torch.allclose(answers[0], answers[2], atol=1e-5)
