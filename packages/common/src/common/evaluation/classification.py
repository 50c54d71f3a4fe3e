"""Classification: labels and probabilities against the truth.

Values are scikit-learn's; the statistics beside them are the same quantities over resampled counts.
Precision, recall, F1, ROC AUC and average precision are of the positive class with two classes and
macro averages (AUC: one against the rest) with more. Calibration error: Guo et al. (2017), eq. 3,
over the confidence of the predicted class in 15 equal bins.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn import metrics as sklearn_metrics

from common.evaluation.estimates import EvaluationError
from common.evaluation.inputs import Floats, Integers, classes, codes, numbers
from common.evaluation.intervals import Statistic
from common.evaluation.metrics import Measure, Metrics, Resampling, chosen, mean_measure, measured

LABEL_METRICS = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
PROBABILITY_METRICS = ("roc_auc", "average_precision", "log_loss", "brier", "ece")
N_BINS = 15
SUM_TOLERANCE = 1e-3
_VALUES: Mapping[str, Callable[..., Any]] = {
    "accuracy": sklearn_metrics.accuracy_score,
    "balanced_accuracy": sklearn_metrics.recall_score,
    "precision": sklearn_metrics.precision_score,
    "recall": sklearn_metrics.recall_score,
    "f1": sklearn_metrics.f1_score,
    "roc_auc": sklearn_metrics.roc_auc_score,
    "average_precision": sklearn_metrics.average_precision_score,
    "log_loss": sklearn_metrics.log_loss,
    "brier": sklearn_metrics.brier_score_loss,
}


@dataclass(frozen=True)
class _Labelled:
    """Examples as places in `labels`: the truth, the prediction, and a column of P a label."""

    truth: Integers
    predicted: Integers
    n_classes: int
    P: Floats | None


def classification_metrics(
    truth: ArrayLike,
    predicted: ArrayLike | None = None,
    *,
    probabilities: ArrayLike | None = None,
    labels: Sequence[object] | None = None,
    metrics: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
    resampling: Resampling = Resampling(),  # noqa: B008 - frozen
) -> Metrics:
    """Measure predicted labels, probabilities, or both.

    `probabilities` is the positive class's column (n,) or a column a label (n, k) in the order of
    `labels`, which are sorted when not given; the positive class is the second. Without `predicted`
    the most probable label is taken. `metrics` is every metric that applies, if not named.
    """
    given = _labelled(truth, predicted, probabilities, labels)
    known = _known(given)
    default = LABEL_METRICS + (PROBABILITY_METRICS if given.P is not None else ())
    measures = chosen(known, metrics, default)
    return measured(measures, len(given.truth), resampling, groups)


def _labelled(
    truth: ArrayLike,
    predicted: ArrayLike | None,
    probabilities: ArrayLike | None,
    labels: Sequence[object] | None,
) -> _Labelled:
    if predicted is None and probabilities is None:
        raise EvaluationError("nothing to measure; accepted: predicted, probabilities or both")
    true = classes("truth", truth)
    n = len(true)
    given = None if predicted is None else classes("predicted", predicted, n=n)
    if labels is None:
        seen = set(true.tolist()) | set(() if given is None else given.tolist())
        if len({type(label) for label in seen}) > 1:
            raise EvaluationError("truth and predicted hold labels of different types")
        labels = sorted(seen)
    if len(set(labels)) != len(labels) or len(labels) < 2:
        raise EvaluationError(
            f"there are {len(set(labels))} distinct labels; accepted: two or more (give `labels` "
            "when the examples hold one class only)"
        )
    P = None if probabilities is None else _probabilities(probabilities, n, len(labels))
    places = (
        P.argmax(axis=1).astype(np.int64)
        if given is None and P is not None
        else codes("predicted", true if given is None else given, labels)
    )
    return _Labelled(codes("truth", true, labels), places, len(labels), P)


def _probabilities(values: ArrayLike, n: int, n_classes: int) -> Floats:
    array = np.asarray(values)
    P = numbers("probabilities", values, n=n, n_dimensions=2 if array.ndim == 2 else 1)
    if P.ndim == 1:
        if n_classes != 2:
            raise EvaluationError(
                f"probabilities has one column for {n_classes} labels; accepted: {n_classes}"
            )
        P = np.column_stack([1 - P, P])
    if P.shape[1] != n_classes:
        raise EvaluationError(
            f"probabilities has {P.shape[1]} columns; accepted: {n_classes}, one a label"
        )
    if P.min() < 0 or P.max() > 1:
        raise EvaluationError(
            f"probabilities reach from {P.min():g} to {P.max():g}; accepted: 0 to 1"
        )
    off = np.abs(P.sum(axis=1) - 1)
    if off.max() > SUM_TOLERANCE:
        raise EvaluationError(
            f"probabilities of example {off.argmax()} sum to {P[off.argmax()].sum():g}; accepted: 1"
        )
    return P


def _known(given: _Labelled) -> dict[str, Callable[[], Measure]]:
    known = {name: partial(_of_labels, name, given) for name in LABEL_METRICS}
    if given.P is not None:
        known |= {name: partial(_of_probabilities, name, given, given.P)
                  for name in PROBABILITY_METRICS}  # fmt: skip
    return known


def _of_labels(name: str, given: _Labelled) -> Measure:
    truth, predicted, k = given.truth, given.predicted, given.n_classes
    if name == "accuracy":
        right = (truth == predicted).astype(np.float64)
        value = float(_VALUES[name](truth, predicted))
        return mean_measure(right, value=value, is_proportion=True)
    is_binary = k == 2 and name != "balanced_accuracy"
    labels = np.unique(truth) if name == "balanced_accuracy" else np.arange(k)
    average = "binary" if is_binary else "macro"
    value = float(_VALUES[name](truth, predicted, labels=labels, average=average, zero_division=0))
    return Measure(_confusion_statistic(name, truth, predicted, k), value=value)


def _confusion_statistic(name: str, truth: Integers, predicted: Integers, k: int) -> Statistic:
    """Return the statistic of true positives, predicted and actual counts of each class."""
    n = len(truth)
    hits = _indicator(np.where(truth == predicted, truth, -1), k, n)
    actual, claimed = _indicator(truth, k, n), _indicator(predicted, k, n)

    def statistic(counts: Floats) -> Floats:
        tp, positives, claims = counts @ hits, counts @ actual, counts @ claimed
        if name == "balanced_accuracy":
            recall = _ratio(tp, positives, np.nan)
            return np.nanmean(recall, axis=1)
        each = {
            "precision": lambda: _ratio(tp, claims, 0),
            "recall": lambda: _ratio(tp, positives, 0),
            "f1": lambda: _ratio(tp + tp, positives + claims, 0),
        }[name]()
        return np.asarray(each[:, 1] if k == 2 else each.mean(axis=1))

    return statistic


def _of_probabilities(name: str, given: _Labelled, P: Floats) -> Measure:
    truth, k = given.truth, given.n_classes
    if name in {"roc_auc", "average_precision"}:
        return _of_ranking(name, truth, P, k)
    if name == "log_loss":
        P = P / P.sum(axis=1, keepdims=True)  # here only: it would break ties of ranking metrics
        value = float(_VALUES[name](truth, P, labels=np.arange(k)))
        of_truth = P[np.arange(len(truth)), truth]
        scores = -np.log(np.clip(of_truth, np.finfo(np.float64).eps, 1))
        return mean_measure(scores, value=value, direction="lower", bounds=(0, np.inf))
    if name == "brier":
        onehot = np.eye(k)[truth]
        scores = ((P - onehot) ** 2).sum(axis=1) / (2 if k == 2 else 1)
        value = float(_VALUES[name](truth, P, labels=np.arange(k)))
        return mean_measure(scores, value=value, direction="lower", bounds=(0, 2))
    confidence, right = P.max(axis=1), (P.argmax(axis=1) == truth).astype(np.float64)
    bins = np.minimum((confidence * N_BINS).astype(np.int64), N_BINS - 1)
    gaps = _indicator(bins, N_BINS, len(truth)).multiply((right - confidence)[:, None]).tocsr()
    return Measure(
        lambda counts: np.abs(counts @ gaps).sum(axis=1) / counts.sum(axis=1),
        direction="lower",
        is_skewed_up=True,
    )


def _of_ranking(name: str, truth: Integers, P: Floats, k: int) -> Measure:
    present = np.unique(truth)
    if len(present) < k:
        lacking = sorted(set(range(k)) - set(present.tolist()))
        raise EvaluationError(
            f"{name} needs examples of every class; the truth lacks class number {lacking[0]} of "
            f"{k} (accepted: more examples, or metrics={LABEL_METRICS!r})"
        )
    columns = [1] if k == 2 else list(range(k))
    make = _auc_statistic if name == "roc_auc" else _precision_statistic
    each = [make(truth == column, P[:, column]) for column in columns]
    values = [float(_VALUES[name](truth == column, P[:, column])) for column in columns]
    return Measure(
        lambda counts: np.mean([one(counts) for one in each], axis=0), value=float(np.mean(values))
    )


def _auc_statistic(is_positive: np.ndarray, score: Floats) -> Statistic:
    """Return the share of (positive, negative) pairs in the right order, ties counting half."""
    order = np.argsort(score, kind="stable")
    starts = _tie_starts(score[order])
    positive = is_positive[order]

    def statistic(counts: Floats) -> Floats:
        ordered = counts[:, order]
        up = np.add.reduceat(ordered * positive, starts, axis=1)
        down = np.add.reduceat(ordered * ~positive, starts, axis=1)
        won = (up * (np.cumsum(down, axis=1) - down / 2)).sum(axis=1)
        return _ratio(won, up.sum(axis=1) * down.sum(axis=1), np.nan)

    return statistic


def _precision_statistic(is_positive: np.ndarray, score: Floats) -> Statistic:
    """Return average precision: precision at each threshold, weighted by the recall it adds."""
    order = np.argsort(-score, kind="stable")
    starts = _tie_starts(score[order])
    positive = is_positive[order]

    def statistic(counts: Floats) -> Floats:
        ordered = counts[:, order]
        found = np.add.reduceat(ordered * positive, starts, axis=1)
        shown = np.cumsum(np.add.reduceat(ordered, starts, axis=1), axis=1)
        precision = _ratio(np.cumsum(found, axis=1), shown, 0)
        return _ratio((precision * found).sum(axis=1), found.sum(axis=1), np.nan)

    return statistic


def _tie_starts(ordered: Floats) -> Integers:
    return np.flatnonzero(np.r_[True, np.diff(ordered) != 0])


def _indicator(places: Integers, n_columns: int, n: int) -> sparse.csr_array:
    """Return a sparse 0/1 matrix with a one at each example's place; -1 has none."""
    rows = np.flatnonzero(places >= 0)
    ones = np.ones(len(rows))
    return sparse.csr_array((ones, (rows, places[rows])), shape=(n, n_columns))


def _ratio(top: Floats, bottom: Floats, otherwise: float) -> Floats:
    return np.divide(top, bottom, out=np.full_like(top, otherwise), where=bottom > 0)
