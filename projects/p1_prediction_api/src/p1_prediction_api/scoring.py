"""How good predictions are: one figure to choose by, several to report, each with an interval.

Shares of rows (accuracy, and precision and recall of two classes) have Wilson's score interval
(Wilson, 1927): a bootstrap of 38 hits out of 38 would claim certainty. The others have the
percentile bootstrap over test rows (Efron and Tibshirani, 1993, chapter 13), seeded. The thin
layer over scikit-learn that the search and the card share; what a bootstrap takes hundreds of times
is computed here, at a tenth of the time.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from p1_prediction_api.contracts import Estimate, Task
from p1_prediction_api.diagnosis.areas import average_precision, roc_area
from p1_prediction_api.figures import estimate_of_share, wilson

Floats = NDArray[np.float64]
Score = Callable[[NDArray[Any], Floats], float]
N_RESAMPLES = 300
MAX_BOOTSTRAP_ROWS = 20_000


def main_metric(task: Task, n_classes: int) -> str:
    """Name the figure that candidates are chosen by; higher is better.

    None of them is moved by how common a class is: guessing has 0.5 whatever the imbalance. The
    average precision of two classes is reported beside it, for where one is rare it is what a
    person sees (Davis and Goadrich, ICML 2006); it does not choose, for its noise grows with
    rarity and choosing would follow it.
    """
    if task == "regression":
        return "r2"
    return "roc_auc" if n_classes == 2 else "balanced_accuracy"


def said_of(p: Floats, *, positive: int = 1, threshold: float = 0.5) -> NDArray[np.int64]:
    """Return the class that is said of each row, as the service decides.

    Of two classes the positive one from the threshold on; of more the likeliest.
    """
    if p.shape[1] != 2:
        return np.asarray(p.argmax(axis=1), np.int64)
    return np.where(p[:, positive] >= threshold, positive, 1 - positive)


def score_table(task: Task, n_classes: int, *, threshold: float = 0.5) -> Mapping[str, Score]:
    """Return every reported figure: of truth and predicted probabilities (or numbers).

    Of two classes the second is the positive one, said from `threshold` on.
    """
    if task == "regression":
        return {
            "r2": metrics.r2_score,
            "mean_absolute_error": metrics.mean_absolute_error,
            "root_mean_squared_error": metrics.root_mean_squared_error,
        }
    table: dict[str, Score] = {
        "accuracy": lambda y, p: float(np.mean(said_of(p, threshold=threshold) == y)),
        "balanced_accuracy": lambda y, p: _balanced_accuracy(y, said_of(p, threshold=threshold)),
        "precision": _averaged(metrics.precision_score, n_classes, threshold),
        "recall": _averaged(metrics.recall_score, n_classes, threshold),
        "log_loss": _log_loss,
    }
    if n_classes == 2:
        table["roc_auc"] = lambda y, p: roc_area(y, p[:, 1])
        table["average_precision"] = lambda y, p: average_precision(y, p[:, 1])
        table["brier_score"] = lambda y, p: float(np.mean((p[:, 1] - y) ** 2))
    return table


def _balanced_accuracy(y: NDArray[Any], said: NDArray[np.int64]) -> float:
    """Return the mean recall of the classes that are there."""
    n_rows = np.bincount(y)
    hits = np.bincount(y[said == y], minlength=len(n_rows))
    return float((hits[n_rows > 0] / n_rows[n_rows > 0]).mean())


def _log_loss(y: NDArray[Any], p: Floats) -> float:
    truth = p[np.arange(len(y)), y] / p.sum(axis=1)
    return float(-np.log(np.clip(truth, np.finfo(np.float64).eps, 1.0)).mean())


def _averaged(score: Callable[..., Any], n_classes: int, threshold: float) -> Score:
    average = "binary" if n_classes == 2 else "macro"

    def compute(y: NDArray[Any], p: Floats) -> float:
        said = said_of(p, threshold=threshold)
        return float(score(y, said, average=average, zero_division=0))

    return compute


def estimate(
    name: str,
    score: Score,
    y: NDArray[Any],
    predicted: Floats,
    *,
    seed: int,
    threshold: float = 0.5,
) -> Estimate:
    """Return the figure called `name`, of a table made for `threshold`, with its 95 % interval."""
    value = float(score(y, predicted))
    if (share := _share(name, y, predicted, threshold)) is not None:
        low, high = wilson(*share)
        return Estimate(value=value, low=low, high=high)
    low, high = _bootstrap(score, y, predicted, value, seed)
    return Estimate(value=value, low=min(low, value), high=max(high, value))


def _share(
    name: str, y: NDArray[Any], predicted: Floats, threshold: float
) -> tuple[int, int] | None:
    """Return hits and trials of a figure that is a plain share of rows; None for the others."""
    if predicted.ndim != 2:
        return None
    chosen = said_of(predicted, threshold=threshold)
    if name == "accuracy":
        return int((chosen == y).sum()), len(y)
    asked = {"precision": chosen == 1, "recall": y == 1}.get(name)
    if asked is None or predicted.shape[1] != 2:
        return None
    return int(((chosen == 1) & (y == 1)).sum()), int(asked.sum())


def interval_of_share(is_hit: NDArray[np.bool_]) -> Estimate:
    """Return a share of rows with its 95 % interval (Wilson)."""
    return estimate_of_share(int(is_hit.sum()), len(is_hit))


def _bootstrap(
    score: Score, y: NDArray[Any], predicted: Floats, value: float, seed: int
) -> tuple[float, float]:
    if len(y) > MAX_BOOTSTRAP_ROWS:  # narrower than what matters; the sample keeps it cheap
        chosen = np.random.default_rng(seed).choice(len(y), MAX_BOOTSTRAP_ROWS, replace=False)
        y, predicted = y[chosen], predicted[chosen]
    rng = np.random.default_rng(seed)
    resampled = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a resample may lack a class; its score is left out
        for _ in range(N_RESAMPLES):
            rows = rng.integers(0, len(y), len(y))
            try:
                resampled.append(float(score(y[rows], predicted[rows])))
            except ValueError:
                continue
    finite = [one for one in resampled if np.isfinite(one)] or [value]
    low, high = np.quantile(finite, [0.025, 0.975])
    return float(low), float(high)
