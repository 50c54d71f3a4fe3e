"""Probability by simulation and by formula: how values spread, and what a sample can tell.

Distributions, the law of large numbers, the central limit theorem, maximum likelihood, Bayes'
rule, the bootstrap, and the trap of many tests. Every random result takes a seed. Knows no
picture: `probability_pictures.py` draws what is computed here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike
from scipy import special, stats

from p0_foundations.autodiff import Floats
from p0_foundations.descent import Function, Verdict, hessian, minimise
from p0_foundations.errors import NumbersError
from p0_foundations.optimisers import Newton

MAX_DRAWS = 10_000_000


@dataclass(frozen=True)
class Distribution:
    """A way for values to spread: its density (or probability, if discrete), moments and draws.

    Mean and variance are NaN where they do not exist.
    """

    name: str
    mean: float
    variance: float
    is_discrete: bool
    density: Callable[[ArrayLike], Floats]
    draw: Callable[[Generator, tuple[int, ...]], Floats]


def normal(mean: float = 0.0, std: float = 1.0) -> Distribution:
    """Sums of many small independent causes."""
    _check(std > 0, f"std={std}: a positive number is accepted")

    def density(x: ArrayLike) -> Floats:
        z = (np.asarray(x, dtype=np.float64) - mean) / std
        return np.exp(-0.5 * z * z) / (std * np.sqrt(2 * np.pi))

    return Distribution(
        "normal", mean, std**2, False, density, lambda rng, shape: rng.normal(mean, std, shape)
    )


def uniform(low: float = 0.0, high: float = 1.0) -> Distribution:
    """Every value of a range alike."""
    _check(low < high, f"low={low}, high={high}: low must be below high")

    def density(x: ArrayLike) -> Floats:
        inside = (np.asarray(x) >= low) & (np.asarray(x) <= high)
        return inside / (high - low)

    middle, variance = (low + high) / 2, (high - low) ** 2 / 12
    return Distribution(
        "uniform", middle, variance, False, density, lambda rng, s: rng.uniform(low, high, s)
    )


def exponential(rate: float = 1.0) -> Distribution:
    """Waiting times for what happens at a constant rate."""
    _check(rate > 0, f"rate={rate}: a positive number is accepted")

    def density(x: ArrayLike) -> Floats:
        t = np.asarray(x, dtype=np.float64)
        return np.where(t < 0, 0.0, rate * np.exp(-rate * np.maximum(t, 0.0)))

    return Distribution(
        "exponential", 1 / rate, rate**-2, False, density,
        lambda rng, shape: rng.exponential(1 / rate, shape),
    )  # fmt: skip


def binomial(n: int = 1, p: float = 0.5) -> Distribution:
    """Successes in n independent tries; with n = 1 a coin (Bernoulli)."""
    _check(n >= 1 and 0 <= p <= 1, f"n={n}, p={p}: at least one try, a share from 0 to 1")

    def density(x: ArrayLike) -> Floats:
        k = np.asarray(x, dtype=np.float64)
        is_value = (k >= 0) & (k <= n) & (k == np.floor(k))
        k = np.where(is_value, k, 0.0)
        ways = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
        log_p = ways + special.xlogy(k, p) + special.xlog1py(n - k, -p)
        return np.where(is_value, np.exp(log_p), 0.0)

    return Distribution(
        "binomial", n * p, n * p * (1 - p), True, density,
        lambda rng, shape: rng.binomial(n, p, shape).astype(np.float64),
    )  # fmt: skip


def poisson(rate: float = 1.0) -> Distribution:
    """Counts of what happens at a constant rate."""
    _check(rate > 0, f"rate={rate}: a positive number is accepted")

    def density(x: ArrayLike) -> Floats:
        k = np.asarray(x, dtype=np.float64)
        is_value = (k >= 0) & (k == np.floor(k))
        k = np.where(is_value, k, 0.0)
        log_p = special.xlogy(k, rate) - rate - special.gammaln(k + 1)
        return np.where(is_value, np.exp(log_p), 0.0)

    return Distribution(
        "poisson", rate, rate, True, density,
        lambda rng, shape: rng.poisson(rate, shape).astype(np.float64),
    )  # fmt: skip


def cauchy(middle: float = 0.0, scale: float = 1.0) -> Distribution:
    """Tails so heavy that there is no mean: averages of it never settle."""
    _check(scale > 0, f"scale={scale}: a positive number is accepted")

    def density(x: ArrayLike) -> Floats:
        z = (np.asarray(x, dtype=np.float64) - middle) / scale
        return 1.0 / (np.pi * scale * (1.0 + z * z))

    return Distribution(
        "cauchy", np.nan, np.nan, False, density,
        lambda rng, shape: middle + scale * rng.standard_cauchy(shape),
    )  # fmt: skip


def running_means(source: Distribution, n: int, *, n_paths: int = 5, seed: int = 0) -> Floats:
    """Return the mean of the first 1 to n draws, for several paths (n_paths, n).

    The law of large numbers: with a mean, they close in on it, as 1/√n; without, never.
    """
    drawn = _drawn(source, (n_paths, n), seed)
    return np.cumsum(drawn, axis=1) / np.arange(1, n + 1)


@dataclass(frozen=True)
class SampleMeans:
    """Means of many samples, in units of their standard error, and how far they are from normal.

    `distance` is Kolmogorov's: the largest gap between their distribution and the normal one.
    """

    standardised: Floats
    size: int
    distance: float


def sample_means(
    source: Distribution, size: int, *, n_samples: int = 10_000, seed: int = 0
) -> SampleMeans:
    """Draw samples of a size and standardise their means: the central limit theorem.

    Whatever the source, if it has a variance, the distance to the normal shrinks as 1/√size
    (Berry 1941, Esseen 1942).
    """
    _check(np.isfinite(source.variance), f"{source.name} has no variance: the theorem is silent")
    means = _drawn(source, (n_samples, size), seed).mean(axis=1)
    z = np.sort((means - source.mean) / np.sqrt(source.variance / size))
    _, counts = np.unique(z, return_counts=True)
    upto = np.cumsum(counts) / n_samples
    at = special.ndtr(z[np.cumsum(counts) - 1])
    below = upto - counts / n_samples
    return SampleMeans(z, size, float(np.maximum(np.abs(upto - at), np.abs(below - at)).max()))


@dataclass(frozen=True)
class Fit:
    """The most likely parameters, and how sure the data make them (one standard error each)."""

    parameters: Floats
    standard_errors: Floats
    log_likelihood: float


def maximum_likelihood(negative_log_likelihood: Function, start: ArrayLike) -> Fit:
    """Find the parameters under which the data are most likely, by Newton's method.

    The function is of a parameter tensor (k,), built from autodiff's operations. Standard errors
    are from the inverse of its Hessian, the observed information (Efron and Hinkley 1978).
    """
    path = minimise(negative_log_likelihood, start, Newton(), steps=500, tolerance=1e-8)
    if path.verdict is Verdict.DIVERGED:
        raise NumbersError(f"no maximum of the likelihood: {path.reason}")
    information = hessian(negative_log_likelihood, path.points[-1])
    bends = np.linalg.eigvalsh(information)
    _check(bends[0] > 0, "the likelihood does not bend in every direction: it has no one maximum")
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    return Fit(path.points[-1], errors, -float(path.losses[-1]))


def bayes(prior: ArrayLike, likelihood: ArrayLike) -> Floats:
    """Update beliefs (k,) in k hypotheses by how likely each makes what was seen (k,)."""
    before, given = np.asarray(prior, dtype=np.float64), np.asarray(likelihood, dtype=np.float64)
    _check(
        before.shape == given.shape and bool((before >= 0).all() and (given >= 0).all()),
        f"prior {before.shape}, likelihood {given.shape}: equal shapes, nothing negative",
    )
    joint = before * given
    _check(joint.sum() > 0, "what was seen is impossible under every hypothesis that is believed")
    return joint / joint.sum()


@dataclass(frozen=True)
class Belief:
    """What is believed of a share, as a beta distribution; (1, 1) is to know nothing."""

    a: float = 1.0
    b: float = 1.0

    def __post_init__(self) -> None:
        _check(self.a > 0 and self.b > 0, f"Belief({self.a}, {self.b}): positive numbers only")

    def after(self, n_successes: int, n_failures: int) -> "Belief":
        """Return the belief after seeing successes and failures: conjugate, so they just add."""
        _check(min(n_successes, n_failures) >= 0, "counts of what was seen are not negative")
        return Belief(self.a + n_successes, self.b + n_failures)

    @property
    def mean(self) -> float:
        """The expected share."""
        return self.a / (self.a + self.b)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the range that holds the share with this probability, equal tails."""
        tail = (1 - level) / 2
        low, high = special.betaincinv(self.a, self.b, [tail, 1 - tail])
        return float(low), float(high)

    def density(self, share: ArrayLike) -> Floats:
        """Return how strongly each share is believed."""
        return np.asarray(stats.beta.pdf(share, self.a, self.b), dtype=np.float64)


@dataclass(frozen=True)
class Bootstrap:
    """A statistic, its values on resamples, and the range of their middle `level`."""

    estimate: float
    draws: Floats
    low: float
    high: float
    level: float


def bootstrap(
    values: ArrayLike,
    statistic: Callable[..., Floats] = np.mean,
    *,
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 0,
) -> Bootstrap:
    """Say how sure a statistic is by drawing from the sample itself, with replacement.

    `statistic` takes `axis`. Percentile interval: Efron and Tibshirani (1993), chapter 13. For
    ratios, clusters and BCa, `common.evaluation` has the production's one.
    """
    sample = np.asarray(values, dtype=np.float64)
    _check(sample.ndim == 1 and sample.size >= 2, "a list of at least two numbers is accepted")
    _check(0 < level < 1 and n_resamples * sample.size <= MAX_DRAWS, "too many draws, or no level")
    places = np.random.default_rng(seed).integers(0, sample.size, (n_resamples, sample.size))
    draws = np.asarray(statistic(sample[places], axis=1), dtype=np.float64)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Bootstrap(float(statistic(sample, axis=0)), draws, float(low), float(high), level)


def bonferroni(p_values: ArrayLike) -> Floats:
    """Multiply p-values by their number: the chance of any false alarm stays below alpha."""
    p = np.asarray(p_values, dtype=np.float64)
    return np.minimum(p * p.shape[-1], 1.0)


def holm(p_values: ArrayLike) -> Floats:
    """Promise what Bonferroni does, and never find less (Holm 1979)."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, axis=-1)
    steps = np.take_along_axis(p, order, -1) * np.arange(p.shape[-1], 0, -1)
    found = np.empty_like(p)
    np.put_along_axis(found, order, np.minimum(np.maximum.accumulate(steps, -1), 1.0), -1)
    return found


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Bound the expected share of false ones among the alarms (Benjamini and Hochberg 1995)."""
    return np.asarray(stats.false_discovery_control(p_values, axis=-1), dtype=np.float64)


CORRECTIONS: dict[str, Callable[[ArrayLike], Floats]] = {
    "none": np.asarray,
    "bonferroni": bonferroni,
    "holm": holm,
    "benjamini-hochberg": benjamini_hochberg,
}


def false_alarm_rates(
    n_tests: int, *, alpha: float = 0.05, n_repeats: int = 4_000, seed: int = 0
) -> dict[str, float]:
    """Return how often at least one of many tests of nothing cries alarm, by correction.

    Nothing is there to be found, so each p-value is uniform; without correction the rate is
    1 - (1 - alpha)^n_tests: 64 % for twenty tests.
    """
    _check(
        n_tests >= 1 and n_tests * n_repeats <= MAX_DRAWS, f"{n_tests} tests are too many or few"
    )
    p_values = np.random.default_rng(seed).random((n_repeats, n_tests))
    return {
        name: float((correct(p_values) <= alpha).any(axis=1).mean())
        for name, correct in CORRECTIONS.items()
    }


def _drawn(source: Distribution, shape: tuple[int, int], seed: int) -> Floats:
    n = shape[0] * shape[1]
    _check(min(shape) >= 1 and n <= MAX_DRAWS, f"{n:,} draws; accepted: 1 to {MAX_DRAWS:,}")
    return source.draw(np.random.default_rng(seed), shape)


def _check(is_right: bool, message: str) -> None:
    if not is_right:
        raise NumbersError(message)
