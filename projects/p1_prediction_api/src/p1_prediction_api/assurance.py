"""How sure an answer is: sets and intervals, how often they held the truth, and warnings of it.

Fitted on out-of-fold scores, which the folds of the split made: whole groups, or later times, were
held back there too. What was held back at the last is measured on. Where time passes, rows are not
exchangeable and no rate is promised (Barber et al., Annals of Statistics 51, 2023): it is measured,
and told where it falls short. Read next: `conformal.py`.
"""

import numpy as np
from numpy.typing import NDArray

from p1_prediction_api.calibration import probabilities
from p1_prediction_api.conformal import fit_bins, fit_set_threshold, intervals, prediction_sets
from p1_prediction_api.contracts import Uncertainty
from p1_prediction_api.export import Fitted
from p1_prediction_api.scoring import interval_of_share
from p1_prediction_api.splits import Split
from p1_prediction_api.trials import Trial

Floats = NDArray[np.float64]
LEVEL = 0.9
"""Rate at which sets and intervals are to hold the truth."""
MUCH_LESS = 0.1
"""So far below the level a class's coverage is worth a warning."""


def measured_uncertainty(
    fitted: Fitted, split: Split, trial: Trial, predicted: Floats
) -> Uncertainty:
    """Fit on the out-of-fold scores; measure on rows never seen, whose answers are `predicted`."""
    data = fitted.data
    known, truth = data.y[split.train][trial.rows], data.y[split.test]
    if data.task == "classification":
        p = probabilities(trial.raw, fitted.calibration)
        threshold = fit_set_threshold(p, known, LEVEL)
        sets = prediction_sets(predicted, threshold)
        is_held = sets[np.arange(len(truth)), truth]
        return Uncertainty(
            level=LEVEL,
            set_threshold=threshold,
            coverage=interval_of_share(is_held),
            coverage_by_class={
                name: interval_of_share(is_held[truth == k])
                for k, name in enumerate(data.classes)
                if (truth == k).any()
            },
            mean_size=float(sets.sum(axis=1).mean()),
        )
    bins = fit_bins(trial.raw[:, 0], known, LEVEL)
    low, high = intervals(predicted, bins)
    return Uncertainty(
        level=LEVEL,
        bins=bins,
        coverage=interval_of_share((low <= truth) & (truth <= high)),
        mean_size=float((high - low).mean()),
    )


def coverage_warnings(found: Uncertainty, split: Split) -> list[str]:
    """Say where sets and intervals hold the truth less often than they are asked to."""
    what = "intervals" if found.bins else "sets of classes"
    told = []
    if found.coverage.high < found.level:
        why = " The rows of later times differ from those before." if split.is_by_time else ""
        told.append(
            f"{what} held the truth in {found.coverage.value:.1%} of rows never seen, where "
            f"{found.level:.0%} was asked for.{why}"
        )
    for name, one in found.coverage_by_class.items():
        if one.high < found.level - MUCH_LESS:
            told.append(
                f"{what} held the truth in {one.value:.1%} of the rows of class {name} only"
            )
    return told
