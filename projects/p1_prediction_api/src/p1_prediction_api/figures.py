"""How good logged answers were: figures with 95 % intervals, from NumPy alone.

Every figure carries one influence value a row: how far the row moves it (the infinitesimal
jackknife; Efron, 1982, chapter 6). Their squares give its variance, and the difference of two
models' influences on the same rows that of their difference: nothing is resampled, so that a
serving process may ask often. Of ROC AUC they are the placements of DeLong, DeLong and
Clarke-Pearson (1988). Values are scikit-learn's, which tests hold; names are those of a model card.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from p1_prediction_api.contracts import Estimate

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Z = 1.959964
POWER_Z = 0.841621
"""A difference of so many standard errors beyond `Z` is seen in 80 % of trials."""
WORDS = {"roc_auc": "ROC AUC", "r2": "R²"}
LOWER_IS_BETTER = frozenset(
    {"log_loss", "brier_score", "mean_absolute_error", "root_mean_squared_error"}
)


@dataclass(frozen=True)
class Figure:
    """One figure of one model on n rows."""

    value: float
    influence: Floats
    """Shape (n,), of mean 0."""
    n_rarest: int
    """Rows of the rarest kind that it needs (a class, claims of a class)."""
    bounds: tuple[float, float] = (0.0, 1.0)
    hits: tuple[int, int] | None = None
    """Of a plain share of rows: how many of how many."""

    @property
    def is_share(self) -> bool:
        """Whether it lies between 0 and 1."""
        return self.bounds == (0.0, 1.0)

    def estimate(self) -> Estimate:
        """Return the value with its interval.

        Shares have Wilson's (1927), those that are no plain share at the number of rows that would
        give their variance: it stays inside 0 to 1 and never claims certainty.
        """
        if self.hits is not None:
            return estimate_of_share(*self.hits)
        variance = _variance(self.influence)
        if self.is_share:
            value = min(max(self.value, 0.0), 1.0)
            spread = value * (1 - value)
            n = spread / variance if spread > 0 and variance > 0 else self.n_rarest
            low, high = wilson(value * n, n)
            return Estimate(value=value, low=low, high=high)
        reach = Z * float(np.sqrt(variance))
        low, high = np.clip([self.value - reach, self.value + reach], *self.bounds)
        return Estimate(value=self.value, low=float(low), high=float(high))


def wilson(n_hits: float, n: float, z: float = Z) -> tuple[float, float]:
    """Return Wilson's interval of a share; 0 to 1 when nothing was tried."""
    if n <= 0:
        return 0.0, 1.0
    share = n_hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    spread = max(0.0, share * (1 - share) / n)
    reach = z / (1 + z * z / n) * float(np.sqrt(spread + (z / (2 * n)) ** 2))
    return max(0.0, min(share, middle - reach)), min(1.0, max(share, middle + reach))


def estimate_of_share(n_hits: int, n: int) -> Estimate:
    """Return a share of rows with Wilson's interval."""
    low, high = wilson(n_hits, n)
    return Estimate(value=n_hits / n, low=low, high=high)


def estimate_of_mean(values: Floats) -> Estimate:
    """Return a mean with its interval, of two values or more."""
    mean = float(values.mean())
    reach = Z * float(np.sqrt(_variance(values - mean)))
    return Estimate(value=mean, low=mean - reach, high=mean + reach)


def difference(a: Figure, b: Figure) -> Estimate:
    """Return how much more `b` has than `a`, measured on the same rows.

    Of shares as if one more row told the two apart (after Agresti and Min, 2005): two models that
    answer alike on a few rows are not thereby known to be equal.
    """
    value = b.value - a.value
    reach = Z * spread_of_difference(a, b) / float(np.sqrt(len(a.influence)))
    return Estimate(value=value, low=value - reach, high=value + reach)


def spread_of_difference(a: Figure, b: Figure) -> float:
    """Return the standard deviation, a row, of the difference of two figures."""
    moves = b.influence - a.influence
    n = len(moves)
    one_more = 1.0 if a.is_share else 0.0
    return float(np.sqrt((float(moves @ moves) + one_more) / max(1, n - 1)))


def rows_to_tell(spread: float, smallest: float) -> int:
    """Return how many rows show a difference of `smallest` in 80 % of trials."""
    return int(np.ceil(((Z + POWER_Z) * spread / smallest) ** 2))


def difference_of_samples(a: Estimate, b: Estimate) -> Estimate:
    """Return how much more `b` has than `a`, measured on other rows.

    From their intervals alone (Newcombe, 1998, method 10; Zou and Donner, 2008).
    """
    value = b.value - a.value
    low = value - float(np.hypot(b.value - b.low, a.high - a.value))
    high = value + float(np.hypot(b.high - b.value, a.value - a.low))
    return Estimate(value=value, low=low, high=high)


def class_figures(y: Integers, p: Floats, said: Integers, positive: int) -> dict[str, Figure]:
    """Return what can be told of classes: of truths, probabilities (n, k) and what was said.

    `positive` is the class that precision and recall are of, with two; with more they are macro
    averages, and balanced accuracy is over the classes that the truths name. What needs a class
    that no truth names, or claims that nobody made, is left out.
    """
    n, k = p.shape
    right = (y == said).astype(np.float64)
    classes = [c for c in range(k) if (y == c).any()]
    found = {"accuracy": _share(right, np.ones(n, bool))}
    found["balanced_accuracy"] = _mean_of([_share(right, y == c) for c in classes])
    if k == 2:
        for name, asked in (("precision", said == positive), ("recall", y == positive)):
            if asked.any():
                found[name] = _share(right, asked)
    else:
        claimed = [_share_or_none(right, said == c) for c in range(k)]
        recalled = [_share_or_none(right, y == c) for c in range(k)]
        found["precision"], found["recall"] = _mean_of(claimed), _mean_of(recalled)
    rows = p / np.maximum(p.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    truth = np.clip(rows[np.arange(n), y], np.finfo(np.float64).eps, 1)
    found["log_loss"] = _mean(-np.log(truth), (0.0, np.inf))
    if k == 2:
        if len(classes) == 2:
            found["roc_auc"] = _roc_auc(y == 1, p[:, 1])
        found["brier_score"] = _mean((p[:, 1] - y) ** 2, (0.0, np.inf))
    return found


def number_figures(y: Floats, predicted: Floats) -> dict[str, Figure]:
    """Return what can be told of numbers; R² only of truths that vary."""
    squared = (y - predicted) ** 2
    found = {"mean_absolute_error": _mean(np.abs(y - predicted), (0.0, np.inf))}
    mean_squared = float(squared.mean())
    root = float(np.sqrt(mean_squared))
    moves = (squared - mean_squared) / (2 * root) if root > 0 else np.zeros(len(y))
    found["root_mean_squared_error"] = Figure(root, moves, len(y), (0.0, np.inf))
    around = (y - y.mean()) ** 2
    if (spread := float(around.mean())) > 0:
        left = mean_squared / spread
        moves = (left * around - squared) / spread
        found["r2"] = Figure(1 - left, moves, len(y), (-np.inf, 1.0))
    return found


def words_of(metric: str) -> str:
    """Name a metric as a person does."""
    return WORDS.get(metric, metric.replace("_", " "))


def estimates_of(figures: Mapping[str, Figure]) -> dict[str, Estimate]:
    """Return every figure with its interval."""
    return {name: figure.estimate() for name, figure in figures.items()}


def _variance(influence: Floats) -> float:
    n = len(influence)
    return float(influence @ influence) / (n * max(1, n - 1))


def _share(right: Floats, asked: NDArray[np.bool_]) -> Figure:
    """Return the share of right answers among the rows asked about."""
    n_asked, n_right = int(asked.sum()), int(right[asked].sum())
    value = n_right / n_asked
    moves = np.where(asked, right - value, 0.0) * (len(right) / n_asked)
    return Figure(value, moves, n_asked, hits=(n_right, n_asked))


def _share_or_none(right: Floats, asked: NDArray[np.bool_]) -> Figure:
    """Return that share, or 0 where nothing was asked, as scikit-learn's averages count it."""
    return _share(right, asked) if asked.any() else Figure(0.0, np.zeros(len(right)), len(right))


def _mean_of(figures: list[Figure]) -> Figure:
    value = float(np.mean([figure.value for figure in figures]))
    moves = np.mean([figure.influence for figure in figures], axis=0)
    return Figure(value, np.asarray(moves), min(figure.n_rarest for figure in figures))


def _mean(values: Floats, bounds: tuple[float, float]) -> Figure:
    mean = float(values.mean())
    return Figure(mean, values - mean, len(values), bounds)


def _roc_auc(is_positive: NDArray[np.bool_], score: Floats) -> Figure:
    """Return the share of (positive, negative) pairs in the right order, ties counting half."""
    up, down = score[is_positive], score[~is_positive]
    placed_up, placed_down = _placed(up, down), 1 - _placed(down, up)
    value, n = float(placed_up.mean()), len(score)
    moves: NDArray[Any] = np.empty(n)
    moves[is_positive] = (placed_up - value) * (n / len(up))
    moves[~is_positive] = (placed_down - value) * (n / len(down))
    return Figure(value, moves, min(len(up), len(down)))


def _placed(scores: Floats, among: Floats) -> Floats:
    """Return for each score the share of the others below it, ties counting half."""
    ordered = np.sort(among)
    below = np.searchsorted(ordered, scores, side="left")
    up_to = np.searchsorted(ordered, scores, side="right")
    return np.asarray((below + up_to) / (2 * len(among)))
