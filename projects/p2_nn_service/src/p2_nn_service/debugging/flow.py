"""Where gradients reach: every layer's, from the loss back, and what no step moves.

A gradient is multiplied once for each layer it passes (Hochreiter 1991; Glorot and Bengio 2010):
factors below one make it vanish over depth, factors above one explode. What is detached, frozen or
not given to the optimiser does not learn either, whatever its gradient.
"""

import math
from dataclasses import dataclass

import numpy as np
from torch import nn

from p2_nn_service.debugging.allowance import Allowance, CannotTellError
from p2_nn_service.debugging.findings import Bars, Finding
from p2_nn_service.debugging.practice import cross_entropy
from p2_nn_service.debugging.subject import Subject
from p2_nn_service.debugging.tracing import Tracing

CODE = "gradient-flow"
VANISHES, FADES = 1e-5, 1e-3
EXPLODES, GROWS = 1e5, 1e3
"""Gradient of the first layers over that of the last, each relative to its weights."""
MIN_LAYERS = 3
TOO_LONG, FAR_TOO_LONG = 1e2, 1e4
"""The longest gradient over its weights: healthy networks stay near 1."""
_SMALLER = "Draw smaller weights (He et al. 2015), add a norm in each layer, clip gradients."


@dataclass(frozen=True)
class Layer:
    """A module with weights: the norm of its gradient over that of its weights, for one batch.

    None where no gradient arrived at all.
    """

    name: str
    gradient: float | None
    is_frozen: bool


def check_flow(subject: Subject, time: Allowance) -> Finding:
    """Look at each layer's gradient in the fresh network, and at what the optimiser holds."""
    time.told(0)
    model = subject.fresh().train()
    layers = _layers(model, subject)
    for found in (
        _unreached(layers),
        _not_held(model, subject),
        _over_depth(layers),
        _too_long(layers),
    ):
        if found is not None:
            return found
    reached = _reached(layers)
    low, high = min(reached.values()), max(reached.values())
    return Finding(
        code=CODE, severity="ok", drawings=(_drawn(layers),),
        figures={"layers": len(layers), "smallest": low, "largest": high},
        verdict=f"Gradients reach all {len(layers)} layers, the weakest with {low:.1e} of its "
        f"weights, the strongest with {high:.1e}.",
    )  # fmt: skip


def _layers(model: nn.Module, subject: Subject) -> list[Layer]:
    """Return the layers with weights in the order in which they are first used."""
    used: dict[str, None] = {}
    batch = next(subject.batches())
    with Tracing(model, lambda operation, *_: used.setdefault(operation.module)):
        loss = cross_entropy(model, batch)
    if not math.isfinite(loss.item()):
        raise CannotTellError(f"the loss is {loss.item()}; mend that first")
    loss.backward()
    owners = {
        name: [p for p in module.parameters(recurse=False) if p.ndim >= 2]
        for name, module in model.named_modules()
    }
    order = [*used, *(name for name in owners if name not in used)]
    return [_layer(name, owners[name]) for name in order if owners.get(name)]


def _layer(name: str, weights: list[nn.Parameter]) -> Layer:
    is_frozen = not any(one.requires_grad for one in weights)
    norms = [one.grad.float().norm().item() for one in weights if one.grad is not None]
    size = math.hypot(*(one.detach().float().norm().item() for one in weights))
    gradient = math.hypot(*norms) / (size or 1.0) if norms else None
    return Layer(name or "(network)", gradient, is_frozen)


def _unreached(layers: list[Layer]) -> Finding | None:
    cut = [one.name for one in layers if one.gradient is None and not one.is_frozen]
    frozen = [one.name for one in layers if one.is_frozen]
    if cut:
        return Finding(
            code=CODE, severity="problem", drawings=(_drawn(layers),),
            figures={"layers": len(layers), "unreached": len(cut)},
            verdict=f"No gradient reaches {_named(cut)}: what it computes is cut off from the "
            "loss, or is not used.",
            next="Look for detach(), no_grad(), .data, .item() or a conversion to NumPy between "
            "this layer and the loss.",
        )  # fmt: skip
    if frozen:
        return Finding(
            code=CODE, severity="warning", drawings=(_drawn(layers),),
            figures={"layers": len(layers), "frozen": len(frozen)},
            verdict=f"{_named(frozen)} is frozen (requires_grad is False): it keeps its random "
            "weights.",
            next="Fine where the weights came trained; else let it learn.",
        )  # fmt: skip
    return None


def _not_held(model: nn.Module, subject: Subject) -> Finding | None:
    optimiser = subject.make_optimiser(model, subject.recipe)
    held = {id(p) for group in optimiser.param_groups for p in group["params"]}
    left = [n for n, p in model.named_parameters() if p.requires_grad and id(p) not in held]
    if not left:
        return None
    share = sum(model.get_parameter(name).numel() for name in left) / sum(
        p.numel() for p in model.parameters()
    )
    return Finding(
        code=CODE, severity="problem", figures={"not_held": len(left), "share_of_weights": share},
        verdict=f"The optimiser does not hold {_named(left)} ({share:.0%} of all weights): they "
        "stay as they were drawn.",
        next="Give the optimiser model.parameters() after the network is whole; a layer in a plain "
        "list or made later is missed.",
    )  # fmt: skip


def _over_depth(layers: list[Layer]) -> Finding | None:
    reached = list(_reached(layers).values())
    if len(reached) < MIN_LAYERS:
        return None
    n = max(1, len(reached) // 4)
    first, last = float(np.median(reached[:n])), float(np.median(reached[-n:]))
    ratio = first / last if last else 0.0
    figures = {"layers": len(reached), "first_over_last": ratio, "first": first, "last": last}
    said = (
        f"From the last layers to the first the gradient {{}} {len(reached)} layers: from "
        f"{last:.1e} of the weights to {first:.1e}."
    )
    if ratio < FADES:
        return Finding(
            code=CODE, severity="problem" if ratio < VANISHES else "warning", figures=figures,
            drawings=(_drawn(layers),), verdict=said.format("vanishes over"),
            next="Use ReLU or GELU instead of sigmoid or tanh, weights drawn for the bend (He et "
            "al. 2015), a norm in each layer, and residual connections (He et al. 2016).",
        )  # fmt: skip
    if ratio > GROWS:
        return Finding(
            code=CODE, severity="problem" if ratio > EXPLODES else "warning", figures=figures,
            drawings=(_drawn(layers),), verdict=said.format("explodes over"),
            next=_SMALLER,
        )  # fmt: skip
    return None


def _too_long(layers: list[Layer]) -> Finding | None:
    """Complain of gradients that are long everywhere: forward and backward both explode."""
    reached = _reached(layers)
    worst = max(reached, key=reached.__getitem__)
    if reached[worst] < TOO_LONG:
        return None
    return Finding(
        code=CODE, severity="problem" if reached[worst] > FAR_TOO_LONG else "warning",
        figures={"layers": len(layers), "largest": reached[worst]}, drawings=(_drawn(layers),),
        verdict=f"The gradient explodes: in {worst} it is {reached[worst]:.1e} times as long as "
        "the weights.",
        next=_SMALLER,
    )  # fmt: skip


def _reached(layers: list[Layer]) -> dict[str, float]:
    return {one.name: one.gradient for one in layers if one.gradient is not None}


def _named(names: list[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more


def _drawn(layers: list[Layer]) -> Bars:
    return Bars(
        title="Gradient of each layer, from input to output", is_y_log=True,
        y_title="norm of gradient / norm of weights",
        bars={one.name: one.gradient or 0.0 for one in layers},
    )  # fmt: skip
