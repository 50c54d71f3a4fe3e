"""One batch learned by heart: what cannot do this cannot learn anything (Karpathy 2019).

The recipe's own optimiser goes first. Where it fails, a reference optimiser over all parameters
tries, so that the verdict tells a fault of the recipe from a fault of the network.
"""

from itertools import repeat

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from p2_nn_service.debugging.allowance import Allowance
from p2_nn_service.debugging.findings import Finding, Lines
from p2_nn_service.debugging.practice import check_finite, practise, reference_optimiser, right
from p2_nn_service.debugging.subject import Subject
from p2_nn_service.training.loop import Batch

CODE = "overfit-a-batch"
N_EXAMPLES = 24
N_STEPS = 300
BY_HEART = 0.05
"""Nats; a network that is right and sure has less."""
RATES = (3e-3, 3e-4)


def check_overfitting(subject: Subject, time: Allowance) -> Finding:
    """Train on one small batch until it is known by heart."""
    batch = _distinct_batch(subject)
    model = _without_chance(subject.fresh())
    losses = _learn(model, subject, batch, subject.make_optimiser(model, subject.recipe), time)
    if _is_known(losses):
        return Finding(
            code=CODE, severity="ok", figures=_figures(losses), drawings=(_drawn(losses),),
            verdict=f"{N_EXAMPLES} examples were learned by heart in {len(losses)} steps.",
        )  # fmt: skip
    tried: list[float] = []
    for rate in RATES:
        other = _without_chance(subject.fresh())
        tried = _learn(other, subject, batch, reference_optimiser(other, rate), time)
        if _is_known(tried):
            return _recipe_at_fault(losses, tried, rate)
    check_finite(losses, "while it learned a batch by heart")
    n_right = right(model, batch)
    return Finding(
        code=CODE, severity="problem", figures=_figures(losses), drawings=(_drawn(losses, tried),),
        verdict=f"{N_EXAMPLES} examples could not be learned by heart in {len(losses)} steps: the "
        f"loss went from {losses[0]:.2f} to {losses[-1]:.2f}, {n_right} are answered rightly.",
        next="The fault is in the network or its inputs: look for a layer that gets no gradient, "
        "an output that is cut off (a bend after the last layer), labels in another order.",
    )  # fmt: skip


def _learn(
    model: nn.Module, subject: Subject, batch: Batch, optimiser: Optimizer, time: Allowance
) -> list[float]:
    losses: list[float] = []
    steps = time.steps(N_STEPS, at_least=N_STEPS // 3)
    for step in practise(model, subject, repeat(batch), steps, optimiser):
        losses.append(step.loss)
        if _is_known(losses):
            break
    return losses


def _is_known(losses: list[float]) -> bool:
    return len(losses) >= 3 and max(losses[-3:]) < BY_HEART


def _recipe_at_fault(losses: list[float], tried: list[float], rate: float) -> Finding:
    last = f"{losses[-1]:.2f}" if losses else "no number"
    return Finding(
        code=CODE, severity="problem", figures=_figures(losses), drawings=(_drawn(losses, tried),),
        verdict=f"The recipe's optimiser could not learn {N_EXAMPLES} examples by heart in "
        f"{len(losses)} steps (loss {last}); AdamW over all parameters at {rate:g} did in "
        f"{len(tried)}.",
        next="The network can learn, the optimiser does not let it: check its rate against "
        "`learning-rate`, and that it holds every parameter (`gradient-flow`).",
    )  # fmt: skip


def _distinct_batch(subject: Subject) -> Batch:
    """Take examples of every class, no two alike: what is the same cannot be told apart."""
    x, labels = subject.sample(subject.training, 20 * N_EXAMPLES)
    _, first = np.unique(x.cpu().flatten(1).numpy(), axis=0, return_index=True)
    rank = np.zeros(len(labels), dtype=np.int64)
    own = labels.cpu().numpy()
    for k in range(subject.n_classes):  # the first of each class, then the second, ...
        rank[own == k] = np.arange((own == k).sum())
    order = sorted(first.tolist(), key=lambda row: (rank[row], row))[:N_EXAMPLES]
    rows = torch.tensor(order, device=x.device)
    return x[rows], labels[rows]


def _without_chance(model: nn.Module) -> nn.Module:
    """Turn dropout off: learning by heart is what it is there to prevent."""
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):  # noqa: SLF001 - the family's root
            module.p = 0.0
        elif isinstance(module, nn.RNNBase):
            module.dropout = 0.0
    return model


def _figures(losses: list[float]) -> dict[str, float]:
    ends = {"first_loss": losses[0], "last_loss": losses[-1]} if losses else {}
    return {"steps": len(losses), **ends}


def _drawn(losses: list[float], reference: list[float] | None = None) -> Lines:
    n = max(len(losses), len(reference or ()))
    curves = {"recipe": losses} | ({"AdamW": reference} if reference else {})
    return Lines(
        title="One batch by heart", x_title="step", y_title="loss", is_y_log=True,
        x=tuple(map(float, range(n))),
        curves={name: tuple(one) for name, one in curves.items()},
    )  # fmt: skip
