"""Intervals against scipy, and how often they hold the truth."""

import numpy as np
import pytest
from common.evaluation import EvaluationError, bootstrap_interval, mean_interval, wilson_interval
from common.evaluation.intervals import estimates, mean_of
from scipy import stats


def skewed(n: int = 80) -> np.ndarray:
    return np.random.default_rng(3).exponential(size=n)


@pytest.mark.parametrize(
    ("method", "theirs"), [("percentile", "percentile"), ("basic", "basic"), ("bca", "BCa")]
)
def test_intervals_agree_with_scipy(method: str, theirs: str) -> None:
    x = skewed()
    ours = mean_interval(x, method=method, n_resamples=40_000)
    found = stats.bootstrap((x,), np.mean, method=theirs, n_resamples=40_000, rng=1)
    tolerance = 0.02 * (ours.high - ours.low)
    assert ours.low == pytest.approx(found.confidence_interval.low, abs=tolerance)
    assert ours.high == pytest.approx(found.confidence_interval.high, abs=tolerance)


def test_the_quick_way_and_the_general_way_draw_the_same() -> None:
    x = skewed()
    assert mean_interval(x, seed=5, n_resamples=300) == pytest.approx(
        mean_interval(x, seed=5, n_resamples=300)
    )
    quick, general = (
        mean_interval(x, seed=5, n_resamples=300),
        bootstrap_interval(np.mean, x, seed=5, n_resamples=300),
    )
    assert (quick.low, quick.high) == pytest.approx((general.low, general.high))


def test_wilson_is_right_at_the_edge_and_agrees_with_its_formula() -> None:
    found = wilson_interval(10, 10)
    z2 = stats.norm.ppf(0.975) ** 2
    assert (found.low, found.high) == pytest.approx((10 / (10 + z2), 1))


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_95_percent_intervals_of_a_mean_hold_the_truth_about_95_times_in_100(method: str) -> None:
    rng = np.random.default_rng(0)
    held = [
        one.low <= 0.5 <= one.high
        for one in (
            mean_interval(rng.beta(2, 2, 60), method=method, n_resamples=500, seed=k)
            for k in range(400)
        )
    ]
    assert 0.91 <= np.mean(held) <= 0.98


def test_wilson_holds_the_truth_where_the_normal_interval_does_not() -> None:
    p, n = 0.97, 40
    successes = np.random.default_rng(0).binomial(n, p, 2000)
    by_count = {k: wilson_interval(int(k), n) for k in np.unique(successes)}
    wilson = np.mean([by_count[k].low <= p <= by_count[k].high for k in successes])
    half = 1.96 * np.sqrt(successes / n * (1 - successes / n) / n)
    normal = np.mean(np.abs(successes / n - p) <= half)
    assert wilson >= 0.92
    assert normal < 0.85


def test_resampling_groups_holds_the_truth_where_resampling_examples_does_not() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 8)
    trials = [np.repeat(rng.normal(size=30), 8) + 0.2 * rng.normal(size=240) for _ in range(200)]
    by_group = [mean_interval(x, groups=groups, n_resamples=300) for x in trials]
    by_example = [mean_interval(x, n_resamples=300) for x in trials]
    assert np.mean([one.low <= 0 <= one.high for one in by_group]) >= 0.88
    assert np.mean([one.low <= 0 <= one.high for one in by_example]) <= 0.7


def test_the_seed_alone_decides_and_a_higher_level_is_wider() -> None:
    x = skewed()
    assert mean_interval(x, seed=1) == mean_interval(x, seed=1)
    assert mean_interval(x, seed=1) != mean_interval(x, seed=2)
    narrow, wide = mean_interval(x, level=0.8), mean_interval(x, level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_a_figure_that_most_resamples_lack_is_refused() -> None:
    with pytest.raises(EvaluationError, match="defined on 0 of 200 resamples"):
        estimates(
            {"odd": lambda c: np.where((c == 1).all(axis=1), 1.0, np.nan)}, 50, n_resamples=200
        )


def test_many_examples_are_resampled_in_little_memory() -> None:
    found = estimates({"mean": mean_of(np.ones(50_000))}, 50_000, n_resamples=200)["mean"]
    assert (found.low, found.high) == (1, 1)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: wilson_interval(5, 4), "5 of 4"),
        (lambda: mean_interval([1.0]), "two or more"),
        (lambda: mean_interval([1.0, 2.0], level=95), "level is 95"),
        (lambda: mean_interval([1.0, 2.0], n_resamples=5), "100 or more"),
        (lambda: mean_interval([1.0, 2.0], groups=[1]), "groups has 1"),
        (lambda: bootstrap_interval(np.mean, [1.0, 2.0], [1.0]), "lengths 2, 1"),
    ],
)
def test_what_is_wrong_is_named(wrong, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        wrong()
