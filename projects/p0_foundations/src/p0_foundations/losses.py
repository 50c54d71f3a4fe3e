"""What it costs to be wrong: each loss, its gradient written out, and when it is right.

Every loss is an average over rows, a function of tensors that autodiff differentiates; beside it
stands the same gradient in closed form, for reading and for checking. Knows no model. Read next:
`optimisers.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from p0_foundations.autodiff import (
    Floats,
    Tensor,
    absolute,
    log_softmax,
    relu,
    sigmoid,
    softmax,
    softplus,
    where,
)
from p0_foundations.errors import NumbersError, ShapeError

HUBER_DELTA = 1.0


def squared_error(prediction: Tensor, target: ArrayLike) -> Tensor:
    """Mean of (p - t)²; its minimum is the mean of the targets."""
    error = prediction - _like(prediction, target)
    return (error * error).mean()


def squared_error_gradient(prediction: ArrayLike, target: ArrayLike) -> Floats:
    """2 (p - t) / n: the pull grows with the error, so one outlier can outweigh the rest."""
    error = np.subtract(prediction, target, dtype=np.float64)
    return 2.0 * error / error.size


def absolute_error(prediction: Tensor, target: ArrayLike) -> Tensor:
    """Mean of |p - t|; its minimum is the median of the targets."""
    return absolute(prediction - _like(prediction, target)).mean()


def absolute_error_gradient(prediction: ArrayLike, target: ArrayLike) -> Floats:
    """sign(p - t) / n: every row pulls equally, however wrong; 0 where p = t."""
    error = np.subtract(prediction, target, dtype=np.float64)
    return np.sign(error) / error.size


def huber(prediction: Tensor, target: ArrayLike, delta: float = HUBER_DELTA) -> Tensor:
    """Half the squared error up to `delta`, a straight line beyond it (Huber 1964)."""
    size = absolute(prediction - _like(prediction, target))
    return where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta)).mean()


def huber_gradient(prediction: ArrayLike, target: ArrayLike, delta: float = HUBER_DELTA) -> Floats:
    """(p - t) / n, cut off at ± `delta` / n: near rows are averaged, far ones only counted."""
    error = np.subtract(prediction, target, dtype=np.float64)
    return np.clip(error, -delta, delta) / error.size


def logistic(scores: Tensor, labels: ArrayLike) -> Tensor:
    """Minus the log-likelihood of labels 0 and 1, when sigmoid(score) is the probability of 1."""
    y = _labels(scores, labels, (0.0, 1.0))
    return (softplus(scores) - scores * y).mean()


def logistic_gradient(scores: ArrayLike, labels: ArrayLike) -> Floats:
    """(sigmoid(s) - y) / n: the probability given, minus what happened."""
    difference = sigmoid(scores) - np.asarray(labels, dtype=np.float64)
    return difference / difference.size


def cross_entropy(scores: Tensor, classes: ArrayLike) -> Tensor:
    """Minus the log-likelihood of classes 0 to k-1 (n,), when softmax(scores (n, k)) is theirs."""
    chosen = np.asarray(classes)
    if len(scores.shape) != 2 or chosen.shape != scores.shape[:1]:
        raise ShapeError(
            f"cross-entropy: scores {scores.shape}, classes {chosen.shape}; accepted: (n, k), (n,)"
        )
    n, k = scores.shape
    if not np.issubdtype(chosen.dtype, np.integer) or ((chosen < 0) | (chosen >= k)).any():
        raise NumbersError(f"cross-entropy: classes are whole numbers from 0 to {k - 1}")
    return -log_softmax(scores)[np.arange(n), chosen].mean()


def cross_entropy_gradient(scores: ArrayLike, classes: ArrayLike) -> Floats:
    """(softmax(s) - one-hot(class)) / n, row by row."""
    share = softmax(np.asarray(scores)).value.copy()
    share[np.arange(len(share)), np.asarray(classes)] -= 1.0
    return share / len(share)


def hinge(scores: Tensor, labels: ArrayLike) -> Tensor:
    """Mean of max(0, 1 - y s) for labels -1 and 1: no cost beyond a margin of 1."""
    return relu(1.0 - scores * _labels(scores, labels, (-1.0, 1.0))).mean()


def hinge_gradient(scores: ArrayLike, labels: ArrayLike) -> Floats:
    """-y / n for rows inside the margin, 0 for the rest: only the hard rows pull."""
    y = np.asarray(labels, dtype=np.float64)
    return np.where(y * np.asarray(scores) < 1.0, -y, 0.0) / y.size


@dataclass(frozen=True)
class Loss:
    """A loss as a reader meets it: its formula for one row, and when it is right."""

    title: str
    formula: str
    right_when: str
    value: Callable[[Tensor, ArrayLike], Tensor]
    gradient: Callable[[ArrayLike, ArrayLike], Floats]


LOSSES = {
    "squared": Loss(
        "Squared error",
        "(p - t)²",
        "errors are many, small and even (Gaussian noise), and the mean is wanted",
        squared_error,
        squared_error_gradient,
    ),
    "absolute": Loss(
        "Absolute error",
        "|p - t|",
        "some targets are far off and must not rule; the median is wanted",
        absolute_error,
        absolute_error_gradient,
    ),
    "huber": Loss(
        "Huber",
        "½(p - t)² up to δ, then δ(|p - t| - ½δ)",
        "most errors are Gaussian and a few are wild; smooth at 0, unlike the absolute error",
        huber,
        huber_gradient,
    ),
    "logistic": Loss(
        "Logistic",
        "log(1 + exp(s)) - y s, y in {0, 1}",
        "yes or no, and the score should become a probability that can be trusted",
        logistic,
        logistic_gradient,
    ),
    "cross-entropy": Loss(
        "Cross-entropy",
        "-log softmax(s)[class]",
        "one of several classes, with a probability for each",
        cross_entropy,
        cross_entropy_gradient,
    ),
    "hinge": Loss(
        "Hinge",
        "max(0, 1 - y s), y in {-1, 1}",
        "only the side of the boundary matters, and rows far from it should not",
        hinge,
        hinge_gradient,
    ),
}
"""Every loss by the name that a page or a tool gives it."""


def _like(prediction: Tensor, target: ArrayLike) -> Floats:
    """Refuse shapes that would broadcast: (n, 1) against (n,) would compare every row with all."""
    given = np.asarray(target, dtype=np.float64)
    if given.shape != prediction.shape:
        raise ShapeError(
            f"loss: predictions {prediction.shape}, targets {given.shape}; accepted: equal shapes"
        )
    return given


def _labels(scores: Tensor, labels: ArrayLike, accepted: tuple[float, float]) -> Floats:
    given = _like(scores, labels)
    if not np.isin(given, accepted).all():
        raise NumbersError(f"labels are {accepted[0]:g} or {accepted[1]:g}, nothing between")
    return given
