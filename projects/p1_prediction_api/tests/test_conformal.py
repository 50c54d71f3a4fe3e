"""Sets and intervals at their rate on exchangeable rows; calibration on scores of a known kind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p1_prediction_api.calibration import (
    calibrate,
    calibration_error,
    cheapest_threshold,
    probabilities,
)
from p1_prediction_api.conformal import fit_bins, fit_set_threshold, intervals, prediction_sets
from p1_prediction_api.contracts import Calibration


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_intervals_hold_the_truth_at_their_rate_where_the_noise_differs(level: float) -> None:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0, 10, 8000)
    y = predicted + rng.normal(size=8000) * (0.1 + predicted)  # the more, the noisier
    bins = fit_bins(predicted[:4000], y[:4000], level)
    low, high = intervals(predicted[4000:], bins)
    held = (low <= y[4000:]) & (y[4000:] <= high)
    assert abs(held.mean() - level) < 0.02
    small, large = predicted[4000:] < 2, predicted[4000:] > 8
    assert abs(held[small].mean() - level) < 0.06
    assert abs(held[large].mean() - level) < 0.06
    assert (high - low)[small].mean() < (high - low)[large].mean() / 3


@given(n=st.integers(1, 400), n_distinct=st.integers(1, 5), seed=st.integers(0, 99))
def test_few_rows_or_equal_predictions_still_make_intervals(
    n: int, n_distinct: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    predicted = rng.integers(0, n_distinct, n).astype(float)
    y = predicted + rng.normal(size=n)
    low, high = intervals(predicted, fit_bins(predicted, y, 0.9))
    assert (low <= high).all()
    assert ((low <= y) & (y <= high)).mean() >= 0.85 or n < 20


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_sets_hold_the_truth_at_their_rate_and_are_never_empty(level: float) -> None:
    rng = np.random.default_rng(1)
    p = rng.dirichlet([0.6] * 4, 8000)
    y = np.array([rng.choice(4, p=row) for row in p])
    threshold = fit_set_threshold(p[:4000], y[:4000], level)
    sets = prediction_sets(p[4000:], threshold)
    held = sets[np.arange(4000), y[4000:]]
    assert abs(held.mean() - level) < 0.02
    assert sets.any(axis=1).all()
    assert 1 < sets.sum(axis=1).mean() < 4


def test_scores_that_are_sure_of_too_much_are_calibrated() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=(20_000, 1))
    y = (rng.random(20_000) < 1 / (1 + np.exp(-truth[:, 0]))).astype(np.int64)
    found = calibrate(truth * 3 + 1, y)  # three times as sure as it should be, and shifted
    assert found.slope == pytest.approx(1 / 3, rel=0.05)
    assert found.intercepts[0] == pytest.approx(-1 / 3, abs=0.05)
    before = calibration_error(y, probabilities(truth * 3 + 1, Calibration()))
    after = calibration_error(y, probabilities(truth * 3 + 1, found))
    assert after < 0.02 < before


def test_shares_of_several_classes_become_probabilities() -> None:
    rng = np.random.default_rng(3)
    log_odds = rng.normal(size=(20_000, 3)) * 2
    p = np.exp(log_odds) / np.exp(log_odds).sum(axis=1, keepdims=True)
    y = np.array([rng.choice(3, p=row) for row in p])
    found = probabilities(log_odds * 0.1, calibrate(log_odds * 0.1, y))
    assert np.abs(found - p).mean() < 0.02
    assert np.allclose(found.sum(axis=1), 1)


def test_classes_told_apart_without_a_mistake_stay_finite() -> None:
    scores = np.array([[-1.0], [-0.5], [0.5], [1.0]] * 20)
    found = calibrate(scores, (scores[:, 0] > 0).astype(np.int64))
    assert np.isfinite(probabilities(scores, found)).all()
    assert 0 < found.slope < 1e6


def test_the_cheapest_threshold_is_where_both_mistakes_are_expected_to_cost_the_same() -> None:
    assert cheapest_threshold(1, 1) == 0.5
    assert cheapest_threshold(1, 9) == pytest.approx(0.1)
