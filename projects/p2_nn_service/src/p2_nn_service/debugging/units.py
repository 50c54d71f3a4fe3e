"""Units that do no work: ReLUs that never fire, and sigmoids and tanhs that stand at their end.

A ReLU below zero for every example passes no gradient and never comes back (Lu et al. 2019); a
saturated sigmoid or tanh passes next to none (Glorot and Bengio 2010). Looked at over held-out
examples, after a short practice, or in the network of a finished run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from p2_nn_service.debugging.allowance import Allowance
from p2_nn_service.debugging.findings import Bars, Finding, Histograms
from p2_nn_service.debugging.practice import practise, warm
from p2_nn_service.debugging.subject import Subject
from p2_nn_service.debugging.tracing import Operation, Tracing

CODE = "units"
N_STEPS = 40
N_EXAMPLES = 2000
NEAR_END = 0.02
"""Share of the range of a sigmoid or tanh that counts as its end."""
ALWAYS = 0.95
"""Share of the examples for which a unit stands at its end, to count as saturated."""
SOME, MANY = 0.4, 0.7
"""Share of a layer's units that do no work."""
_ENDS = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
_FIRING = frozenset({"relu", "threshold", "relu6", "hardtanh"})
N_BINS = 40


@dataclass(frozen=True)
class Idle:
    """What a layer's units do: the share that does no work, and all values of a sample."""

    layer: str
    what: str
    share: float
    n_units: int
    values: Tensor


def check_units(subject: Subject, time: Allowance) -> Finding:
    """Count units that never fire or always stand at their end, layer by layer."""
    layers = _watched(subject, _network(subject, time))
    if not layers:
        return Finding(
            code=CODE, severity="ok",
            verdict="The network has no ReLU, sigmoid or tanh of its own to look at.",
        )  # fmt: skip
    worst = max(layers, key=lambda one: one.share)
    figures = {one.layer: one.share for one in layers}
    drawings = (_bars(layers), _histograms(layers))
    if worst.share < SOME:
        return Finding(
            code=CODE, severity="ok", figures=figures, drawings=drawings,
            verdict=f"Units do their work in all {len(layers)} layers with a bend; at worst "
            f"{worst.share:.0%} {worst.what} in {worst.layer}.",
        )  # fmt: skip
    return Finding(
        code=CODE, severity="problem" if worst.share >= MANY else "warning", figures=figures,
        drawings=drawings,
        verdict=f"{worst.share:.0%} of the {worst.n_units} units in {worst.layer} {worst.what}.",
        next="A lower learning rate, biases that begin at 0, weights drawn for the bend (He et al. "
        "2015), a norm before it, or a bend that is never flat (leaky ReLU, GELU).",
    )  # fmt: skip


def _network(subject: Subject, time: Allowance) -> nn.Module:
    if subject.trained is not None:
        return subject.trained
    model = subject.fresh()
    for step in practise(model, subject, subject.batches(), time.steps(N_STEPS)):
        warm(step, subject, N_STEPS)
    return model


def _watched(subject: Subject, model: nn.Module) -> list[Idle]:
    found: dict[str, Idle] = {}

    def seen(operation: Operation, _: Sequence[Tensor], made: Sequence[Tensor]) -> None:
        name = operation.name.rstrip("_")
        if name not in _FIRING and name not in _ENDS:
            return
        layer = operation.module or name
        if layer in found:
            layer = f"{layer} ({sum(one.startswith(layer) for one in found) + 1})"
        n_dims = made[0].dim()
        is_filters = n_dims == 4 or (n_dims == 3 and subject.training.kind == "series")
        found[layer] = _idle(layer, name, made[0].detach(), is_filters=is_filters)

    model.eval()
    x, _ = subject.sample(subject.held_out, N_EXAMPLES)
    with torch.no_grad(), Tracing(model, seen):
        model(x)
    return list(found.values())


def _idle(layer: str, name: str, out: Tensor, *, is_filters: bool) -> Idle:
    """Look at one layer's output: (n, units, ...) of filters, else (n, ..., units)."""
    by_unit = out.movedim(1, -1) if is_filters else out
    by_unit = by_unit.reshape(-1, by_unit.shape[-1]).float()  # (n places, units)
    values = by_unit.flatten()[:: max(1, by_unit.numel() // 50_000)].cpu()
    if name in _FIRING:
        share = (by_unit <= 0).all(0).double().mean().item()
        return Idle(layer, "never fire", share, by_unit.shape[1], values)
    low, high = _ENDS[name]
    near = NEAR_END * (high - low)
    at_end = ((by_unit < low + near) | (by_unit > high - near)).double().mean(0)
    share = (at_end >= ALWAYS).double().mean().item()
    return Idle(layer, "are saturated", share, by_unit.shape[1], values)


def _bars(layers: Sequence[Idle]) -> Bars:
    return Bars(
        title="Units that do no work", y_title="share of the layer",
        bars={one.layer: one.share for one in layers},
    )  # fmt: skip


def _histograms(layers: Sequence[Idle]) -> Histograms:
    low = min(one.values.min().item() for one in layers)
    high = max(one.values.max().item() for one in layers)
    high = high if high > low else low + 1.0
    edges = torch.linspace(low, high, N_BINS + 1)
    return Histograms(
        title="Activations on held-out examples", x_title="value", edges=tuple(edges.tolist()),
        counts={
            one.layer: tuple(torch.histc(one.values, N_BINS, low, high).tolist()) for one in layers
        },
    )  # fmt: skip
