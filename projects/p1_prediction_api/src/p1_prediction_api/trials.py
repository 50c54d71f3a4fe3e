"""One candidate's trial: fitted on each fold's rows, scored on the rows that were held back.

Folds are fitted side by side, one a core, each on one thread: threads that wait for each other
inside one small fit cost more than they gain, and many times more where the machine is shared.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from p1_prediction_api.candidates import Candidate
from p1_prediction_api.contracts import CandidateScore
from p1_prediction_api.errors import TrainingError
from p1_prediction_api.prepared import Prepared
from p1_prediction_api.raw_scores import link, raw_scores
from p1_prediction_api.scoring import Score, main_metric, score_table
from p1_prediction_api.splits import Indices, Split

Floats = NDArray[np.float64]
N_CORES = int(joblib.cpu_count())
N_TRIAL_FOLDS = 2
"""Folds after which a candidate that lags behind the best, or is too slow, is given up."""


@dataclass(frozen=True)
class Trial:
    """A candidate's out-of-fold scores on rows of the training part, and what they are worth."""

    candidate: Candidate
    score: CandidateScore
    by_fold: tuple[float, ...]
    rows: Indices
    """Positions within the training part that have a raw score."""
    fold: Indices
    """Number of the fold that each of `rows` was held back from."""
    raw: Floats
    """Shape (len(rows), n_scores)."""
    n_rounds: int = 0
    seconds: float = 0.0
    """By the clock, for every fold it was tried on."""

    @property
    def is_whole(self) -> bool:
        """Whether every fold was tried."""
        return not self.score.note


class _Fold(NamedTuple):
    rows: Indices
    raw: Floats
    score: float
    n_rounds: int
    fit_s: float
    predict_s: float


def fold_score(data: Prepared) -> Score:
    """Return the figure that candidates are compared by; higher is better."""
    return score_table(data.task, len(data.classes))[main_metric(data.task, len(data.classes))]


def usable_folds(data: Prepared, split: Split, seed: int) -> list[tuple[Indices, Indices]]:
    """Return the folds that learn from every class: an early slice of time may lack one."""
    y = data.y[split.train]
    found = [
        (fit_rows, score_rows)
        for fit_rows, score_rows in split.folds(data.y, data.task, seed)
        if data.task == "regression" or len(np.unique(y[fit_rows])) == len(data.classes)
    ]
    if not found:
        raise TrainingError("no fold holds every class; the table is too small to learn from")
    return found


def try_candidate(
    candidate: Candidate,
    data: Prepared,
    split: Split,
    best: Trial | None,
    *,
    seed: int,
    left: Callable[[], float],
) -> Trial:
    """Score on every fold, or on the first ones when the candidate lags behind or is too slow."""
    started = time.monotonic()
    folds = usable_folds(data, split, seed)
    X, y = data.X.iloc[split.train], data.y[split.train]

    def one_fold(rows: tuple[Indices, Indices]) -> _Fold:
        return _fold(candidate, data, X, y, rows)

    def tried(some: Sequence[tuple[Indices, Indices]]) -> list[_Fold]:
        with ThreadPoolExecutor(N_CORES) as pool:
            return list(pool.map(one_fold, some))

    found = tried(folds[:N_TRIAL_FOLDS])
    note = _gives_up(found, best, time.monotonic() - started, len(folds), left)
    if not note:
        found += tried(folds[N_TRIAL_FOLDS:])
    return _trial(candidate, found, note, time.monotonic() - started)


def _fold(
    candidate: Candidate,
    data: Prepared,
    X: pd.DataFrame,
    y: NDArray[Any],
    rows: tuple[Indices, Indices],
) -> _Fold:
    fit_rows, score_rows = rows
    one = candidate.with_pipeline(clone(candidate.pipeline))
    with threadpool_limits(1):
        started = time.thread_time()
        one.pipeline.fit(X.iloc[fit_rows], y[fit_rows])
        fitted = time.thread_time()
        raw = raw_scores(data, one, X.iloc[score_rows])
        predicted = time.thread_time()
    return _Fold(
        rows=score_rows,
        raw=raw,
        score=float(fold_score(data)(y[score_rows], link(data, one, raw))),
        n_rounds=int(getattr(one.pipeline.named_steps["model"], "n_iter_", 0))
        if candidate.family == "boosted"
        else 0,
        fit_s=fitted - started,
        predict_s=predicted - fitted,
    )


def _gives_up(
    found: Sequence[_Fold],
    best: Trial | None,
    spent_s: float,
    n_folds: int,
    left: Callable[[], float],
) -> str:
    """Say why the other folds are not worth it; empty when they are."""
    if best is None or len(found) >= n_folds:
        return ""
    behind = np.subtract(best.by_fold[: len(found)], [one.score for one in found])
    if (behind > 0).all() and behind.mean() > best.score.standard_error:
        return f"given up after {len(found)} folds: behind on each of them"
    if spent_s / len(found) * (n_folds - len(found)) > left():
        return f"given up after {len(found)} folds: no time for the rest"
    return ""


def _trial(candidate: Candidate, found: Sequence[_Fold], note: str, seconds: float) -> Trial:
    by_fold = [one.score for one in found]
    rows = np.concatenate([one.rows for one in found])
    return Trial(
        candidate=candidate,
        score=CandidateScore(
            name=candidate.name,
            score=float(np.mean(by_fold)),
            standard_error=standard_error(np.asarray(by_fold)),
            fit_s=float(np.mean([one.fit_s for one in found])),
            predict_us=sum(one.predict_s for one in found) / len(rows) * 1e6,
            note=note,
        ),
        by_fold=tuple(by_fold),
        rows=rows,
        fold=np.repeat(np.arange(len(found)), [len(one.rows) for one in found]),
        raw=np.concatenate([one.raw for one in found]),
        n_rounds=int(np.median([one.n_rounds for one in found])),
        seconds=seconds,
    )


def standard_error(values: NDArray[Any]) -> float:
    """Return the standard error of a mean over folds."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
