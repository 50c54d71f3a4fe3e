import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p1_prediction_api.scoring import estimate, score_table, wilson
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    log_loss,
    roc_auc_score,
)


def probabilities(labels: list[int]) -> np.ndarray:
    return np.array([[1.0 - k, float(k)] for k in labels])


@pytest.mark.criterion("p1.evaluate")
def test_thirty_eight_hits_of_thirty_eight_are_no_certainty() -> None:
    y = np.array([1] * 38 + [0] * 76)
    table = score_table("classification", 2)
    found = estimate("precision", table["precision"], y, probabilities([*y]), seed=0)
    assert found.value == found.high == 1
    assert found.low == pytest.approx(0.908, abs=1e-3)  # Wilson, 1927


@pytest.mark.criterion("p1.evaluate")
def test_always_guessing_the_common_class_is_seen_through() -> None:
    y = np.array([1] * 5 + [0] * 95)
    table = score_table("classification", 2)
    guess = probabilities([0] * 100)
    figures = {name: estimate(name, score, y, guess, seed=0) for name, score in table.items()}
    assert figures["accuracy"].value == 0.95
    assert figures["balanced_accuracy"].value == figures["roc_auc"].value == 0.5
    assert figures["recall"].high < 0.6


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_share_and_stays_within_0_and_1(hits: int, misses: int) -> None:
    low, high = wilson(hits, hits + misses)
    share = hits / max(1, hits + misses)
    assert 0 <= low <= share <= high <= 1 or hits + misses == 0
    assert low < high


def test_more_rows_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    table = score_table("regression", 0)
    y = rng.normal(size=4000)
    guess = y + rng.normal(size=4000)
    widths = []
    for n in (100, 4000):
        found = estimate("r2", table["r2"], y[:n], guess[:n], seed=0)
        assert found.low <= found.value <= found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 3


def test_the_quick_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    for n_classes in (2, 4):
        y = rng.integers(0, n_classes, 400)
        p = rng.dirichlet(np.ones(n_classes), 400)
        table = score_table("classification", n_classes)
        said = p.argmax(axis=1)
        assert table["balanced_accuracy"](y, p) == pytest.approx(balanced_accuracy_score(y, said))
        assert table["log_loss"](y, p) == pytest.approx(log_loss(y, p))
    y, p = rng.integers(0, 2, 400), rng.dirichlet([1, 1], 400)
    table = score_table("classification", 2)
    assert table["roc_auc"](y, p) == pytest.approx(roc_auc_score(y, p[:, 1]))
    assert table["average_precision"](y, p) == pytest.approx(average_precision_score(y, p[:, 1]))
