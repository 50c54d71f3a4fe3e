"""Figures of logged answers: scikit-learn's values, intervals that hold the truth."""

import numpy as np
import pytest
from p1_prediction_api.figures import (
    Figure,
    class_figures,
    difference,
    difference_of_samples,
    estimate_of_share,
    number_figures,
    rows_to_tell,
    spread_of_difference,
)
from p1_prediction_api.scoring import said_of, score_table

N_TRIALS = 300


def drawn(n: int, k: int, seed: int, skill: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Truths, and probabilities that know something of them, rounded so that some are equal."""
    rng = np.random.default_rng(seed)
    y = rng.choice(k, n, p=np.array([5, *[3] * (k - 1)]) / (5 + 3 * (k - 1)))
    raw = rng.normal(size=(n, k)) + skill * np.eye(k)[y]
    p = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    p = np.round(p, 2) + 0.001
    return y, p / p.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("k", [2, 4])
def test_of_classes_the_values_are_those_of_the_card(k: int) -> None:
    y, p = drawn(500, k, seed=1)
    found = class_figures(y, p, said_of(p), positive=1)
    expected = dict(score_table("classification", k))
    expected.pop("average_precision", None)  # has no influence values in a closed form
    assert set(found) == set(expected)
    for name, score in expected.items():
        assert found[name].value == pytest.approx(score(y, p)), name
        assert found[name].influence.mean() == pytest.approx(0, abs=1e-12), name


def test_of_numbers_the_values_are_those_of_the_card() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(1e6, 5, size=400)
    predicted = y + rng.normal(size=400)
    found = number_figures(y, predicted)
    for name, score in score_table("regression", 0).items():
        assert found[name].value == pytest.approx(score(y, predicted)), name


def share_held(name: str, n: int, exact: float, k: int = 2) -> float:
    """How often an interval from `n` rows holds the figure of very many."""
    held = 0
    for seed in range(N_TRIALS):
        y, p = drawn(n, k, seed=seed)
        one = class_figures(y, p, p.argmax(axis=1), positive=1)[name].estimate()
        held += one.low <= exact <= one.high
    return held / N_TRIALS


@pytest.mark.parametrize(
    "name", ["accuracy", "balanced_accuracy", "precision", "recall", "roc_auc", "log_loss"]
)
def test_of_classes_nineteen_intervals_in_twenty_hold_the_figure(name: str) -> None:
    y, p = drawn(400_000, 2, seed=-1 % 2**32)
    exact = class_figures(y, p, p.argmax(axis=1), positive=1)[name].value
    assert 0.92 <= share_held(name, 120, exact) <= 0.99


@pytest.mark.parametrize("name", ["r2", "mean_absolute_error", "root_mean_squared_error"])
def test_of_numbers_nineteen_intervals_in_twenty_hold_the_figure(name: str) -> None:
    exact = {"r2": 0.8, "mean_absolute_error": np.sqrt(2 / np.pi), "root_mean_squared_error": 1.0}
    held = 0
    for seed in range(N_TRIALS):
        rng = np.random.default_rng(seed)
        signal, noise = rng.normal(0, 2, 200), rng.normal(size=200)
        one = number_figures(signal + noise, signal)[name].estimate()
        held += one.low <= exact[name] <= one.high
    assert 0.91 <= held / N_TRIALS <= 0.99


@pytest.mark.parametrize("name", ["accuracy", "roc_auc"])
def test_a_paired_difference_holds_zero_for_two_models_of_one_skill(name: str) -> None:
    held = 0
    for seed in range(N_TRIALS):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 2, 150)
        known = rng.normal(size=150) + 1.2 * y
        scores = [1 / (1 + np.exp(-known - rng.normal(0, 0.7, 150))) for _ in range(2)]
        a, b = (
            class_figures(y, np.column_stack([1 - s, s]), (s > 0.5).astype(np.int64), positive=1)
            for s in scores
        )
        one = difference(a[name], b[name])
        held += one.low <= 0 <= one.high
    assert 0.92 <= held / N_TRIALS <= 0.995


def test_a_perfect_record_claims_no_certainty() -> None:
    y = np.array([0, 1] * 15)
    p = np.column_stack([1 - y, y]).astype(np.float64)
    found = class_figures(y, p, y, positive=1)
    for name in ("accuracy", "balanced_accuracy", "precision", "recall", "roc_auc"):
        one = found[name].estimate()
        assert one.value == one.high == 1
        assert 0.7 < one.low < 0.9, name
    equal = difference(found["accuracy"], found["accuracy"])
    assert equal.low < 0 < equal.high


def test_what_the_truths_cannot_tell_is_left_out() -> None:
    y = np.zeros(10, np.int64)
    p = np.column_stack([np.full(10, 0.9), np.full(10, 0.1)])
    found = class_figures(y, p, y, positive=1)
    assert not {"roc_auc", "precision", "recall"} & set(found)
    assert "r2" not in number_figures(np.ones(10), np.zeros(10))


def test_two_samples_differ_only_beyond_both_their_intervals() -> None:
    training, live = estimate_of_share(870, 1000), estimate_of_share(330, 412)
    apart = difference_of_samples(training, live)
    assert apart.value == pytest.approx(330 / 412 - 0.87)
    assert apart.high < 0
    few = difference_of_samples(training, estimate_of_share(16, 20))
    assert few.low < 0 < few.high


def test_as_many_rows_as_it_says_show_the_difference() -> None:
    """Two models disagree on a tenth of the rows; one is right on six of ten of those."""
    rng = np.random.default_rng(0)
    y = np.ones(10_000, np.int64)
    kinds = np.repeat([0, 1, 2], [9_000, 600, 400])
    a = np.where(kinds == 1, 0, 1)
    b = np.where(kinds == 2, 0, 1)
    first, second = (_accuracy(y, said) for said in (a, b))
    needed = rows_to_tell(spread_of_difference(first, second), 0.02)
    assert 1_700 < needed < 2_300  # (1.96 + 0.84)² · 0.1 / 0.02² = 1,960
    seen = 0
    for _ in range(N_TRIALS):
        rows = rng.integers(0, 10_000, needed)
        one = difference(_accuracy(y[rows], a[rows]), _accuracy(y[rows], b[rows]))
        seen += one.low > 0
    assert 0.7 < seen / N_TRIALS < 0.9


def _accuracy(y: np.ndarray, said: np.ndarray) -> Figure:
    return class_figures(y, np.eye(2)[said], said.astype(np.int64), positive=1)["accuracy"]
