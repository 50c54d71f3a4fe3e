"""Regression: numbers against the truth. Values are scikit-learn's.

MAPE is measured only where it means something: on request, or when all true values have one sign
and none is under a hundredth of their median.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import metrics as sklearn_metrics

from common.evaluation.estimates import EvaluationError
from common.evaluation.inputs import Floats, numbers
from common.evaluation.intervals import Statistic, mean_of
from common.evaluation.metrics import Measure, Metrics, Resampling, chosen, mean_measure, measured

REGRESSION_METRICS = ("mae", "rmse", "r2", "median_absolute_error")
POSITIVE = (0.0, np.inf)
_VALUES: Mapping[str, Callable[..., Any]] = {
    "mae": sklearn_metrics.mean_absolute_error,
    "rmse": sklearn_metrics.root_mean_squared_error,
    "r2": sklearn_metrics.r2_score,
    "median_absolute_error": sklearn_metrics.median_absolute_error,
    "mape": sklearn_metrics.mean_absolute_percentage_error,
}


def regression_metrics(
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    metrics: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
    resampling: Resampling = Resampling(),  # noqa: B008 - frozen
) -> Metrics:
    """Measure predicted numbers; errors are in the unit of the truth, MAPE is a share."""
    y = numbers("truth", truth)
    p = numbers("predicted", predicted, n=len(y))
    known: dict[str, Callable[[], Measure]] = {
        "mae": lambda: mean_measure(
            np.abs(y - p), value=float(_VALUES["mae"](y, p)),
            direction="lower", bounds=POSITIVE,
        ),
        "rmse": lambda: Measure(
            lambda counts: np.sqrt(mean_of((y - p) ** 2)(counts)),
            value=float(_VALUES["rmse"](y, p)),
            direction="lower", bounds=POSITIVE,
        ),
        "r2": lambda: _r2(y, p),
        "median_absolute_error": lambda: Measure(
            _median_statistic(np.abs(y - p)),
            value=float(_VALUES["median_absolute_error"](y, p)),
            direction="lower", bounds=POSITIVE,
        ),
        "mape": lambda: _mape(y, p),
    }  # fmt: skip
    default = REGRESSION_METRICS + (("mape",) if _is_away_from_zero(y) else ())
    return measured(chosen(known, metrics, default), len(y), resampling, groups)


def _r2(y: Floats, p: Floats) -> Measure:
    if np.ptp(y) == 0:
        raise EvaluationError(
            f"r2 needs a truth that varies; all {len(y)} values are {y[0]:g} (accepted: other "
            f"metrics, such as metrics=('mae', 'rmse'))"
        )
    centred = y - y.mean()  # so that the sums of squares do not cancel
    error = (y - p) ** 2

    def statistic(counts: Floats) -> Floats:
        n = counts.sum(axis=1)
        spread = counts @ centred**2 - (counts @ centred) ** 2 / n
        is_flat = spread <= 1e-12 * float(np.sum(centred**2))
        return np.where(is_flat, np.nan, 1 - counts @ error / np.where(is_flat, 1, spread))

    return Measure(statistic, value=float(_VALUES["r2"](y, p)), bounds=(-np.inf, 1))


def _mape(y: Floats, p: Floats) -> Measure:
    if (y == 0).any():
        raise EvaluationError(
            f"mape divides by the truth, which is 0 in {int((y == 0).sum())} example(s); "
            "accepted: a truth without zeros, or mae"
        )
    value = float(_VALUES["mape"](y, p))
    return mean_measure(np.abs((y - p) / y), value=value, direction="lower", bounds=POSITIVE)


def _is_away_from_zero(y: Floats) -> bool:
    size = np.abs(y)
    return bool(abs(y.sum()) == size.sum() and size.min() > 0.01 * np.median(size))


def _median_statistic(errors: Floats) -> Statistic:
    order = np.argsort(errors, kind="stable")
    ordered = errors[order]

    def statistic(counts: Floats) -> Floats:
        reached = np.cumsum(counts[:, order], axis=1)
        n = reached[:, -1:]
        lower = (reached > (n - 1) // 2).argmax(axis=1)
        upper = (reached > n // 2).argmax(axis=1)
        return (ordered[lower] + ordered[upper]) / 2

    return statistic
