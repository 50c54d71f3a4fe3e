"""Classification figures against scikit-learn, and what is refused."""

import numpy as np
import pytest
from common.evaluation import EvaluationError, Resampling, classification_metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

QUICK = Resampling(n_resamples=200)


def examples(k: int, n: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that lean towards them, rounded so that some tie."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    P = rng.dirichlet(np.ones(k), n)
    P[np.arange(n), y] += 0.4
    P = np.round(P / P.sum(axis=1, keepdims=True), 1) + 0.01
    return y, P / P.sum(axis=1, keepdims=True)


def test_two_classes_agree_with_scikit_learn() -> None:
    y, P = examples(2)
    p, predicted = P[:, 1], P.argmax(axis=1)
    found = classification_metrics(y, probabilities=p, resampling=QUICK).values()
    assert found == pytest.approx(
        {
            "accuracy": sk.accuracy_score(y, predicted),
            "balanced_accuracy": sk.balanced_accuracy_score(y, predicted),
            "precision": sk.precision_score(y, predicted),
            "recall": sk.recall_score(y, predicted),
            "f1": sk.f1_score(y, predicted),
            "roc_auc": sk.roc_auc_score(y, p),
            "average_precision": sk.average_precision_score(y, p),
            "log_loss": sk.log_loss(y, p),
            "brier": sk.brier_score_loss(y, p),
            "ece": found["ece"],
        }
    )


def test_many_classes_agree_with_scikit_learn() -> None:
    y, P = examples(4)
    predicted = P.argmax(axis=1)
    found = classification_metrics(y, probabilities=P, resampling=QUICK).values()
    assert found["f1"] == pytest.approx(sk.f1_score(y, predicted, average="macro"))
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(y, P, multi_class="ovr"))
    assert found["brier"] == pytest.approx(np.mean(((P - np.eye(4)[y]) ** 2).sum(axis=1)))


@pytest.mark.parametrize("k", [2, 3])
def test_figures_over_resamples_are_scikit_learns_with_weights(k: int) -> None:
    """The interval and the figure are of the same quantity: counts are sample weights."""
    y, P = examples(k)
    counts = np.random.default_rng(1).multinomial(len(y), np.full(len(y), 1 / len(y)))
    rows = np.repeat(np.arange(len(y)), counts)
    whole = classification_metrics(y, probabilities=P, resampling=QUICK)
    drawn = classification_metrics(y[rows], probabilities=P[rows], resampling=QUICK)
    for name in whole:
        statistic = whole.statistics[name](counts[None, :].astype(float))[0]
        assert statistic == pytest.approx(drawn[name].value, abs=1e-12), name


def test_calibration_error_is_the_gap_between_confidence_and_truth() -> None:
    # two bins: confidence 0.9 with 1 of 2 right, 0.6 with 2 of 2 right
    found = classification_metrics(
        [1, 0, 0, 0], probabilities=[0.9, 0.9, 0.4, 0.4], metrics=["ece"], resampling=QUICK
    )
    assert found["ece"].value == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)


def test_text_labels_take_the_second_as_positive() -> None:
    found = classification_metrics(
        ["yes", "no", "yes", "no"], ["yes", "yes", "no", "no"], metrics=["precision"],
        resampling=QUICK,
    )  # fmt: skip
    assert found["precision"].value == 0.5


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_figures_stay_in_bounds_and_ignore_the_order(seed: int, k: int) -> None:
    y, P = examples(k, n=60, seed=seed)
    y[:k] = np.arange(k)
    order = np.random.default_rng(seed).permutation(len(y))
    found = classification_metrics(y, probabilities=P, resampling=Resampling(n_resamples=100))
    shuffled = classification_metrics(
        y[order], probabilities=P[order], resampling=Resampling(n_resamples=100)
    )
    assert found.values() == pytest.approx(shuffled.values())
    for name in set(found) - {"log_loss", "brier"}:
        assert 0 <= found[name].low <= found[name].high <= 1


def test_groups_widen_the_interval_of_examples_that_go_together() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 10)
    is_right = np.repeat(rng.random(40) < 0.7, 10)
    y = rng.integers(0, 2, 400)
    predicted = np.where(is_right, y, 1 - y)
    alone = classification_metrics(y, predicted, metrics=["accuracy"])["accuracy"]
    together = classification_metrics(y, predicted, metrics=["accuracy"], groups=groups)["accuracy"]
    assert together.value == alone.value
    assert together.n_groups == 40
    assert together.high - together.low > 2.5 * (alone.high - alone.low)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"truth": [], "predicted": []}, "truth has 0 example"),
        ({"truth": [0, 1, 1], "predicted": [0, 1]}, "predicted has 2 examples; accepted: 3"),
        ({"truth": [0, 1]}, "nothing to measure"),
        ({"truth": [0, None], "predicted": [0, 1]}, "truth holds 1 missing"),
        ({"truth": [0.0, np.nan], "predicted": [0.0, 1.0]}, "first at index 1"),
        ({"truth": [1, 1], "predicted": [1, 1]}, "1 distinct labels"),
        ({"truth": [0, 1], "predicted": ["a", "b"]}, "different types"),
        ({"truth": [0, 1], "probabilities": [0.2, np.nan]}, "missing or infinite"),
        ({"truth": [0, 1], "probabilities": [0.2, 1.2]}, "accepted: 0 to 1"),
        ({"truth": [0, 1, 2], "probabilities": [0.2, 0.1, 0.3]}, "one column for 3 labels"),
        ({"truth": [0, 1], "probabilities": [[0.2, 0.9], [0.5, 0.5]]}, "sum to 1.1"),
        ({"truth": [0, 1], "predicted": [0, 1], "metrics": ["auc"]}, "accepted: accuracy"),
        ({"truth": [1, 1], "probabilities": [0.2, 0.3], "labels": [0, 1]}, "every class"),
        ({"truth": [0, 5], "predicted": [0, 1], "labels": [0, 1]}, "the label 5"),
        ({"truth": [0, 1], "predicted": [0, 1], "groups": [7, 7]}, "one group"),
    ],
)
def test_what_cannot_be_measured_is_named(arguments: dict, words: str) -> None:
    with pytest.raises(EvaluationError) as refused:
        classification_metrics(**arguments, resampling=QUICK)
    assert words in str(refused.value)


def test_one_class_in_the_truth_still_has_an_accuracy() -> None:
    found = classification_metrics(
        [1, 1, 1], [1, 1, 0], labels=[0, 1], metrics=["accuracy"], resampling=QUICK
    )
    assert found["accuracy"].value == pytest.approx(2 / 3)
