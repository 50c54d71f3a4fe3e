"""How far a step moves the weights, as a share of their size: about a thousandth is healthy.

Karpathy's rule of thumb (CS231n, "Neural Networks Part 3"): the standard deviation of a step over
that of the weights, near 1e-3. Far above it training forgets as fast as it learns; far below it
does not get anywhere. Steps of Muon have a set length and are larger.
"""

import math

import numpy as np
from torch import Tensor, nn

from p2_nn_service.debugging.allowance import Allowance
from p2_nn_service.debugging.findings import Bars, Finding, Histograms
from p2_nn_service.debugging.practice import check_finite, practise, warm
from p2_nn_service.debugging.subject import Subject

CODE = "update-ratio"
N_STEPS = 40
TOO_SMALL, SMALL = 1e-6, 1e-5
LARGE, TOO_LARGE = 0.4, 1.0
"""Of a layer's longest step; of the layers the median, since one that begins at 0 moves far."""
_EDGES = tuple(float(one) for one in np.linspace(-9, 2, 45))


def check_updates(subject: Subject, time: Allowance) -> Finding:
    """Measure the ratio of step to weight of every weight matrix, over a short practice."""
    model = subject.fresh()
    ratios = _ratios(model, subject, time)
    middle = {name: float(np.median(one[len(one) // 2 :])) for name, one in ratios.items()}
    if not middle:
        return Finding(code=CODE, severity="ok", verdict="No weights are moved; nothing to see.")
    low, high = min(middle, key=middle.__getitem__), max(middle, key=middle.__getitem__)
    drawings = (_bars(middle), _histograms(ratios))
    typical = float(np.median(list(middle.values())))
    longest = float(np.median([max(one) for one in ratios.values()]))  # of the layers, the median
    figures = {
        "smallest": middle[low], "median": typical, "largest": middle[high], "longest": longest,
    }  # fmt: skip
    if longest > LARGE:
        return Finding(
            code=CODE, severity="problem" if longest > TOO_LARGE else "warning", figures=figures,
            drawings=drawings,
            verdict=f"Steps move weights by up to {longest:.1g} of their size; about 0.001 is "
            "healthy.",
            next="Lower the learning rate, let it rise over the first steps, or clip gradients.",
        )  # fmt: skip
    if typical < SMALL:
        return Finding(
            code=CODE, severity="problem" if typical < TOO_SMALL else "warning", figures=figures,
            drawings=drawings,
            verdict=f"A step moves weights by {typical:.1g} of their size, those of {low} by "
            f"{middle[low]:.1g}; about 0.001 is healthy.",
            next="Raise the learning rate; if gradients are tiny, see `gradient-flow`.",
        )  # fmt: skip
    return Finding(
        code=CODE, severity="ok", figures=figures, drawings=drawings,
        verdict=f"A step moves weights by {typical:.1g} of their size ({middle[low]:.1g} to "
        f"{middle[high]:.1g} over the layers).",
    )  # fmt: skip


def _ratios(model: nn.Module, subject: Subject, time: Allowance) -> dict[str, list[float]]:
    """Return the ratio of each weight matrix at each step."""
    weights = {n: p for n, p in model.named_parameters() if p.ndim >= 2 and p.requires_grad}
    ratios: dict[str, list[float]] = {name: [] for name in weights}
    before: dict[str, Tensor] = {}
    losses: list[float] = []
    steps = time.steps(N_STEPS, at_least=4)
    for step in practise(model, subject, subject.batches(), steps):
        losses.append(step.loss)
        for name, old in before.items():
            ratios[name].append(_ratio(old, weights[name].detach()))
        before = {name: one.detach().clone() for name, one in weights.items()}
        warm(step, subject, N_STEPS)
    check_finite(losses, "while steps were measured")
    return {name: one for name, one in ratios.items() if one}


def _ratio(before: Tensor, after: Tensor) -> float:
    size = before.float().std(correction=0).item()
    step = (after - before).float().std(correction=0).item()
    return step / size if size else 0.0


def _bars(middle: dict[str, float]) -> Bars:
    return Bars(
        title="Step over weight, median of each layer", y_title="ratio", is_y_log=True, bars=middle
    )


def _histograms(ratios: dict[str, list[float]]) -> Histograms:
    counts = {
        name: np.histogram([math.log10(max(one, 1e-9)) for one in each], _EDGES)[0]
        for name, each in ratios.items()
    }
    return Histograms(
        title="Step over weight at each step", x_title="log10 of the ratio", edges=_EDGES,
        counts={name: tuple(float(n) for n in one) for name, one in counts.items()},
    )  # fmt: skip
