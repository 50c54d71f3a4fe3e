"""`diagnose`: look at a trained model from every side that time allows, and say what is wrong.

The order is by what a person would regret most not to know: data faults, then how it learns and
errs, then what it uses. Read next: `case.py`, `verdicts.py`, `report.py`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from threadpoolctl import threadpool_limits

from p1_prediction_api.diagnosis.case import Case, Predict, open_case
from p1_prediction_api.diagnosis.contracts import Diagnosis
from p1_prediction_api.diagnosis.curves import fit_figures, learning_curve, validation_curve
from p1_prediction_api.diagnosis.data_faults import duplicates, leakage, shift
from p1_prediction_api.diagnosis.errors_seen import (
    calibration,
    class_shares,
    confusion,
    rate_curves,
    residuals,
)
from p1_prediction_api.diagnosis.importance import importances, partial_dependences
from p1_prediction_api.diagnosis.label_noise import label_noise
from p1_prediction_api.diagnosis.slices import worst_slices
from p1_prediction_api.diagnosis.unsupervised import unsupervised
from p1_prediction_api.diagnosis.verdicts import find, verdict
from p1_prediction_api.training import TrainingRun

Report = Callable[[str, float], None]
"""Called with what is being done and the share done, 0 to 1; as in training."""
Found = TypeVar("Found")
MANY_ROWS = 20_000
"""Below it, hundreds of small fits lose more by waiting for each other's threads than they gain."""


def _say_nothing(what: str, share: float) -> None:
    """Report to nobody."""
    del what, share


def diagnose(
    run: TrainingRun,
    *,
    minutes: float = 2.0,
    seed: int = 0,
    report: Report = _say_nothing,
    predict: Predict | None = None,
) -> Diagnosis:
    """Say why a trained model fails, or that no fault was found.

    `minutes` bounds the work: large tables are sampled and what is left when time is spent is
    skipped, both told in `skipped`; the first fits are always done. `predict` turns a fitted
    pipeline and rows into what is judged, such as calibrated probabilities; by default the
    pipeline's own. Raises `TrainingError` when no fold holds every class.
    """
    started = time.monotonic()
    report("fitting on every fold", 0.0)
    with threadpool_limits(1 if len(run.data.y) < MANY_ROWS else None):
        case = open_case(run, minutes=minutes, seed=seed, predict=predict, started=started)
        seen = _look(run, case, _Steps(case, report))
    findings = find(seen)
    report("done", 1.0)
    return seen.model_copy(
        update={
            "findings": findings,
            "verdict": verdict(seen, findings),
            "skipped": tuple(case.skipped),
            "seconds": time.monotonic() - started,
        }
    )


@dataclass
class _Steps:
    """Does each step if time is left, and tells how far it is."""

    case: Case
    report: Report
    n_done: int = 0
    n_steps: int = 10

    def do(self, what: str, look: Callable[[], Found], otherwise: Found) -> Found:
        """Look, or note that it was skipped."""
        self.n_done += 1
        if self.case.is_late:
            self.case.skip(what, "the time was spent")
            return otherwise
        self.report(what, min(0.99, 0.1 + 0.9 * self.n_done / (self.n_steps + 1)))
        return look()


def _look(run: TrainingRun, case: Case, steps: _Steps) -> Diagnosis:
    fit = fit_figures(case)
    roc, precise = rate_curves(case, fit.held_out) if case.is_classes else ((), ())
    leaks = steps.do("leakage", lambda: leakage(case), None)
    copies = steps.do("duplicates", lambda: duplicates(case), None)
    moved = steps.do("shift between training and test", lambda: shift(case), None)
    wrong = steps.do("label noise", lambda: label_noise(case), None)
    weak = steps.do("weak slices", lambda: worst_slices(case), None)
    learning = steps.do("learning curve", lambda: learning_curve(case, fit), None)
    validation = steps.do("validation curve", lambda: validation_curve(case), None)
    ranked = steps.do("permutation importance", lambda: importances(case), ())
    drawn = steps.do("partial dependence", lambda: partial_dependences(case, ranked), ())
    groups = steps.do("the view without the target", lambda: unsupervised(case), None)
    return Diagnosis(
        verdict="",
        findings=(),
        model=case.candidate.name,
        target=case.data.target,
        unit=run.signature.unit,
        task=case.data.task,
        n_train=len(case.split.train),
        n_test=len(case.split.test),
        split=case.split.how,
        seed=case.seed,
        seconds=0.0,
        fit=fit,
        learning=learning,
        validation=validation,
        confusion=confusion(case) if case.is_classes else None,
        classes=class_shares(case) if case.is_classes else (),
        roc=roc,
        precision_recall=precise,
        calibration=calibration(case) if case.is_classes else None,
        residuals=None if case.is_classes else residuals(case),
        slices=weak,
        importance=ranked,
        partial_dependence=drawn,
        leakage=leaks,
        duplicates=copies,
        shift=moved,
        label_noise=wrong,
        unsupervised=groups,
    )
