"""The search: each candidate by cross-validation inside the training part, within a time.

Every fold's held-back rows are scored once, so that each row gets a score from a model that did not
learn from it: these out-of-fold scores choose, calibrate and say how sure to be. A candidate that
is clearly worse on the first folds is not tried on the rest.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from p1_prediction_api.candidates import BASELINE, Candidate, candidates, with_rounds
from p1_prediction_api.contracts import CandidateScore
from p1_prediction_api.errors import TrainingError
from p1_prediction_api.prepared import Prepared
from p1_prediction_api.raw_scores import link, raw_scores
from p1_prediction_api.scoring import Score, main_metric, score_table
from p1_prediction_api.splits import Split

Floats = NDArray[np.float64]
Report = Callable[[str, float], None]
"""Called with what is being done and the share done, 0 to 1."""
N_TRIAL_FOLDS = 2
"""Folds after which a candidate that lags behind the best is given up."""


@dataclass(frozen=True)
class Trial:
    """A candidate's out-of-fold scores on rows of the training part, and what they are worth."""

    candidate: Candidate
    score: CandidateScore
    by_fold: tuple[float, ...]
    rows: NDArray[np.int64]
    """Positions within the training part that have a raw score."""
    raw: Floats
    """Shape (len(rows), n_scores)."""
    n_rounds: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every fold was tried."""
        return not self.score.note


@dataclass
class Search:
    """What the search has found so far; an interrupt keeps it."""

    trials: list[Trial] = field(default_factory=list)

    @property
    def whole(self) -> list[Trial]:
        """The trials over every fold: those that can be chosen."""
        return [trial for trial in self.trials if trial.is_whole]

    def choose(self) -> tuple[Trial, str]:
        """Take the plainest candidate that is not shown to be worse than the best.

        Worse is shown when it loses by more than one standard error of the paired differences
        between folds (Breiman's rule of 1984, with pairs).
        """
        best = max(self.whole, key=lambda trial: trial.score.score)
        for trial in sorted(self.whole, key=lambda trial: trial.candidate.rank):
            lost = np.subtract(best.by_fold, trial.by_fold)
            if trial is best or lost.mean() <= _standard_error(lost):
                break
        if trial is best:
            return best, "it has the best cross-validated score"
        return trial, (
            f"it is the plainest within one standard error of {best.candidate.name}, the best"
        )

    def refit(self, trial: Trial, data: Prepared, split: Split) -> Candidate:
        """Fit the choice on the whole training part."""
        chosen = trial.candidate
        if trial.n_rounds:
            chosen = with_rounds(chosen, trial.n_rounds)
        chosen.pipeline.fit(data.X.iloc[split.train], data.y[split.train])
        return chosen


def search(data: Prepared, split: Split, *, seed: int, minutes: float, report: Report) -> Search:
    """Try candidates until the time is up, or an interrupt comes after the first real one."""
    give_up_at = time.monotonic() + minutes * 60
    found = Search()
    listed = list(candidates(data, seed=seed))
    for k, candidate in enumerate(listed):
        if len(found.whole) > 1 and time.monotonic() > give_up_at:
            break
        best = max((t for t in found.whole), key=lambda t: t.score.score, default=None)
        said = f"; best so far {best.candidate.name}, {best.score.score:.3f}" if best else ""
        report(f"cross-validating {candidate.name}{said}", 0.05 + 0.8 * k / len(listed))
        try:
            found.trials.append(_try(candidate, data, split, best, seed=seed))
        except KeyboardInterrupt:
            if not any(trial.candidate.name != BASELINE for trial in found.whole):
                raise
            break
    return found


def _try(
    candidate: Candidate, data: Prepared, split: Split, best: Trial | None, *, seed: int
) -> Trial:
    score: Score = score_table(data.task, len(data.classes))[
        main_metric(data.task, len(data.classes))
    ]
    X, y = data.X.iloc[split.train], data.y[split.train]
    by_fold: list[float] = []
    scored: list[NDArray[np.int64]] = []
    raws: list[Floats] = []
    rounds: list[int] = []
    fit_s, predict_s, note = 0.0, 0.0, ""
    for fit_rows, score_rows in split.folds(data.y, data.task, seed):
        if data.task == "classification" and len(np.unique(y[fit_rows])) < len(data.classes):
            continue  # an early slice of time may lack a class
        if len(by_fold) == N_TRIAL_FOLDS and best is not None and _lags(by_fold, best):
            note = f"given up after {N_TRIAL_FOLDS} folds: behind on each of them"
            break
        started = time.perf_counter()
        candidate.pipeline.fit(X.iloc[fit_rows], y[fit_rows])
        fitted = time.perf_counter()
        raw = raw_scores(data, candidate, X.iloc[score_rows])
        fit_s, predict_s = fit_s + fitted - started, predict_s + time.perf_counter() - fitted
        by_fold.append(float(score(y[score_rows], link(data, candidate, raw))))
        scored.append(score_rows)
        raws.append(raw)
        if candidate.family == "boosted":
            rounds.append(int(candidate.pipeline.named_steps["model"].n_iter_))
    if not by_fold:
        raise TrainingError("no fold holds every class; the table is too small to learn from")
    n_scored = sum(len(rows) for rows in scored)
    return Trial(
        candidate=candidate,
        score=CandidateScore(
            name=candidate.name,
            score=float(np.mean(by_fold)),
            standard_error=_standard_error(np.asarray(by_fold)),
            fit_s=fit_s / len(by_fold),
            predict_us=predict_s / n_scored * 1e6,
            note=note,
        ),
        by_fold=tuple(by_fold),
        rows=np.concatenate(scored),
        raw=np.concatenate(raws),
        n_rounds=round(float(np.mean(rounds))) if rounds else 0,
    )


def _lags(by_fold: list[float], best: Trial) -> bool:
    behind = np.subtract(best.by_fold[: len(by_fold)], by_fold)
    return bool((behind > 0).all() and behind.mean() > best.score.standard_error)


def _standard_error(values: NDArray[Any]) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
