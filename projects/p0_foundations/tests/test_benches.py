"""The probability benches: right figures with intervals, the seed decides, refusals in words."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from common.service.client import ServiceClient, connect_app
from p0_foundations.api import create_app
from p0_foundations.bench_contracts import (
    BayesQuestion,
    BootstrapQuestion,
    CentralLimitQuestion,
    DistributionQuestion,
    LargeNumbersQuestion,
    LikelihoodQuestion,
    ManyTestsQuestion,
)
from p0_foundations.benches import (
    FAMILIES,
    MAKERS,
    bayes_update,
    bootstrap_interval,
    central_limit,
    distributions,
    large_numbers,
    likelihood,
    many_tests,
)
from p0_foundations.errors import NumbersError
from p0_foundations.settings import Settings

pytestmark = pytest.mark.anyio
BENCHES: dict[str, dict[str, object]] = {
    "distributions": {},
    "large-numbers": {},
    "central-limit": {},
    "likelihood": {},
    "bayes": {"n_flips": 10},
    "bootstrap": {"values": [1, 2, 3, 9]},
    "many-tests": {},
}
PARAMETERS: dict[str, tuple[float, float]] = {
    "exponential": (1, 1),
    "coin": (0.3, 10),
    "poisson": (4, 1),
}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncGenerator[ServiceClient]:
    async with connect_app(create_app(Settings(data_dir=tmp_path / "data"))) as client:
        yield client


@pytest.mark.parametrize("bench", BENCHES)
async def test_every_bench_answers_with_its_finding_and_the_seed_decides(
    lab: ServiceClient, bench: str
) -> None:
    first, again, other = [
        await lab.http.post(f"/v1/probability/{bench}", json=BENCHES[bench] | {"seed": seed})
        for seed in (1, 1, 2)
    ]
    assert first.status_code == 200
    assert first.json()["says"]
    assert first.content == again.content
    assert first.content != other.content
    assert len(first.content) < 20_000


@pytest.mark.parametrize("source", MAKERS)
def test_the_bars_of_a_large_sample_lie_on_the_curve(source: str) -> None:
    a, b = PARAMETERS.get(source, (0, 1))
    found = distributions(DistributionQuestion(source=source, a=a, b=b, n=100_000))
    seen, curve = found.histogram.observed, found.histogram.expected
    inner = slice(1, -1)  # an outermost bin may be cut in two by the edge of the support
    assert seen[inner] == pytest.approx(curve[inner], abs=0.12 * max(curve))


def test_the_cauchy_has_no_mean_and_says_so() -> None:
    found = distributions(DistributionQuestion(source="cauchy"))
    assert (found.mean, found.std, found.standard_error) == (None, None, None)
    assert "There is no mean" in found.says
    assert "never settle" in large_numbers(LargeNumbersQuestion(source="cauchy")).says
    assert "no theorem" in central_limit(CentralLimitQuestion(source="cauchy")).says


def test_averages_come_within_the_funnel_of_the_law() -> None:
    found = large_numbers(LargeNumbersQuestion(source="coin", n=10_000, n_paths=8))
    ends = [path[-1] for path in found.paths]
    assert sum(found.low[-1] <= one <= found.high[-1] for one in ends) >= 6
    assert found.at[0] == 1
    assert found.at[-1] == 10_000


def test_larger_samples_are_closer_to_the_normal() -> None:
    small, large = (central_limit(CentralLimitQuestion(size=k)) for k in (1, 50))
    assert large.distance < small.distance / 3


@pytest.mark.parametrize(
    ("model", "truth"), [("waiting times", 2), ("counts", 3), ("coin", 0.3), ("measurements", 5)]
)
def test_the_most_likely_parameter_is_the_textbooks(model: str, truth: float) -> None:
    found = likelihood(LikelihoodQuestion(model=model, truth=truth, n=500, at=truth))
    mean = sum(found.values) / 500
    assert found.best == pytest.approx(1 / mean if model == "waiting times" else mean, rel=1e-4)
    assert found.low < found.best < found.high
    assert max(found.likelihood) == pytest.approx(1.0)
    assert set(FAMILIES) == {"waiting times", "counts", "coin", "measurements"}


def test_the_likelihoods_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    asked = [LikelihoodQuestion(truth=2, n=100, seed=seed) for seed in range(60)]
    held = sum(found.low < 2 < found.high for found in map(likelihood, asked))
    assert held >= 51
    assert held < 60


def test_data_that_are_all_alike_have_no_likeliest_parameter() -> None:
    with pytest.raises(NumbersError, match="all alike"):
        likelihood(LikelihoodQuestion(model="coin", truth=0.999, n=3))


def test_flips_narrow_the_belief_around_the_coins_share() -> None:
    few, many = (bayes_update(BayesQuestion(n_flips=n)) for n in (10, 1_000))
    assert many.high - many.low < (few.high - few.low) / 3
    assert many.low < 0.7 < many.high
    assert many.mean == pytest.approx((many.n_heads + 1) / 1_002)


def test_the_bootstraps_interval_holds_the_estimate() -> None:
    found = bootstrap_interval(BootstrapQuestion(values=(3, 5, 7, 9, 30), statistic="median"))
    assert found.estimate == 7
    assert found.low <= 7 <= found.high


def test_without_correction_twenty_tests_of_nothing_mostly_find_something() -> None:
    found = many_tests(ManyTestsQuestion(n_tests=20))
    by_name = {one.correction: one for one in found.alarms}
    assert by_name["none"].low < 1 - 0.95**20 < by_name["none"].high
    assert by_name["holm"].low <= 0.05


@pytest.mark.parametrize(
    ("bench", "asked", "words"),
    [
        ("distributions", {"source": "uniform", "a": 2, "b": 1}, "low must be below high"),
        ("distributions", {"source": "coin", "a": 2}, "a share from 0 to 1"),
        ("likelihood", {"model": "coin", "truth": 3}, "between 0 and 1"),
        ("bootstrap", {"values": [1, "two"]}, "values.1"),
        ("bootstrap", {"values": [1]}, "values"),
        ("large-numbers", {"n": 10**9}, "n"),
    ],
)
async def test_what_cannot_be_computed_is_refused_in_words(
    lab: ServiceClient, bench: str, asked: dict[str, object], words: str
) -> None:
    answer = await lab.http.post(f"/v1/probability/{bench}", json=asked)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
