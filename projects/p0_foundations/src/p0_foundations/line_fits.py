"""The best line through points by each loss, and by each loss of labels.

A line is slope · x + intercept. Of points (x, y) it is the prediction of y; of labels -1 and 1 it
is the score, whose sign decides. Smooth losses are searched by gradient descent: with x centred and
scaled the losses bend at most by a known L, so a step of 1/L is safe and no step size is guessed.
Losses of straight pieces have their lowest point at a corner, where the line passes through two of
the points (of labels: has a score of exactly -1 or 1 there), so all pairs are tried: exact, and n²
in the number of points. Knows no page. Read before: `losses.py`, `descent.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from p0_foundations.autodiff import Floats, Tensor
from p0_foundations.descent import Verdict, minimise
from p0_foundations.errors import NumbersError
from p0_foundations.losses import absolute_error, hinge, huber, logistic, squared_error
from p0_foundations.optimisers import GradientDescent

FIT_STEPS = 2_000
NEAR = 1e-9
"""Points nearer than this share of the largest x count as standing at the same x."""
LINE_LOSSES = ("squared", "absolute", "huber")
LABEL_LOSSES = ("squared", "logistic", "hinge")


@dataclass(frozen=True)
class LineFit:
    """The line that a loss likes best, its mean loss there, and how it was found.

    `is_settled` is false where there is no best line: labels that a line separates make the
    logistic loss fall for ever as the line gets steeper.
    """

    loss: str
    slope: float
    intercept: float
    mean_loss: float
    n_tried: int
    is_settled: bool


def fit_line(
    points: Sequence[tuple[float, float]], loss: str, *, delta: float = 1.0, is_labels: bool = False
) -> LineFit:
    """Fit a line; `points` are (x, y), y -1 or 1 where they are labels; `delta` is Huber's."""
    x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
    if len(x) < 2 or np.ptp(x) <= _gap(x):
        raise NumbersError("a line needs points at two different x")
    if is_labels and not np.isin(y, (-1.0, 1.0)).all():
        raise NumbersError("labels are -1 or 1, nothing between")
    known = LABEL_LOSSES if is_labels else LINE_LOSSES
    if loss not in known:
        raise NumbersError(f"loss {loss!r} is not for these points; use {', '.join(known)}")
    mean_loss = _mean_loss(loss, y, delta)
    search = _corners if loss in {"absolute", "hinge"} else _descent
    return search(loss, x, y, mean_loss)


def _mean_loss(loss: str, y: Floats, delta: float) -> Callable[[Tensor], Tensor]:
    match loss:
        case "squared":
            return lambda scores: squared_error(scores, y)
        case "absolute":
            return lambda scores: absolute_error(scores, y)
        case "huber":
            return lambda scores: huber(scores, y, delta)
        case "logistic":
            return lambda scores: logistic(scores, (y + 1.0) / 2.0)
        case _:
            return lambda scores: hinge(scores, y)


BENDS = {"squared": 2.0, "huber": 1.0, "logistic": 0.25}
"""The most each smooth loss bends in its score: the L of a line over centred, scaled x."""


def _descent(loss: str, x: Floats, y: Floats, mean_loss: Callable[[Tensor], Tensor]) -> LineFit:
    middle, width = float(x.mean()), float(x.std())
    scaled = (x - middle) / width

    def cost(line: Tensor) -> Tensor:
        return mean_loss(line[0] * scaled + line[1])

    path = minimise(
        cost, [0.0, float(np.median(y))], GradientDescent(1.0 / BENDS[loss]), steps=FIT_STEPS
    )
    slope = float(path.points[-1][0]) / width
    intercept = float(path.points[-1][1]) - slope * middle
    is_settled = path.verdict in {Verdict.CONVERGED, Verdict.STALLED}
    return LineFit(loss, slope, intercept, float(path.losses[-1]), path.n_steps, is_settled)


def _corners(loss: str, x: Floats, y: Floats, mean_loss: Callable[[Tensor], Tensor]) -> LineFit:
    """Try the line through each pair; of equally good ones the flattest, which has most margin."""
    tried = []
    gap = _gap(x)
    for i, j in combinations(range(len(x)), 2):
        if abs(x[i] - x[j]) > gap:
            slope = float((y[j] - y[i]) / (x[j] - x[i]))
            intercept = float(y[i] - slope * x[i])
            cost = mean_loss(Tensor(slope * x + intercept, needs_grad=False)).item()
            tried.append((round(cost, 12), abs(slope), slope, intercept))
    cost, _, slope, intercept = min(tried)
    return LineFit(loss, slope, intercept, cost, len(tried), is_settled=True)


def _gap(x: Floats) -> float:
    return NEAR * max(1.0, float(np.abs(x).max()))
