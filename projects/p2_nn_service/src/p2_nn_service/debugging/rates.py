"""The learning-rate range test: the loss while the rate rises from nothing until all is lost.

Smith (2017), section 3.3: train for some steps, each at a higher rate. Where the loss falls fastest
is a good rate; where it turns is the edge. The recipe's rate is then tried against the suggested
one, from the same weights on the same batches, so that the verdict is of what was seen.
"""

import math
from dataclasses import dataclass

import numpy as np

from p2_nn_service.debugging.allowance import Allowance, CannotTellError
from p2_nn_service.debugging.findings import Finding, Lines, Severity
from p2_nn_service.debugging.practice import at_rate, practise, warm
from p2_nn_service.debugging.subject import Subject

CODE = "learning-rate"
N_STEPS = 100
N_TRIED = 40
LOWEST, HIGHEST = 1e-6, 10.0
SMOOTHING = 0.85
LOST = 2.0
"""The test ends at so many times the best loss."""
HALF, LITTLE = 0.5, 0.1
"""Of what the suggested rate learned: the recipe's learned less."""
FAR = 10.0


@dataclass(frozen=True)
class RangeTest:
    """Losses by rate; where it fell fastest, and where it turned (infinity if never)."""

    rates: list[float]
    losses: list[float]
    smooth: list[float]
    suggested: float
    edge: float


def check_rate(subject: Subject, time: Allowance) -> Finding:
    """Find the range of good rates, and try the recipe's against the one suggested."""
    test = range_test(subject, time)
    rate = subject.recipe.learning_rate
    ours = _learned(subject, rate, time, (0.5, 0.75))
    theirs = _learned(subject, test.suggested, time, (0.75, 1))
    if not theirs > LITTLE * test.losses[0]:
        raise CannotTellError("the loss falls at no rate; mend what the other checks name first")
    severity, verdict, what = _judge(test, rate, ours, theirs)
    places = {"recipe": rate, "suggested": test.suggested}
    places |= {"edge": test.edge} if test.edge < math.inf else {}
    drawn = Lines(
        title="Learning-rate range test", x_title="learning rate", y_title="loss", is_x_log=True,
        x=tuple(test.rates), curves={"loss": tuple(test.losses), "smoothed": tuple(test.smooth)},
        marks=places,
    )  # fmt: skip
    learned = {"learned_at_suggested": theirs} | ({"learned": ours} if ours > -math.inf else {})
    return Finding(
        code=CODE, severity=severity, verdict=verdict, next=what, drawings=(drawn,),
        figures={**places, **learned},
    )  # fmt: skip


def range_test(subject: Subject, time: Allowance) -> RangeTest:
    """Train the fresh network while the rate rises evenly on a logarithmic scale."""
    recipe = subject.recipe.learning_rate
    low, high = min(LOWEST, recipe / FAR), max(HIGHEST, recipe * FAR)
    planned = np.geomspace(low, high, N_STEPS).tolist()
    model = subject.fresh()
    optimiser = at_rate(subject, model, 1.0)
    full = [group["lr"] for group in optimiser.param_groups]
    rates, losses, smooth = list[float](), list[float](), list[float]()
    steps = time.steps(N_STEPS, at_least=N_STEPS, of=(0, 0.5))
    for step in practise(model, subject, subject.batches(), steps, optimiser):
        if not math.isfinite(step.loss):
            break
        before = smooth[-1] if smooth else step.loss
        rates.append(planned[step.number])
        losses.append(step.loss)
        smooth.append(SMOOTHING * before + (1 - SMOOTHING) * step.loss)
        if smooth[-1] > LOST * min(smooth) and step.number > N_STEPS // 10:
            break
        for group, one in zip(optimiser.param_groups, full, strict=True):
            group["lr"] = one * planned[step.number]
    if len(rates) < N_STEPS // 10:
        raise CannotTellError("the loss is no number at the lowest rates; mend that first")
    return _read(rates, losses, smooth)


def _read(rates: list[float], losses: list[float], smooth: list[float]) -> RangeTest:
    """Take the rate of the steepest fall, before the lowest point, as the one to suggest."""
    lowest = int(np.argmin(smooth))
    slopes = np.gradient(np.array(smooth), np.log(rates))
    steepest = int(np.argmin(slopes[: lowest + 1]))
    after = [k for k in range(lowest, len(smooth)) if smooth[k] > smooth[lowest] * (1 + LITTLE)]
    edge = rates[after[0]] if after else math.inf
    return RangeTest(rates, losses, smooth, rates[steepest], edge)


def _learned(subject: Subject, rate: float, time: Allowance, part: tuple[float, float]) -> float:
    """Return by how much the loss fell over a few steps at a rate; minus infinity if it was lost.

    Negative where it rose.
    """
    model, losses = subject.fresh(), list[float]()
    steps = time.steps(N_TRIED, at_least=N_TRIED, of=part)
    optimiser = at_rate(subject, model, rate)
    for step in practise(model, subject, subject.batches(), steps, optimiser):
        losses.append(step.loss)
        warm(step, subject, N_TRIED)
    if not math.isfinite(losses[-1]):
        return -math.inf
    return losses[0] - float(np.mean(losses[-N_TRIED // 5 :]))


def _judge(test: RangeTest, rate: float, ours: float, theirs: float) -> tuple[Severity, str, str]:
    """Return the severity, the verdict and what to do."""
    what = f"Set learning_rate near {test.suggested:.1g}."
    edge = f"the edge is near {test.edge:.1g}" if test.edge < math.inf else "no edge was seen"
    seen = (
        f"in {N_TRIED} steps it takes {_fall(ours)} off the loss, {test.suggested:.1g} takes "
        f"{theirs:.2f}; {edge}."
    )
    if ours >= HALF * theirs:
        return "ok", f"The rate {rate:g} learns: {seen}", ""
    if rate > test.suggested:
        severity: Severity = "problem" if ours < LITTLE * theirs or rate > test.edge else "warning"
        return severity, f"The rate {rate:g} is too high: {seen}", what
    if ours < LITTLE * theirs:
        return "problem", f"The rate {rate:g} is too low: {seen}", what
    if rate < test.suggested / FAR:
        return "warning", f"The rate {rate:g} is low: {seen}", what
    return "ok", f"The rate {rate:g} learns, if slowly at first: {seen}", ""


def _fall(learned: float) -> str:
    return "nothing (it is lost)" if learned == -math.inf else f"{learned:.2f}"
