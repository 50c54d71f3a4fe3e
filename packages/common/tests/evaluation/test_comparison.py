"""Comparisons against known values; how often they cry wolf; their words."""

import math

import numpy as np
import pytest
from common.evaluation import (
    EvaluationError,
    Resampling,
    adjusted_p_values,
    classification_metrics,
    compare_correctness,
    compare_metrics,
    compare_scores,
    mcnemar_p,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

QUICK = Resampling(n_resamples=500)


@pytest.mark.parametrize(
    ("n_only_a", "n_only_b", "p_value"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 5, 2 / 2**5),
        (1, 9, 2 * 11 / 2**10),
        (86, 150, 2 * sum(math.comb(236, k) for k in range(87)) / 2**236),
    ],
)
def test_mcnemar_gives_its_known_values(n_only_a: int, n_only_b: int, p_value: float) -> None:
    assert mcnemar_p(n_only_a, n_only_b) == pytest.approx(p_value)
    assert mcnemar_p(n_only_b, n_only_a) == mcnemar_p(n_only_a, n_only_b)


def test_sign_flips_of_few_pairs_are_enumerated_as_scipy_does() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random(10), rng.random(10) + 0.2
    theirs = stats.permutation_test(
        (b, a), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    ours = compare_scores(a, b, resampling=QUICK)
    assert ours.p_value == pytest.approx(theirs.pvalue)
    assert ours.test == "exact sign-flip permutation"


def test_sign_flips_of_many_pairs_come_near_the_t_test() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=400)
    b = a + rng.normal(0.1, 1, size=400)
    assert compare_scores(a, b, resampling=QUICK).p_value == pytest.approx(
        stats.ttest_rel(a, b).pvalue, abs=0.015
    )


def test_holm_and_benjamini_hochberg_give_their_known_values() -> None:
    p = [0.01, 0.04, 0.03, 0.005]
    assert adjusted_p_values(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjusted_p_values(p, method="benjamini-hochberg") == pytest.approx(
        [0.02, 0.04, 0.04, 0.02]
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_corrections_raise_p_values_and_keep_their_order(p: list[float]) -> None:
    holm = np.array(adjusted_p_values(p))
    bh = np.array(adjusted_p_values(p, method="benjamini-hochberg"))
    assert (holm <= 1).all()
    assert (bh >= np.array(p) - 1e-12).all()
    assert (holm >= bh - 1e-12).all()
    assert (np.diff(holm[np.argsort(p)]) >= 0).all()


def test_equal_models_are_told_apart_about_5_times_in_100() -> None:
    rng = np.random.default_rng(0)
    found = [
        compare_correctness(rng.random(300) < 0.8, rng.random(300) < 0.8, resampling=QUICK)
        for _ in range(200)
    ]
    assert np.mean([one.winner is not None for one in found]) <= 0.08


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_swapping_the_models_swaps_the_answer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.random(80), rng.random(80) + 0.1
    one, other = compare_scores(a, b, resampling=QUICK), compare_scores(b, a, resampling=QUICK)
    assert one.effect.value == pytest.approx(-other.effect.value)
    assert one.p_value == pytest.approx(other.p_value, abs=1e-9)
    assert (one.winner, other.winner) in {(None, None), ("B", "A"), ("A", "B")}
    ties = compare_scores(a, a, resampling=QUICK)
    assert (ties.p_value, ties.winner) == (1, None)


def test_the_verdict_names_the_better_one_and_by_how_much() -> None:
    a = np.r_[np.ones(700), np.zeros(300)]
    b = np.r_[np.ones(760), np.zeros(240)]
    found = compare_correctness(a, b, names=("logistic", "boosted"))
    assert found.winner == "boosted"
    assert found.verdict.startswith("boosted is better by 6 points (4")
    assert found.verdict.endswith("p < 0.001")
    turned = compare_correctness(b, a, names=("boosted", "logistic"))
    assert turned.verdict.startswith("boosted is better by 6 points (4")


def test_the_verdict_says_what_could_not_have_been_seen() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random(200) < 0.7, rng.random(200) < 0.72
    found = compare_correctness(a, b)
    standard_error = np.std(b.astype(int) - a.astype(int)) / np.sqrt(200)
    assert found.smallest_visible == pytest.approx((1.96 + 0.84) * standard_error, rel=0.05)
    assert found.winner is None
    assert found.verdict.startswith("no difference shown")
    assert "n = 200 is too small to see under 14 points" in found.verdict


def test_the_smallest_visible_difference_is_seen_in_about_80_of_100_trials() -> None:
    rng = np.random.default_rng(0)
    n = 300
    visible = compare_scores(np.zeros(n), rng.normal(0, 1, n), resampling=QUICK).smallest_visible
    seen = [
        compare_scores(np.zeros(n), rng.normal(visible, 1, n), resampling=QUICK).winner == "B"
        for _ in range(60)
    ]
    assert 0.65 <= np.mean(seen) <= 0.95


def test_lower_is_better_for_losses() -> None:
    rng = np.random.default_rng(0)
    loss = rng.random(100)
    found = compare_scores(loss, loss / 2, direction="lower", resampling=QUICK)
    assert found.winner == "B"
    assert found.effect.value > 0


def test_metrics_that_are_no_mean_are_compared_on_the_same_resamples() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 600)
    good = np.clip(0.5 + (y - 0.5) * 0.5 + rng.normal(0, 0.2, 600), 0, 1)
    poor = np.clip(good + rng.normal(0, 0.4, 600), 0, 1)
    a = classification_metrics(y, probabilities=poor, resampling=QUICK)
    b = classification_metrics(y, probabilities=good, resampling=QUICK)
    found = compare_metrics(a, b, "roc_auc", names=("poor", "good"), resampling=QUICK)
    assert found.winner == "good"
    assert found.effect.value == pytest.approx(b["roc_auc"].value - a["roc_auc"].value)
    assert compare_metrics(a, a, "roc_auc", resampling=QUICK).winner is None
    assert compare_metrics(a, b, "log_loss", names=("poor", "good"), resampling=QUICK).winner
    assert compare_metrics(a, b, "accuracy", resampling=QUICK).test == "McNemar's exact test"


def test_groups_that_go_together_make_a_difference_less_certain() -> None:
    rng = np.random.default_rng(1)
    gain = np.repeat(rng.normal(0.2, 1, 20), 20)
    alone = compare_scores(np.zeros(400), gain, resampling=QUICK)
    together = compare_scores(
        np.zeros(400), gain, groups=np.repeat(np.arange(20), 20), resampling=QUICK
    )
    assert alone.p_value < together.p_value
    assert together.effect.n_groups == 20


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: compare_scores([1.0, 2.0], [1.0]), "b has 1 examples; accepted: 2"),
        (lambda: compare_scores([], []), "a has 0"),
        (lambda: compare_scores([1.0, np.nan], [1.0, 1.0]), "missing or infinite"),
        (lambda: compare_correctness([0.5, 1], [1, 1]), "a_is_right holds other values"),
        (lambda: mcnemar_p(-1, 2), "0 or more"),
        (lambda: adjusted_p_values([]), "one or more"),
        (lambda: adjusted_p_values([1.5]), "from 0 to 1"),
    ],
)
def test_what_is_wrong_is_named(wrong, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        wrong()
