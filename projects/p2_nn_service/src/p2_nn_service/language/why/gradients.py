"""How much of the loss's slope, at the last step, reaches the first character of a sequence.

The size of `d loss(last step) / d input(first step)`, the input being the character's vector: what
training could tell the first step about what came of it. Pascanu et al. (2013) for why it vanishes.
"""

import copy

import torch
from torch import Tensor
from torch.nn import functional

from p2_nn_service.language.kinds import BodyKind
from p2_nn_service.language.networks import LanguageNetwork, build_language
from p2_nn_service.language.texts import Text
from p2_nn_service.language.why.findings import Gradient, Plan
from p2_nn_service.training.chance import generator_of

_N_SEQUENCES = 16


def measure_untrained(text: Text, plan: Plan, kind: BodyKind, seed: int) -> list[Gradient]:
    """Measure a network as its weights were drawn, at every length."""
    longest = max(plan.gradient_lengths)
    network = build_language(
        kind, len(text.characters), context=longest, n_wanted=plan.n_parameters, seed=seed
    )
    return measure(network, text, plan, seed, is_trained=False)


def measure(
    network: LanguageNetwork, text: Text, plan: Plan, seed: int, *, is_trained: bool
) -> list[Gradient]:
    """Measure a network at every length that it can read, on held-out text."""
    exact = copy.deepcopy(network).double()  # what vanishes is smaller than fp32 can be
    return [
        Gradient(
            kind=network.kind,
            seed=seed,
            length=length,
            is_trained=is_trained,
            norm=first_step_norm(exact, _windows(text, length, seed)),
        )
        for length in plan.gradient_lengths
        if length <= network.context
    ]


def first_step_norm(network: LanguageNetwork, windows: Tensor) -> float:
    """Return the mean over windows (n, steps + 1) of the norm at the first step."""
    embedded = network.embedding(windows[:, :-1]).detach().requires_grad_()
    last = network.read(embedded)[:, -1]
    loss = functional.cross_entropy(last, windows[:, -1], reduction="sum")  # each has its own slope
    (slope,) = torch.autograd.grad(loss, embedded)
    return slope[:, 0].norm(dim=-1).mean().item()


def _windows(text: Text, length: int, seed: int) -> Tensor:
    symbols = torch.from_numpy(text.held_out)
    chance = generator_of(seed, length)
    starts = torch.randint(len(symbols) - length, (_N_SEQUENCES, 1), generator=chance)
    return symbols[starts + torch.arange(length + 1)]
