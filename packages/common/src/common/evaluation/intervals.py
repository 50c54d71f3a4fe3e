"""Intervals: bootstrap (percentile, basic, BCa; of examples or of clusters) and Wilson.

A resample is a row of counts: how often each example was drawn. A statistic maps a matrix of such
rows to one figure a row, so a thousand resamples are a few matrix products instead of a thousand
calls, and several figures share the same draws. `resample` makes them; `interval` reads them.

Sources: Efron & Tibshirani, "An Introduction to the Bootstrap" (1993), 13.3 (percentile), 14.3
(BCa); Davison & Hinkley (1997), 5.2 (basic), 2.4 (clusters); Wilson (1927).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri
from scipy.stats import binomtest

from common.evaluation.estimates import Estimate, EvaluationError
from common.evaluation.inputs import Floats, Integers, clusters, numbers

Method: TypeAlias = Literal["percentile", "basic", "bca"]
Statistic: TypeAlias = Callable[[Floats], Floats]
"""Rows of counts (B, n) to figures (B,); NaN where a resample has none (a class is lacking)."""

N_RESAMPLES = 2000
LEVEL = 0.95
MAX_CELLS = 4_000_000
"""Counts held at once: 32 MB, whatever the number of examples."""
MAX_LEFT_OUT = 500
"""Leave-one-out figures for BCa; beyond it blocks of examples are left out."""
MIN_SHARE_DEFINED = 0.5


def wilson_interval(n_successes: int, n: int, *, level: float = LEVEL) -> Estimate:
    """Return a proportion with Wilson's score interval: right also near 0 and 1."""
    if not 0 <= n_successes <= n or n < 1:
        raise EvaluationError(f"{n_successes} of {n} is no proportion; accepted: 0 to n, n ≥ 1")
    found = binomtest(n_successes, n).proportion_ci(_checked_level(level), method="wilson")
    low, high = float(found.low), float(found.high)
    return Estimate(
        value=n_successes / n, low=low, high=high, n=n, method="Wilson score", level=level
    )


def bootstrap_interval(
    statistic: Callable[..., float],
    *samples: ArrayLike,
    groups: ArrayLike | None = None,
    method: Method = "percentile",
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Return any statistic of paired arrays with a bootstrap interval.

    `statistic` is called once a resample with the arrays' drawn rows, so a slow one costs
    `n_resamples` times its time; the metrics of this package have a faster way.
    """
    arrays = [np.asarray(sample) for sample in samples]
    n = len(arrays[0]) if arrays else 0
    if n < 2 or any(len(array) != n for array in arrays):
        sizes = ", ".join(str(len(array)) for array in arrays) or "none"
        raise EvaluationError(f"samples have lengths {sizes}; accepted: equal, two or more")

    def rows(counts: Floats) -> Floats:
        drawn = (np.repeat(np.arange(n), row.astype(np.int64)) for row in counts)
        return np.array([float(statistic(*(array[at] for array in arrays))) for at in drawn])

    return estimates(
        {"statistic": rows}, n, groups=groups, method=method, level=level,
        n_resamples=n_resamples, seed=seed,
    )["statistic"]  # fmt: skip


def mean_interval(
    scores: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    method: Method = "percentile",
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Return the mean of one score an example with its bootstrap interval."""
    values = numbers("scores", scores)
    return estimates(
        {"mean": mean_of(values)}, len(values), groups=groups, method=method, level=level,
        n_resamples=n_resamples, seed=seed,
    )["mean"]  # fmt: skip


def mean_of(scores: Floats) -> Statistic:
    """Return the statistic "mean of these scores"."""
    return lambda counts: counts @ scores / counts.sum(axis=1)


def estimates(
    statistics: Mapping[str, Statistic],
    n: int,
    *,
    groups: ArrayLike | None = None,
    method: Method = "percentile",
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return every statistic of the same `n` examples with its interval, from shared draws."""
    _checked_level(level)
    of_group = clusters(groups, n)
    values = {name: float(one(np.ones((1, n)))[0]) for name, one in statistics.items()}
    draws = resample(statistics, n, of_group, n_resamples=n_resamples, seed=seed)
    left_out = _left_out(statistics, n, of_group) if method == "bca" else {}
    found = {}
    for name, value in values.items():
        if not np.isfinite(value):
            raise EvaluationError(f"{name} is not defined on these {n} examples")
        low, high = interval(value, draws[name], level, method, left_out.get(name))
        found[name] = Estimate(
            value=value, low=low, high=high, n=n, level=level,
            method=_description(method, n_resamples, of_group),
            n_groups=None if of_group is None else int(of_group.max()) + 1,
        )  # fmt: skip
    return found


def resample(
    statistics: Mapping[str, Statistic],
    n: int,
    of_group: Integers | None = None,
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Floats]:
    """Return each statistic over the same bootstrap resamples, of clusters when given."""
    if n_resamples < 100:
        raise EvaluationError(f"n_resamples is {n_resamples}; accepted: 100 or more")
    rng = np.random.default_rng(seed)
    parts: dict[str, list[Floats]] = {name: [] for name in statistics}
    for counts in _counts(rng, n, of_group, n_resamples):
        for name, one in statistics.items():
            parts[name].append(one(counts))
    return {name: np.concatenate(part) for name, part in parts.items()}


def interval(
    value: float, draws: Floats, level: float, method: Method, left_out: Floats | None = None
) -> tuple[float, float]:
    """Read an interval off bootstrap draws; `left_out` holds the jackknife's figures for BCa."""
    defined = draws[np.isfinite(draws)]
    if len(defined) < MIN_SHARE_DEFINED * len(draws):
        raise EvaluationError(
            f"the figure is defined on {len(defined)} of {len(draws)} resamples only; "
            "accepted: more examples of each class"
        )
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        tails = _bca_tails(value, defined, tails, left_out)
    low, high = np.quantile(defined, tails)
    if method == "basic":
        low, high = 2 * value - high, 2 * value - low
    return float(low), float(high)


def _bca_tails(value: float, draws: Floats, tails: Floats, left_out: Floats | None) -> Floats:
    """Shift the tails for bias (z0) and for a spread that grows with the figure (a)."""
    below = (np.mean(draws < value) + np.mean(draws <= value)) / 2
    if not 0 < below < 1 or left_out is None:
        return tails  # every draw on one side: there is nothing to correct with
    z0 = float(ndtri(below))
    off = np.nanmean(left_out) - left_out[np.isfinite(left_out)]
    spread = np.sum(off**2) ** 1.5
    a = float(np.sum(off**3) / (6 * spread)) if spread > 0 else 0.0
    z = z0 + ndtri(tails)
    return np.asarray(ndtr(z0 + z / (1 - a * z)))


def _counts(
    rng: np.random.Generator, n: int, of_group: Integers | None, n_resamples: int
) -> Iterator[Floats]:
    n_units = n if of_group is None else int(of_group.max()) + 1
    n_rows = max(1, MAX_CELLS // n)
    for start in range(0, n_resamples, n_rows):
        rows = min(n_rows, n_resamples - start)
        drawn = rng.integers(0, n_units, (rows, n_units))
        drawn += np.arange(rows)[:, None] * n_units
        counts = np.bincount(drawn.ravel(), minlength=rows * n_units).reshape(rows, n_units)
        yield (counts if of_group is None else counts[:, of_group]).astype(np.float64)


def _left_out(
    statistics: Mapping[str, Statistic], n: int, of_group: Integers | None
) -> dict[str, Floats]:
    """Return each statistic without one example, cluster, or block of examples at a time."""
    if of_group is None:
        of_group = np.arange(n) % min(n, MAX_LEFT_OUT)
    n_units = int(of_group.max()) + 1
    n_rows = max(1, MAX_CELLS // n)
    parts: dict[str, list[Floats]] = {name: [] for name in statistics}
    for start in range(0, n_units, n_rows):
        units = np.arange(start, min(start + n_rows, n_units))
        counts = (of_group[None, :] != units[:, None]).astype(np.float64)
        for name, one in statistics.items():
            parts[name].append(one(counts))
    return {name: np.concatenate(part) for name, part in parts.items()}


def _description(method: Method, n_resamples: int, of_group: Integers | None) -> str:
    words = {"percentile": "percentile", "basic": "basic", "bca": "BCa"}[method]
    return f"{words} {'' if of_group is None else 'cluster '}bootstrap, {n_resamples} resamples"


def _checked_level(level: float) -> float:
    if not 0 < level < 1:
        raise EvaluationError(f"level is {level}; accepted: between 0 and 1, such as 0.95")
    return level
