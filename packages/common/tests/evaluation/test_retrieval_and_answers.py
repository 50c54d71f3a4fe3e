"""Rankings and answers against figures worked out by hand, scikit-learn, and SQuAD's rules."""

import numpy as np
import pytest
from common.evaluation import EvaluationError, Resampling, answer_metrics, retrieval_metrics
from common.evaluation.answer_texts import exact_match, normalise_answer, token_f1
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

QUICK = Resampling(n_resamples=100)


def test_rankings_are_scored_as_worked_out_by_hand() -> None:
    judged = {"q1": {"a": 3, "b": 1, "c": 0}, "q2": {"d": 1}}
    rankings = {"q1": ["x", "b", "a"], "q2": []}
    found = retrieval_metrics(judged, rankings, ks=(2,), resampling=QUICK).values()
    dcg, best = 1 / np.log2(3), 3 + 1 / np.log2(3)
    assert found == pytest.approx(
        {
            "mrr": (1 / 2 + 0) / 2,
            "map": (1 / 2 + 2 / 3) / 2 / 2,
            "recall@2": (1 / 2) / 2,
            "precision@2": (1 / 2) / 2,
            "ndcg@2": dcg / best / 2,
        }
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_whole_rankings_agree_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gains = rng.integers(0, 4, (3, 12))
    gains[:, 0] = 1
    scores = rng.permuted(np.tile(np.arange(12.0), (3, 1)), axis=1)
    judged = {
        f"q{q}": {f"d{d}": float(g) for d, g in enumerate(row)} for q, row in enumerate(gains)
    }
    rankings = {f"q{q}": [f"d{d}" for d in np.argsort(-row)] for q, row in enumerate(scores)}
    found = retrieval_metrics(judged, rankings, ks=(5, 12), resampling=QUICK)
    assert found["ndcg@5"].value == pytest.approx(ndcg_score(gains, scores, k=5))
    expected = np.mean(
        [average_precision_score(g > 0, s) for g, s in zip(gains, scores, strict=True)]
    )
    assert found["map"].value == pytest.approx(expected)
    assert found["recall@12"].value == 1


@pytest.mark.parametrize(
    ("judged", "rankings", "words"),
    [
        ({"a": {"d": 1}}, {"a": ["d"]}, "two or more"),
        ({"a": {"d": 1}, "b": {"d": 1}}, {"a": []}, "rankings lacks the query 'b'"),
        ({"a": {"d": 1}, "b": {"d": 0}}, {"a": [], "b": []}, "'b' has no relevant"),
        ({"a": {"d": 1}, "b": {"d": 1}}, {"a": ["d", "d"], "b": []}, "a document twice"),
        ({"a": {"d": float("nan")}, "b": {"d": 1}}, {"a": [], "b": []}, "a gain that is no number"),
    ],
)
def test_rankings_that_cannot_be_measured_are_named(
    judged: dict, rankings: dict, words: str
) -> None:
    with pytest.raises(EvaluationError) as refused:
        retrieval_metrics(judged, rankings)
    assert words in str(refused.value)


def test_answers_are_normalised_as_squad_does() -> None:
    assert normalise_answer(" The  U.S.A., an example! ") == "usa example"


@pytest.mark.parametrize(
    ("predicted", "accepted", "exact", "f1"),
    [
        ("The Eiffel Tower.", ["eiffel tower"], 1, 1),
        ("in Paris", ["Paris"], 0, 2 / 3),
        ("Paris Paris", ["Paris"], 0, 2 / 3),
        ("Rome", ["Paris", "rome"], 1, 1),
        ("", [], 1, 1),
        ("Paris", [], 0, 0),
        ("", ["Paris"], 0, 0),
        ("the", [], 1, 1),
    ],
)
def test_answers_score_as_squad_says(
    predicted: str, accepted: list[str], exact: float, f1: float
) -> None:
    assert exact_match(predicted, accepted) == exact
    assert token_f1(predicted, accepted) == pytest.approx(f1)


@settings(max_examples=100, deadline=None)
@given(st.text(), st.lists(st.text(), max_size=3))
def test_an_exact_answer_has_full_f1(predicted: str, accepted: list[str]) -> None:
    f1 = token_f1(predicted, accepted)
    assert 0 <= f1 <= 1
    assert exact_match(predicted, accepted) <= f1


def test_answers_carry_intervals() -> None:
    found = answer_metrics(["Paris", "Rome", "x"], [["Paris"], ["rome"], ["y"]], resampling=QUICK)
    assert found["exact_match"].value == pytest.approx(2 / 3)
    assert found["exact_match"].method == "Wilson score"


@pytest.mark.parametrize(
    ("predicted", "accepted"),
    [(["a"], []), ([], []), (["a", "b"], ["a", "b"]), (["a", 1], [[], []])],
)
def test_answers_that_cannot_be_measured_are_refused(predicted: list, accepted: list) -> None:
    with pytest.raises(EvaluationError, match="accepted"):
        answer_metrics(predicted, accepted)
