"""The benches of the probability room: a question in, the numbers of a picture and its finding out.

Each is one pure function over `probability.py`; it chooses what is worth drawing and thins it.
Knows no HTTP and no page. Read next: `bench_routes.py`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from p0_foundations.autodiff import Floats, Tensor, exp, softplus
from p0_foundations.bench_contracts import (
    Alarms,
    BayesAnswer,
    BayesQuestion,
    BootstrapAnswer,
    BootstrapQuestion,
    CentralLimitAnswer,
    CentralLimitQuestion,
    DistributionAnswer,
    DistributionQuestion,
    Histogram,
    LargeNumbersAnswer,
    LargeNumbersQuestion,
    LikelihoodAnswer,
    LikelihoodQuestion,
    ManyTestsAnswer,
    ManyTestsQuestion,
    Model,
    Numbers,
    Source,
    Statistic,
)
from p0_foundations.errors import NumbersError
from p0_foundations.probability import (
    CORRECTIONS,
    Belief,
    Distribution,
    binomial,
    bootstrap,
    cauchy,
    exponential,
    false_alarm_rates,
    maximum_likelihood,
    normal,
    poisson,
    running_means,
    sample_means,
    uniform,
)

N_BINS = 60
N_ON_PATH = 160
N_ON_CURVE = 201
N_REPEATS = 4_000
LARGEST_ERROR = 10.0
"""Of a free parameter: beyond it the top of the likelihood lies at infinity."""
Z95 = 1.959963984540054
MAKERS: dict[Source, Callable[[float, float], Distribution]] = {
    "normal": normal,
    "uniform": uniform,
    "exponential": lambda a, _: exponential(a),
    "coin": lambda a, b: binomial(max(1, round(b)), a),
    "poisson": lambda a, _: poisson(a),
    "cauchy": cauchy,
}
USUAL: dict[Source, Distribution] = {
    "normal": normal(),
    "uniform": uniform(),
    "exponential": exponential(),
    "coin": binomial(),
    "poisson": poisson(2.0),
    "cauchy": cauchy(),
}
STATISTICS: dict[Statistic, Callable[..., Floats]] = {
    "mean": np.mean,
    "median": np.median,
    "std": np.std,
}


def distributions(asked: DistributionQuestion) -> DistributionAnswer:
    """Draw a sample and lay it over its density."""
    source = MAKERS[asked.source](asked.a, asked.b)
    drawn = source.draw(np.random.default_rng(asked.seed), (asked.n,))
    mean, std = _known(source.mean), _known(math.sqrt(source.variance))
    error = None if std is None else std / math.sqrt(asked.n)
    sample_mean = float(drawn.mean())
    if mean is None or error is None:
        says = f"There is no mean: these {asked.n:,} average {sample_mean:.3g}, others will not"
    else:
        found = f"{sample_mean:.3g} ± {Z95 * error:.2g}"
        says = f"{asked.n:,} draws average {found}; the mean is {mean:.3g}"
    return DistributionAnswer(
        says=says,
        histogram=_histogram(drawn, source.density, is_discrete=source.is_discrete),
        mean=mean,
        std=std,
        sample_mean=sample_mean,
        standard_error=error,
    )


def large_numbers(asked: LargeNumbersQuestion) -> LargeNumbersAnswer:
    """Average the first k draws, for growing k."""
    source = USUAL[asked.source]
    means = running_means(source, asked.n, n_paths=asked.n_paths, seed=asked.seed)
    at = np.unique(np.geomspace(1, asked.n, N_ON_PATH).round().astype(int))
    spread = Z95 * math.sqrt(source.variance) / np.sqrt(at)
    last = means[:, -1]
    if math.isnan(source.mean):
        reach = f"{last.min():.2g} to {last.max():.2g}"
        says = f"After {asked.n:,} draws the averages are {reach}: they never settle"
    else:
        far = np.abs(last - source.mean).max()
        says = f"After {asked.n:,} draws every average is within {far:.2g} of {source.mean:g}"
    has_band = not math.isnan(source.variance)
    return LargeNumbersAnswer(
        says=says,
        at=tuple(at.tolist()),
        paths=tuple(_numbers(path[at - 1]) for path in means),
        mean=_known(source.mean),
        low=_numbers(source.mean - spread) if has_band else (),
        high=_numbers(source.mean + spread) if has_band else (),
    )


def central_limit(asked: CentralLimitQuestion) -> CentralLimitAnswer:
    """Standardise the means of many samples and lay them over the normal curve."""
    source = USUAL[asked.source]
    if math.isnan(source.variance):
        rng = np.random.default_rng(asked.seed)
        means = source.draw(rng, (asked.n_samples, asked.size)).mean(axis=1)
        return CentralLimitAnswer(
            says=f"Averages of {asked.size} spread like single values: no variance, no theorem",
            histogram=_histogram(means, source.density, window=(-8.0, 8.0)),
            distance=None,
        )
    found = sample_means(source, asked.size, n_samples=asked.n_samples, seed=asked.seed)
    return CentralLimitAnswer(
        says=f"Averages of {asked.size} are at most {found.distance:.2g} from the normal curve",
        histogram=_histogram(found.standardised, normal().density, window=(-4.0, 4.0)),
        distance=found.distance,
    )


@dataclass(frozen=True)
class _Family:
    """A model of one parameter, by a free number θ that may be any: rate = exp θ, and so on."""

    sample: Callable[[float], Distribution]
    loss: Callable[[Floats, Tensor], Tensor]
    free: Callable[[float], float]
    natural: Callable[[float], float]


FAMILIES: dict[Model, _Family] = {
    "waiting times": _Family(exponential, lambda x, t: (x * exp(t) - t).sum(), math.log, math.exp),
    "counts": _Family(poisson, lambda x, t: (exp(t) - x * t).sum(), math.log, math.exp),
    "coin": _Family(
        lambda share: binomial(1, share),
        lambda x, t: (softplus(t) - x * t).sum(),
        lambda share: math.log(share / (1 - share)),
        lambda t: 1 / (1 + math.exp(-t)),
    ),
    "measurements": _Family(
        normal, lambda x, t: (0.5 * (x - t) ** 2).sum(), lambda mean: mean, lambda t: t
    ),
}


def likelihood(asked: LikelihoodQuestion) -> LikelihoodAnswer:
    """Draw data with a known parameter, forget it, and find which makes them most likely."""
    family = FAMILIES[asked.model]
    if asked.model == "coin" and not 0 < asked.truth < 1:
        raise NumbersError(f"truth={asked.truth}: a coin's share lies between 0 and 1")
    values = family.sample(asked.truth).draw(np.random.default_rng(asked.seed), (asked.n,))

    def loss(theta: Tensor) -> Tensor:
        return family.loss(values, theta[0])

    fit = maximum_likelihood(loss, [family.free(asked.truth)])
    best, error = float(fit.parameters[0]), float(fit.standard_errors[0])
    if not error < LARGEST_ERROR:
        raise NumbersError(
            f"these {asked.n} values are all alike, so ever more extreme parameters become more "
            "likely: draw more, or another sample"
        )
    thetas = np.linspace(best - 4 * error, best + 4 * error, N_ON_CURVE)
    share = [math.exp(-loss(Tensor([one])).item() - fit.log_likelihood) for one in thetas]
    parameter = np.array([family.natural(one) for one in thetas])
    low, high = (family.natural(best + side * Z95 * error) for side in (-1, 1))
    at = float(np.clip(asked.truth if asked.at is None else asked.at, parameter[0], parameter[-1]))
    tried = family.sample(at)
    top = family.natural(best)
    return LikelihoodAnswer(
        says=f"Most likely is {top:.3g} (95 %: {low:.3g} to {high:.3g}); "
        f"the data were drawn with {asked.truth:g}",
        values=_numbers(values),
        parameter=_numbers(parameter),
        likelihood=_numbers(share),
        best=top,
        low=low,
        high=high,
        at=at,
        at_likelihood=float(np.interp(at, parameter, share)),
        histogram=_histogram(values, tried.density, is_discrete=tried.is_discrete, n_bins=24),
    )


def bayes_update(asked: BayesQuestion) -> BayesAnswer:
    """Flip the coin so often and update the belief in its share of heads."""
    flips = np.random.default_rng(asked.seed).random(asked.n_flips) < asked.share
    n_heads = int(flips.sum())
    before = Belief(asked.a, asked.b)
    after = before.after(n_heads, asked.n_flips - n_heads)
    low, high = after.interval()
    share = np.linspace(0, 1, N_ON_CURVE + 2)[1:-1]
    seen = f"{n_heads} heads in {asked.n_flips} flips" if asked.n_flips else "Before any flip"
    return BayesAnswer(
        says=f"{seen}: the share of heads is {after.mean:.3g}, "
        f"95 % sure it is {low:.2g} to {high:.2g}",
        n_heads=n_heads,
        share=_numbers(share),
        prior=_numbers(before.density(share)),
        posterior=_numbers(after.density(share)),
        mean=after.mean,
        low=low,
        high=high,
    )


def bootstrap_interval(asked: BootstrapQuestion) -> BootstrapAnswer:
    """Resample the sample and look at how the statistic spreads."""
    found = bootstrap(
        asked.values,
        STATISTICS[asked.statistic],
        level=asked.level,
        n_resamples=asked.n_resamples,
        seed=asked.seed,
    )
    spread = float(found.draws.std())
    curve = normal(float(found.draws.mean()), spread).density if spread > 0 else np.zeros_like
    return BootstrapAnswer(
        says=f"The {asked.statistic} is {found.estimate:.4g}, {100 * asked.level:.3g} % interval "
        f"{found.low:.4g} to {found.high:.4g}",
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        histogram=_histogram(found.draws, curve, n_bins=40),
    )


def many_tests(asked: ManyTestsQuestion) -> ManyTestsAnswer:
    """Test nothing many times, and count how often something is found."""
    p_values = np.sort(np.random.default_rng(asked.seed).random(asked.n_tests))
    rates = false_alarm_rates(
        asked.n_tests, alpha=asked.alpha, n_repeats=N_REPEATS, seed=asked.seed
    )
    alarms = []
    for name, correct in CORRECTIONS.items():
        low, high = _wilson(rates[name], N_REPEATS)
        n_now = int((correct(p_values) <= asked.alpha).sum())
        alarms.append(Alarms(correction=name, rate=rates[name], low=low, high=high, n_now=n_now))
    return ManyTestsAnswer(
        says=f"{asked.n_tests} tests of nothing: {100 * rates['none']:.0f} % of experiments "
        f"“find” something, {100 * rates['holm']:.1f} % once corrected",
        p_values=_numbers(p_values),
        alarms=tuple(alarms),
        n_repeats=N_REPEATS,
    )


def _wilson(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of n (Wilson 1927)."""
    shrink = 1 + Z95**2 / n
    middle = (share + Z95**2 / (2 * n)) / shrink
    reach = Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2)) / shrink
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _histogram(
    values: Floats,
    density: Callable[[ArrayLike], Floats],
    *,
    window: tuple[float, float] | None = None,
    is_discrete: bool = False,
    n_bins: int = N_BINS,
) -> Histogram:
    """Count values in equal bins; without a window, from the first to the last percent or so."""
    if is_discrete:
        low, high = float(values.min()) - 0.5, float(values.max()) + 0.5
        n_bins = max(1, round(high - low))
    else:
        low, high = window or _reach(values)
    edges = np.linspace(low, high, n_bins + 1)
    counts, _ = np.histogram(values, edges)
    x = (edges[1:] + edges[:-1]) / 2
    return Histogram(
        x=_numbers(x),
        low=low,
        high=high,
        observed=_numbers(counts / (len(values) * (edges[1] - edges[0]))),
        expected=_numbers(density(x.round(6) if is_discrete else x)),
    )


def _reach(values: Floats) -> tuple[float, float]:
    """Return a range that shows nearly all values and is not blown up by the wildest."""
    low, q1, q3, high = np.quantile(values, [0.0, 0.25, 0.75, 1.0])
    fence = 4 * (q3 - q1) or 1.0
    low, high = max(low, q1 - fence), min(high, q3 + fence)
    is_wide = high - low > 1e-6 * max(abs(low), abs(high))  # else bins are finer than floats
    return (float(low), float(high)) if is_wide else (float(low) - 0.5, float(low) + 0.5)


def _numbers(values: ArrayLike) -> Numbers:
    """Return values in six digits: more is not drawn."""
    return tuple(float(f"{one:.6g}") for one in np.asarray(values, dtype=np.float64).tolist())


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
