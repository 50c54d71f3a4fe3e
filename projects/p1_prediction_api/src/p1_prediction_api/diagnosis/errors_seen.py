"""How the model errs on the rows held out: confusion, ROC, precision and recall, calibration.

For numbers, the residuals. Intervals are Wilson's for shares and the bootstrap's for the rest.
"""

import numpy as np
from common.evaluation import mean_interval, wilson_interval
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn import metrics

from p1_prediction_api.contracts import Estimate
from p1_prediction_api.diagnosis.areas import average_precision, roc_area
from p1_prediction_api.diagnosis.case import Case, Floats
from p1_prediction_api.diagnosis.contracts import (
    CalibrationBin,
    CalibrationView,
    ClassShare,
    Confusion,
    RateCurve,
    ResidualBin,
    Residuals,
)
from p1_prediction_api.scoring import estimate

MAX_CURVES = 5
MAX_POINTS = 120
N_BINS = 10
MIN_PER_BIN = 15
MAX_SCATTER = 400


def share_of(n_hits: int, n: int, level: float = 0.95) -> Estimate:
    """Return a share with Wilson's interval (1927); 0 to 1 where nothing was tried."""
    if n == 0:
        return Estimate(value=0.0, low=0.0, high=1.0)
    found = wilson_interval(n_hits, n, level=level)
    return Estimate(value=found.value, low=found.low, high=found.high)


def confusion(case: Case) -> Confusion:
    """Count the held-out rows by true and said class."""
    y, said = case.data.y[case.split.test], case.said(case.predicted)
    counts = metrics.confusion_matrix(y, said, labels=range(case.n_classes))
    return Confusion(
        classes=case.data.classes,
        counts=tuple(tuple(int(n) for n in row) for row in counts),
    )


def class_shares(case: Case) -> tuple[ClassShare, ...]:
    """Return each class's share of training and how many of it are found when held out."""
    y_train, y = case.data.y[case.split.train], case.data.y[case.split.test]
    said = case.said(case.predicted)
    return tuple(
        ClassShare(
            label=label,
            n_train=int((y_train == k).sum()),
            share=float((y_train == k).mean()),
            n_test=int((y == k).sum()),
            recall=share_of(int(((y == k) & (said == k)).sum()), int((y == k).sum())),
        )
        for k, label in enumerate(case.data.classes)
    )


def rate_curves(
    case: Case, held_out: Estimate
) -> tuple[tuple[RateCurve, ...], tuple[RateCurve, ...]]:
    """Return ROC and precision-recall curves: of the rarer of two classes, or one a class.

    ROC after Fawcett (2006); precision-recall says more where a class is rare (Saito and
    Rehmsmeier, 2015); its area is the average precision. `held_out` is the main metric there.
    """
    y = case.data.y[case.split.test]
    counts = np.bincount(y, minlength=case.n_classes)
    shown = np.argsort(counts, kind="stable")[: 1 if case.n_classes == 2 else MAX_CURVES]
    roc: list[RateCurve] = []
    precise: list[RateCurve] = []
    for k in sorted(int(one) for one in shown):
        is_it, p = (y == k).astype(np.int64), case.predicted[:, k]
        if is_it.min() == is_it.max():
            continue
        label, base = case.data.classes[k], float(is_it.mean())
        x, up, _ = metrics.roc_curve(is_it, p)
        if case.metric == "roc_auc":  # the same figure, whichever class is looked for
            area = held_out
        else:
            area = estimate("area", roc_area, is_it, p, seed=case.seed)
        roc.append(_curve(label, x, up, area, 0.5))
        precision, recall, _ = metrics.precision_recall_curve(is_it, p)
        area = estimate("area", average_precision, is_it, p, seed=case.seed)
        precise.append(_curve(label, recall[::-1], precision[::-1], area, base))
    return tuple(roc), tuple(precise)


def _curve(label: str, x: Floats, y: Floats, area: Estimate, guess: float) -> RateCurve:
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), MAX_POINTS)).astype(np.int64))
    return RateCurve(
        label=label,
        x=tuple(float(one) for one in x[kept]),
        y=tuple(float(one) for one in y[kept]),
        area=area,
        guess=guess,
    )


def calibration(case: Case) -> CalibrationView:
    """Compare what is said with what is so, in bins of equally many rows.

    Two classes: the probability of the second; more: of the class said. The statistic is
    Spiegelhalter's (Statistics in Medicine, 1986), about standard normal when calibrated.
    """
    y = case.data.y[case.split.test]
    if case.n_classes == 2:
        label, said, so = case.data.classes[1], case.predicted[:, 1], y == 1
    else:
        said, so = case.predicted.max(axis=1), case.predicted.argmax(axis=1) == y
        label = "the class said"
    n_bins = max(2, min(N_BINS, len(y) // MIN_PER_BIN))
    parts = np.array_split(np.argsort(said, kind="stable"), n_bins)
    bins = tuple(
        CalibrationBin(
            said=float(said[rows].mean()),
            seen=share_of(int(so[rows].sum()), len(rows)),
            n=len(rows),
        )
        for rows in parts
        if len(rows)
    )
    error = sum(abs(one.said - one.seen.value) * one.n for one in bins) / len(y)
    return CalibrationView(label=label, bins=bins, error=float(error), z=_spiegelhalter(said, so))


def _spiegelhalter(said: Floats, so: NDArray[np.bool_]) -> float:
    p = np.clip(said, 1e-6, 1 - 1e-6)  # a single miss of a certain claim would divide by nothing
    excess = float(np.sum((so - p) * (1 - 2 * p)))
    spread = float(np.sqrt(np.sum((1 - 2 * p) ** 2 * p * (1 - p))))
    return excess / spread if spread > 0 else 0.0


def residuals(case: Case) -> Residuals:
    """Return truth less prediction against the prediction (Anscombe and Tukey, 1963)."""
    y, predicted = case.data.y[case.split.test].astype(np.float64), case.predicted
    left = y - predicted
    order = np.argsort(predicted, kind="stable")
    parts = np.array_split(order, max(2, min(N_BINS, len(y) // MIN_PER_BIN)))
    bins = []
    for rows in parts:
        if len(rows) < 2:
            continue
        one = mean_interval(left[rows], seed=case.seed, n_resamples=500)
        mean = Estimate(value=one.value, low=one.low, high=one.high)
        bins.append(ResidualBin(predicted=float(predicted[rows].mean()), mean=mean, n=len(rows)))
    correlation, p = 0.0, 1.0
    if len(np.unique(predicted)) > 2:
        found = spearmanr(np.abs(left), predicted)
        correlation, p = float(found.statistic), float(found.pvalue)
    shown = case.sampled(np.arange(len(y)), MAX_SCATTER)
    return Residuals(
        predicted=tuple(float(one) for one in predicted[shown]),
        residual=tuple(float(one) for one in left[shown]),
        bins=tuple(bins),
        spread_correlation=correlation,
        spread_p=p,
    )
