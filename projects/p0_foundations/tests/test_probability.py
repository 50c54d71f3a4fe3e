"""Probability against SciPy, against formulas, and against what the theorems promise."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from p0_foundations import (
    Belief,
    Distribution,
    NumbersError,
    Tensor,
    bayes,
    benjamini_hochberg,
    binomial,
    bonferroni,
    bootstrap,
    cauchy,
    exp,
    exponential,
    false_alarm_rates,
    holm,
    log,
    maximum_likelihood,
    normal,
    poisson,
    running_means,
    sample_means,
    uniform,
)
from scipy import stats

CONTINUOUS = [
    (normal(1.0, 2.0), stats.norm(1, 2)),
    (uniform(-1.0, 3.0), stats.uniform(-1, 4)),
    (exponential(0.5), stats.expon(scale=2)),
    (cauchy(1.0, 2.0), stats.cauchy(1, 2)),
]
DISCRETE = [
    (binomial(10, 0.3), stats.binom(10, 0.3)),
    (binomial(3, 1.0), stats.binom(3, 1.0)),
    (poisson(4.0), stats.poisson(4)),
]


@pytest.mark.parametrize(("ours", "theirs"), CONTINUOUS + DISCRETE)
def test_a_distribution_is_scipys(ours: Distribution, theirs) -> None:
    x = np.linspace(-5, 12, 69)
    density = theirs.pmf(x) if ours.is_discrete else theirs.pdf(x)
    np.testing.assert_allclose(ours.density(x), density, rtol=1e-12, atol=1e-15)
    if np.isfinite(ours.mean):
        assert (ours.mean, ours.variance) == pytest.approx((theirs.mean(), theirs.var()))
    draws = ours.draw(np.random.default_rng(0), (4000,))
    if not ours.is_discrete:
        assert stats.kstest(draws, theirs.cdf).pvalue > 0.001
    else:
        assert draws.mean() == pytest.approx(theirs.mean(), abs=4 * theirs.std() / 4000**0.5 + 1e-9)


def test_averages_close_in_as_one_over_root_n_and_those_of_cauchy_never() -> None:
    means = running_means(exponential(), 10_000, n_paths=200)
    spread = means.std(axis=0)
    assert spread[9_999] == pytest.approx(0.01, rel=0.2)
    assert spread[99] == pytest.approx(0.1, rel=0.2)
    wild = running_means(cauchy(), 10_000, n_paths=200)
    quartiles = [np.subtract(*np.quantile(wild[:, n], [0.75, 0.25])) for n in (9, 9_999)]
    assert quartiles[1] == pytest.approx(2.0, rel=0.4)
    assert quartiles[0] == pytest.approx(2.0, rel=0.4)


def test_means_of_a_skewed_source_become_normal_as_samples_grow() -> None:
    found = [sample_means(exponential(), size) for size in (1, 5, 50)]
    distances = [one.distance for one in found]
    assert distances == sorted(distances, reverse=True)
    assert distances[0] == pytest.approx(stats.kstest(found[0].standardised, "norm").statistic)
    assert distances[2] < 0.03
    coins = sample_means(binomial(1, 0.5), 100)
    assert coins.distance == pytest.approx(stats.kstest(coins.standardised, "norm").statistic)


def test_the_most_likely_parameters_are_scipys_with_the_textbooks_errors() -> None:
    values = stats.gamma.rvs(2, size=400, random_state=0)

    def exponential_loss(p: Tensor) -> Tensor:
        return (values * exp(p[0]) - p[0]).sum()  # p is the logarithm of the rate

    fit = maximum_likelihood(exponential_loss, [0.0])
    assert np.exp(fit.parameters[0]) == pytest.approx(1 / stats.expon.fit(values, floc=0)[1])
    assert fit.standard_errors[0] == pytest.approx(1 / 20)  # 1 / √n of a logarithm
    assert fit.log_likelihood == pytest.approx(
        stats.expon.logpdf(values, scale=values.mean()).sum()
    )

    def normal_loss(p: Tensor) -> Tensor:
        z = (values - p[0]) * exp(-p[1])
        return (0.5 * z * z + p[1]).sum()

    both = maximum_likelihood(normal_loss, [1.0, 0.0])
    assert (both.parameters[0], np.exp(both.parameters[1])) == pytest.approx(stats.norm.fit(values))
    assert both.standard_errors[0] == pytest.approx(values.std() / 20)


def test_a_likelihood_without_a_maximum_is_refused() -> None:
    with pytest.raises(NumbersError, match="maximum"):
        maximum_likelihood(lambda p: -log(p[0] * p[0] + 1.0), [1.0])
    with pytest.raises(NumbersError, match="does not bend in every direction"):
        maximum_likelihood(lambda p: (p[0] + p[1]) ** 2, [1.0, 1.0])


def test_a_positive_test_for_a_rare_illness_is_mostly_a_false_alarm() -> None:
    ill, well = bayes([0.001, 0.999], [0.99, 0.05])
    assert ill == pytest.approx(0.001 * 0.99 / (0.001 * 0.99 + 0.999 * 0.05))
    assert ill < 0.02
    assert ill + well == pytest.approx(1.0)
    with pytest.raises(NumbersError, match="impossible under every hypothesis"):
        bayes([1.0, 0.0], [0.0, 1.0])


@settings(deadline=None)
@given(k=st.integers(0, 50), more=st.integers(0, 50), a=st.floats(0.5, 5), b=st.floats(0.5, 5))
def test_beliefs_learn_the_same_at_once_or_one_by_one(
    k: int, more: int, a: float, b: float
) -> None:
    at_once = Belief(a, b).after(k, more)
    step_by_step = Belief(a, b).after(k, 0).after(0, more)
    assert at_once.mean == pytest.approx(step_by_step.mean)
    beta = stats.beta(a + k, b + more)
    assert at_once.mean == pytest.approx(beta.mean())
    assert at_once.interval(0.9) == pytest.approx((beta.ppf(0.05), beta.ppf(0.95)))


def test_a_bootstrap_is_scipys_and_covers_the_truth() -> None:
    values = np.random.default_rng(0).exponential(size=60)
    ours = bootstrap(values, n_resamples=20_000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    assert ours.estimate == values.mean()
    covered = [
        one.low <= np.log(2) <= one.high
        for seed in range(100)
        for one in [bootstrap(np.random.default_rng(seed).exponential(size=80), np.median,
                              n_resamples=400)]
    ]  # fmt: skip
    assert np.mean(covered) > 0.85


@settings(deadline=None)
@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_corrections_are_ordered_and_never_lower_a_p_value(p: list[float]) -> None:
    raw, bh, by_holm, most = np.array(p), benjamini_hochberg(p), holm(p), bonferroni(p)
    assert (raw <= bh + 1e-15).all()
    assert (bh <= by_holm + 1e-12).all()
    assert (by_holm <= most + 1e-15).all()
    assert (np.diff(by_holm[np.argsort(raw, kind="stable")]) >= 0).all()


def test_twenty_tests_of_nothing_cry_alarm_and_corrections_keep_it_at_five_percent() -> None:
    rates = false_alarm_rates(20)
    assert rates["none"] == pytest.approx(1 - 0.95**20, abs=0.03)
    assert all(0.035 < rates[name] < 0.065 for name in rates if name != "none")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: normal(0, 0), "std=0"),
        (lambda: uniform(1, 1), "low must be below high"),
        (lambda: binomial(1, 1.5), "p=1.5"),
        (lambda: sample_means(cauchy(), 5), "cauchy has no variance"),
        (lambda: running_means(normal(), 10**9), "5,000,000,000 draws"),
        (lambda: bootstrap([1.0]), "at least two numbers"),
        (lambda: Belief(0.0, 1.0), "positive numbers only"),
        (lambda: bayes([0.5, 0.5], [1.0]), "equal shapes"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, words) -> None:
    with pytest.raises(NumbersError, match=re.escape(words)):
        wrong()
