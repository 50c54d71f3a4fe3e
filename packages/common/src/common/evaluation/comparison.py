"""Two models on the same examples: the difference, its interval, a p-value, and words.

The interval is a paired bootstrap (both models see the same resamples); the p-value a test of "no
difference": sign flips of paired scores, swapped predictions, or McNemar's exact test for right and
wrong. "Better" is said only when both agree. Two-sided throughout.

Sources: Fisher (1935) and Smucker et al. (2007) for the randomisation test, with Phipson & Smyth
(2010) for its p-value; McNemar (1947), exact form; Holm (1979); Benjamini & Hochberg (1995).
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import ndtri
from scipy.stats import binomtest, false_discovery_control

from common.evaluation.estimates import Direction, Estimate, EvaluationError
from common.evaluation.inputs import Floats, Integers, clusters, numbers
from common.evaluation.intervals import interval, mean_of, resample
from common.evaluation.metrics import Metrics, Resampling

POWER = 0.8
N_PERMUTATIONS = 10_000
SHARES = frozenset({"balanced_accuracy", "precision", "recall", "f1", "roc_auc",
                    "average_precision", "ece"})  # fmt: skip
N_EXACT = 14
"""Up to 2^14 sign flips are tried one by one instead of drawn."""


class Comparison(BaseModel):
    """How much better B is than A: `effect` is above 0 when B is better, whatever the direction."""

    model_config = ConfigDict(frozen=True)

    metric: str
    a: str = "A"
    b: str = "B"
    effect: Estimate
    p_value: float = Field(ge=0, le=1)
    test: str
    smallest_visible: float = Field(
        ge=0, description="Difference that as many examples show in 80 % of trials."
    )
    is_share: bool = Field(description="Whether figures are from 0 to 1, told in points of 100.")
    winner: str | None = Field(description="The better model's name; None when none is shown.")

    @property
    def verdict(self) -> str:
        """Say in words which is better, by how much, or what could not have been seen."""
        scale, unit = (100, " points") if self.is_share else (1, "")
        value, low, high = (
            scale * one for one in (self.effect.value, self.effect.low, self.effect.high)
        )
        if self.winner is None:
            return (
                f"no difference shown ({self.b} against {self.a}: {value:+.3g}{unit}, {low:+.3g} "
                f"to {high:+.3g}, {_p(self.p_value)}); n = {self.effect.n} is too small to see "
                f"under {scale * self.smallest_visible:.2g}{unit}"
            )
        if self.winner == self.a:
            value, low, high = -value, -high, -low
        return (
            f"{self.winner} is better by {value:.3g}{unit} ({low:.3g} to {high:.3g}), "
            f"{_p(self.p_value)}"
        )


def compare_scores(
    a: ArrayLike,
    b: ArrayLike,
    *,
    metric: str = "score",
    names: tuple[str, str] = ("A", "B"),
    direction: Direction = "higher",
    groups: ArrayLike | None = None,
    resampling: Resampling = Resampling(),  # noqa: B008 - frozen
) -> Comparison:
    """Compare the means of one score an example (or a query) by sign flips.

    With `groups` whole clusters are resampled and flipped.
    """
    left = numbers("a", a)
    right = numbers("b", b, n=len(left))
    gain = right - left if direction == "higher" else left - right
    of_group = clusters(groups, len(gain))
    p_value, test = _sign_flips(gain, of_group, resampling.seed)
    is_share = bool(min(left.min(), right.min()) >= 0 and max(left.max(), right.max()) <= 1)
    draws = _draws(gain, of_group, resampling)
    effect = _effect(float(gain.mean()), draws, len(gain), of_group, resampling)
    return _judged(metric, names, effect, draws, p_value, test, is_share)


def compare_correctness(
    a_is_right: ArrayLike,
    b_is_right: ArrayLike,
    *,
    metric: str = "accuracy",
    names: tuple[str, str] = ("A", "B"),
    resampling: Resampling = Resampling(),  # noqa: B008 - frozen
) -> Comparison:
    """Compare shares of right answers by McNemar's exact test."""
    left = numbers("a_is_right", a_is_right)
    right = numbers("b_is_right", b_is_right, n=len(left))
    for name, values in (("a_is_right", left), ("b_is_right", right)):
        if not np.isin(values, (0, 1)).all():
            raise EvaluationError(f"{name} holds other values than right and wrong; accepted: 0, 1")
    p_value = mcnemar_p(int(np.sum(left > right)), int(np.sum(right > left)))
    draws = _draws(right - left, None, resampling)
    effect = _effect(float((right - left).mean()), draws, len(left), None, resampling)
    return _judged(metric, names, effect, draws, p_value, "McNemar's exact test", is_share=True)


def compare_metrics(
    a: Metrics,
    b: Metrics,
    metric: str,
    *,
    names: tuple[str, str] = ("A", "B"),
    groups: ArrayLike | None = None,
    resampling: Resampling = Resampling(),  # noqa: B008 - frozen
) -> Comparison:
    """Compare a metric of two models measured on the same examples in the same order.

    Accuracy and exact match are tested by McNemar's exact test, other means over examples by sign
    flips, and what is no mean (AUC, F1, R²) by where the paired bootstrap puts zero.
    """
    if a.n != b.n:
        raise EvaluationError(f"a has {a.n} examples, b {b.n}; accepted: the same examples")
    direction = a.directions[metric] if a[metric] and b[metric] else "higher"
    if metric not in a.scores or metric not in b.scores:
        return _compare_statistics(a, b, metric, names, groups, resampling)
    left, right = a.scores[metric], b.scores[metric]
    if metric in {"accuracy", "exact_match"} and groups is None:
        return compare_correctness(left, right, metric=metric, names=names, resampling=resampling)
    return compare_scores(
        left, right, metric=metric, names=names, direction=direction, groups=groups,
        resampling=resampling,
    )  # fmt: skip


def mcnemar_p(n_only_a: int, n_only_b: int) -> float:
    """Return the exact two-sided p-value of examples that only one of the two got right."""
    if n_only_a < 0 or n_only_b < 0:
        raise EvaluationError(f"counts are {n_only_a} and {n_only_b}; accepted: 0 or more")
    if n_only_a + n_only_b == 0:
        return 1.0
    return float(binomtest(n_only_a, n_only_a + n_only_b, 0.5).pvalue)


def adjusted_p_values(
    p_values: Mapping[str, float] | Sequence[float],
    *,
    method: Literal["holm", "benjamini-hochberg"] = "holm",
) -> list[float]:
    """Return p-values corrected for how many were looked at, in the order given.

    Holm bounds the chance of any false claim, Benjamini-Hochberg the share of false claims.
    """
    given = list(p_values.values()) if isinstance(p_values, Mapping) else list(p_values)
    p = np.asarray(given, dtype=np.float64)
    if not len(p) or not ((p >= 0) & (p <= 1)).all():
        raise EvaluationError(f"p_values are {given}; accepted: one or more, from 0 to 1")
    if method == "benjamini-hochberg":
        return [float(one) for one in false_discovery_control(p, method="bh")]
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    found = np.empty_like(p)
    found[order] = np.minimum(steps, 1)
    return [float(one) for one in found]


def _compare_statistics(
    a: Metrics,
    b: Metrics,
    metric: str,
    names: tuple[str, str],
    groups: ArrayLike | None,
    resampling: Resampling,
) -> Comparison:
    of_group = clusters(groups, a.n)
    both = resample(
        {"a": a.statistics[metric], "b": b.statistics[metric]}, a.n, of_group,
        n_resamples=resampling.n_resamples, seed=resampling.seed,
    )  # fmt: skip
    sign = 1 if a.directions[metric] == "higher" else -1
    draws = sign * (both["b"] - both["a"])
    draws = draws[np.isfinite(draws)]
    if len(draws) < len(both["a"]) / 2:
        raise EvaluationError(f"{metric} is not defined on most resamples; accepted: more examples")
    effect = _effect(sign * (b[metric].value - a[metric].value), draws, a.n, of_group, resampling)
    beyond = min(int(np.sum(draws <= 0)), int(np.sum(draws >= 0)))
    p_value = min(1.0, 2 * (beyond + 1) / (len(draws) + 1))
    is_share = metric in SHARES
    return _judged(metric, names, effect, draws, p_value, "paired bootstrap", is_share)


def _draws(gain: Floats, of_group: Integers | None, resampling: Resampling) -> Floats:
    return resample(
        {"effect": mean_of(gain)}, len(gain), of_group,
        n_resamples=resampling.n_resamples, seed=resampling.seed,
    )["effect"]  # fmt: skip


def _effect(
    value: float, draws: Floats, n: int, of_group: Integers | None, resampling: Resampling
) -> Estimate:
    low, high = interval(value, draws, resampling.level, "percentile")
    return Estimate(
        value=value, low=low, high=high, n=n, level=resampling.level,
        method=f"paired bootstrap, {resampling.n_resamples} resamples",
        n_groups=None if of_group is None else int(of_group.max()) + 1,
    )  # fmt: skip


def _judged(
    metric: str,
    names: tuple[str, str],
    effect: Estimate,
    draws: Floats,
    p_value: float,
    test: str,
    is_share: bool,
) -> Comparison:
    is_shown = p_value < 1 - effect.level and (effect.low > 0 or effect.high < 0)
    better = names[1] if effect.value > 0 else names[0]
    reach = float(ndtri((1 + effect.level) / 2) + ndtri(POWER))
    return Comparison(
        metric=metric, a=names[0], b=names[1], effect=effect, p_value=p_value, test=test,
        smallest_visible=reach * float(draws.std()), is_share=is_share,
        winner=better if is_shown else None,
    )  # fmt: skip


def _sign_flips(gain: Floats, of_group: Integers | None, seed: int) -> tuple[float, str]:
    """Return the chance of a mean as far from 0 when each pair's order is a coin's toss."""
    sums = gain if of_group is None else np.bincount(of_group, weights=gain)
    moved = sums[sums != 0]
    if not len(moved):
        return 1.0, "no pair differs"
    seen = abs(float(moved.sum())) * (1 - 1e-12)  # sums in another order differ in the last bit
    if len(moved) <= N_EXACT:
        signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * len(moved))).reshape(len(moved), -1)
        return float(np.mean(np.abs(moved @ signs) >= seen)), "exact sign-flip permutation"
    rng = np.random.default_rng(seed)
    n_extreme, n_left = 0, N_PERMUTATIONS
    while n_left:
        rows = min(n_left, max(1, 4_000_000 // len(moved)))
        signs = rng.integers(0, 2, (rows, len(moved)), dtype=np.int8) * 2 - 1
        n_extreme += int(np.sum(np.abs(signs @ moved) >= seen))
        n_left -= rows
    p_value = (n_extreme + 1) / (N_PERMUTATIONS + 1)
    return p_value, f"sign-flip permutation, {N_PERMUTATIONS} draws"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
