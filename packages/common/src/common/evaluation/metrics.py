"""`Metrics`: the figures of one model on one set of examples, each with its interval.

A `Measure` pairs scikit-learn's value with a statistic over resampled counts of the same quantity
(tests hold the two together). The families are `classification.py`, `regression.py`,
`retrieval.py` and `answers.py`; read one of them next.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import override

from common.evaluation.estimates import Direction, Estimate, EvaluationError
from common.evaluation.inputs import Floats
from common.evaluation.intervals import (
    LEVEL,
    N_RESAMPLES,
    Method,
    Statistic,
    estimates,
    mean_of,
    wilson_interval,
)


@dataclass(frozen=True)
class Measure:
    """One quantity on given examples: its value, and its statistic over resamples.

    `scores` holds one score an example when the quantity is their mean. `is_proportion` says that
    the scores are 0 or 1 (Wilson's interval applies); `is_skewed_up` that resamples lie above the
    value by construction, so that the basic interval is used.
    """

    statistic: Statistic
    value: float | None = None
    direction: Direction = "higher"
    scores: Floats | None = None
    is_proportion: bool = False
    is_skewed_up: bool = False
    bounds: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Resampling:
    """How intervals are made; one object for every family of metrics."""

    method: Method = "percentile"
    level: float = LEVEL
    n_resamples: int = N_RESAMPLES
    seed: int = 0


@dataclass(frozen=True)
class Metrics:
    """Figures by name; `scores` holds one score an example where a figure is their mean.

    `statistics` are the figures over resamples, by which two models are compared.
    """

    n: int
    estimates: Mapping[str, Estimate]
    directions: Mapping[str, Direction]
    scores: Mapping[str, Floats] = field(default_factory=dict, repr=False)
    statistics: Mapping[str, Statistic] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> Estimate:
        if name not in self.estimates:
            raise EvaluationError(f"{name!r} was not measured; measured: {', '.join(self)}")
        return self.estimates[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.estimates)

    def __len__(self) -> int:
        return len(self.estimates)

    def only(self, names: Sequence[str] | None) -> "Metrics":
        """Return these figures alone (all when None), or name the one that was not measured."""
        if names is None:
            return self
        return replace(self, estimates={name: self[name] for name in names})

    def values(self) -> dict[str, float]:
        """Return the figures alone."""
        return {name: one.value for name, one in self.estimates.items()}

    @override
    def __str__(self) -> str:
        return "\n".join(f"{name}: {one}" for name, one in self.estimates.items())


def chosen(
    known: Mapping[str, Callable[[], Measure]], names: Sequence[str] | None, default: Sequence[str]
) -> dict[str, Measure]:
    """Make the measures asked for, or name the one that does not exist here."""
    wanted = tuple(default if names is None else names)
    for name in wanted:
        if name not in known:
            raise EvaluationError(f"no metric {name!r} here; accepted: {', '.join(known)}")
    return {name: known[name]() for name in wanted}


def measured(
    measures: Mapping[str, Measure], n: int, resampling: Resampling, groups: ArrayLike | None = None
) -> Metrics:
    """Give every measure its interval, all from the same resamples."""
    found: dict[str, Estimate] = {}
    for method in ("percentile", "basic", "bca"):
        statistics = {
            name: one.statistic
            for name, one in measures.items()
            if _method(one, resampling, groups) == method
        }
        if statistics:
            found |= estimates(
                statistics, n, groups=groups, method=method, level=resampling.level,
                n_resamples=resampling.n_resamples, seed=resampling.seed,
            )  # fmt: skip
    for name, one in measures.items():
        if name not in found and one.scores is not None:
            found[name] = wilson_interval(round(float(one.scores.sum())), n, level=resampling.level)
        found[name] = _settled(found[name], one)
    return Metrics(
        n=n,
        estimates={name: found[name] for name in measures},
        directions={name: one.direction for name, one in measures.items()},
        statistics={name: one.statistic for name, one in measures.items()},
        scores={name: one.scores for name, one in measures.items() if one.scores is not None},
    )


def mean_measure(
    scores: Floats,
    *,
    value: float | None = None,
    direction: Direction = "higher",
    is_proportion: bool = False,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Measure:
    """Make a measure of one score an example."""
    return Measure(
        mean_of(scores), value=value, direction=direction, scores=scores,
        is_proportion=is_proportion, bounds=bounds,
    )  # fmt: skip


def _method(one: Measure, resampling: Resampling, groups: ArrayLike | None) -> str:
    if one.is_proportion and groups is None:
        return "wilson"
    return "basic" if one.is_skewed_up else resampling.method


def _settled(estimate: Estimate, one: Measure) -> Estimate:
    low, high = np.clip((estimate.low, estimate.high), *one.bounds)
    value = estimate.value if one.value is None else float(one.value)
    return estimate.model_copy(update={"value": value, "low": float(low), "high": float(high)})
