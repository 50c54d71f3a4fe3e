"""Losses: closed forms against autodiff, what they minimise, and the labels they refuse."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from p0_foundations import (
    LOSSES,
    Adam,
    NumbersError,
    ShapeError,
    Tensor,
    absolute_error,
    cross_entropy,
    hinge,
    huber,
    logistic,
    minimise,
    squared_error,
)
from scipy import special

SKEWED = np.array([0.0, 0.2, 0.5, 0.9, 40.0])


def case(name: str, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random predictions and targets of a loss's kind."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=n) * 3
    targets = {
        "logistic": rng.integers(0, 2, n).astype(float),
        "hinge": rng.choice([-1.0, 1.0], n),
        "cross-entropy": rng.integers(0, 4, n),
    }
    if name == "cross-entropy":
        scores = rng.normal(size=(n, 4)) * 3
    return scores, targets.get(name, rng.normal(size=n))


@pytest.mark.parametrize("name", LOSSES)
@settings(deadline=None)
@given(n=st.integers(1, 12), seed=st.integers(0, 10**6))
def test_the_closed_form_of_a_gradient_is_what_autodiff_finds(name: str, n: int, seed: int):
    predictions, targets = case(name, n, seed)
    tensor = Tensor(predictions)
    LOSSES[name].value(tensor, targets).backward()
    closed = LOSSES[name].gradient(predictions, targets)
    np.testing.assert_allclose(tensor.grad, closed, rtol=1e-10, atol=1e-12)


@pytest.mark.criterion("p0.loss")
def test_losses_are_the_likelihoods_that_scipy_has() -> None:
    scores, labels = case("logistic", 9, 1)
    expected = -np.mean(
        labels * special.log_expit(scores) + (1 - labels) * special.log_expit(-scores)
    )
    assert logistic(Tensor(scores), labels).item() == pytest.approx(expected)
    scores, classes = case("cross-entropy", 9, 1)
    expected = -special.log_softmax(scores, axis=1)[range(9), classes].mean()
    assert cross_entropy(Tensor(scores), classes).item() == pytest.approx(expected)
    assert huber(Tensor([0.5, 3.0]), [0.0, 0.0], 2.0).item() == pytest.approx(
        special.huber(2.0, np.array([0.5, 3.0])).mean()
    )
    assert hinge(Tensor([0.5, 3.0]), [1.0, -1.0]).item() == pytest.approx((0.5 + 4.0) / 2)


@pytest.mark.criterion("p0.loss")
@pytest.mark.parametrize(
    ("loss", "expected", "within"),
    [
        (squared_error, SKEWED.mean(), 0.01),
        (absolute_error, np.median(SKEWED), 0.05),
        (huber, np.mean([0.0, 0.2, 0.5, 0.9, 1.4]), 0.05),  # the outlier pulls like an error of 1
    ],
)
def test_one_outlier_moves_the_mean_far_the_median_not_and_hubers_place_a_little(
    loss: Callable, expected: float, within: float
) -> None:
    path = minimise(
        lambda p: loss(p[0] + Tensor(np.zeros(5)), SKEWED), [3.0], Adam(0.02), steps=5000
    )
    assert path.points[-1][0] == pytest.approx(expected, abs=within)


@pytest.mark.parametrize(
    ("loss", "predictions", "targets", "error", "words"),
    [
        (squared_error, np.ones((3, 1)), np.ones(3), ShapeError, "(3, 1), targets (3,)"),
        (logistic, np.ones(2), [0.0, 0.5], NumbersError, "labels are 0 or 1"),
        (hinge, np.ones(2), [0.0, 1.0], NumbersError, "labels are -1 or 1"),
        (cross_entropy, np.ones((2, 3)), [0, 3], NumbersError, "from 0 to 2"),
        (cross_entropy, np.ones((2, 3)), [0.0, 1.0], NumbersError, "whole numbers"),
        (cross_entropy, np.ones(3), [0, 1, 2], ShapeError, "scores (3,)"),
    ],
)
def test_what_a_loss_is_not_made_for_is_refused(loss, predictions, targets, error, words) -> None:
    with pytest.raises(error, match=re.escape(words)):
        loss(Tensor(predictions), targets)


def test_a_certain_wrong_answer_costs_a_finite_amount() -> None:
    assert logistic(Tensor([1e4]), [0.0]).item() == 1e4
    assert cross_entropy(Tensor([[1e4, 0.0]]), [1]).item() == 1e4
