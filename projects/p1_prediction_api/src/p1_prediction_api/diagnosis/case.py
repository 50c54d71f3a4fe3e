"""What every look at a model shares: its rows, its folds, one fit on all of training, its scores.

The held-out rows are predicted once. Everything that is fitted again is fitted inside the training
part, on the folds of the split. Large tables are sampled here, and the sample is told.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from p1_prediction_api.candidates import Candidate
from p1_prediction_api.contracts import Signature
from p1_prediction_api.diagnosis.contracts import Skipped
from p1_prediction_api.errors import TrainingError
from p1_prediction_api.prepared import Prepared
from p1_prediction_api.scoring import Score, main_metric, said_of, score_table
from p1_prediction_api.splits import Indices, Split
from p1_prediction_api.training import TrainingRun

Floats = NDArray[np.float64]
Predict = Callable[[Pipeline, pd.DataFrame], Floats]
"""From a fitted pipeline and rows to probabilities (n, classes) or numbers (n,)."""
MAX_ROWS = 10_000
"""Rows that curves learn from: beyond it a curve's shape hardly changes, its cost does."""
MIN_ROWS = 500
N_FITS = 80
"""About how many times a diagnosis fits the model; decides how many rows time allows."""
SHARE_FOR_FITS = 0.7
MIN_PER_CLASS = 10


@dataclass(frozen=True)
class Case:
    """A model to be looked at. Rows are positions in `data.X`."""

    data: Prepared
    split: Split
    signature: Signature
    candidate: Candidate
    metric: str
    seed: int
    predict: Predict
    model: Pipeline
    predicted: Floats
    folds: tuple[tuple[Indices, Indices], ...]
    out_of_fold: Floats
    """Predictions for every row by a model that did not learn from it; NaN where there is none."""
    fold_scores: tuple[float, ...]
    train_scores: tuple[float, ...]
    give_up_at: float
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def is_classes(self) -> bool:
        """Whether classes are predicted, not a number."""
        return self.data.task == "classification"

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return len(self.data.classes)

    @property
    def seen(self) -> Indices:
        """Rows with an honest prediction: out of fold, or held out."""
        values = self.out_of_fold if self.out_of_fold.ndim == 1 else self.out_of_fold[:, 0]
        return np.flatnonzero(np.isfinite(values))

    @property
    def learned(self) -> Indices:
        """Rows of the training part with a prediction out of fold."""
        return np.setdiff1d(self.seen, self.split.test)

    @property
    def is_late(self) -> bool:
        """Whether the time for the diagnosis is spent."""
        return time.monotonic() > self.give_up_at

    def said(self, p: Floats) -> NDArray[np.int64]:
        """Return the class that is said of each row, as the service decides."""
        if not self.signature.positive:
            return np.asarray(p.argmax(axis=1), np.int64)
        positive = self.signature.classes.index(self.signature.positive)
        return said_of(p, positive=positive, threshold=self.signature.threshold)

    def score(self, y: NDArray[Any], predicted: Floats) -> float:
        """Return the main metric; higher is better."""
        return float(scorer(self.data)(y, predicted))

    def skip(self, what: str, why: str) -> None:
        """Note what is not done."""
        self.skipped.append(Skipped(what=what, why=why))

    def errors(self, rows: Indices) -> Floats:
        """Return 1 for a wrong class, else 0; or the size of a number's error."""
        y, predicted = self.data.y[rows], self.out_of_fold[rows]
        if self.is_classes:
            return (predicted.argmax(axis=1) != y).astype(np.float64)
        return np.abs(y - predicted)

    def sampled(self, rows: Indices, at_most: int, what: str = "") -> Indices:
        """Return at most so many of the rows, in order; `what` is told when some are left out."""
        if len(rows) <= at_most:
            return rows
        if what:
            self.skip(what, f"on a sample of {at_most:,} of {len(rows):,} rows")
        chosen = np.random.default_rng(self.seed).choice(rows, at_most, replace=False)
        return np.sort(chosen)

    def cross_validated(self, pipeline: Pipeline, X: pd.DataFrame | None = None) -> list[float]:
        """Score an unfitted pipeline on each fold, on other inputs if given."""
        inputs = self.data.X if X is None else X
        return [
            self.score(
                self.data.y[score_rows],
                self.predict(
                    fitted(pipeline, inputs.iloc[fit_rows], self.data.y[fit_rows]),
                    inputs.iloc[score_rows],
                ),
            )
            for fit_rows, score_rows in self.folds
        ]


def scorer(data: Prepared) -> Score:
    """Return the metric that candidates are chosen by."""
    return score_table(data.task, len(data.classes))[main_metric(data.task, len(data.classes))]


def fitted(pipeline: Pipeline, X: pd.DataFrame, y: NDArray[Any]) -> Pipeline:
    """Fit a clone; a linear model that has not settled is judged as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        made: Pipeline = clone(pipeline).fit(X, y)
    return made


def plain_predict(data: Prepared) -> Predict:
    """Return how this task's pipelines predict, with a column for every class."""

    def predict(pipeline: Pipeline, X: pd.DataFrame) -> Floats:
        if data.task == "regression":
            return np.asarray(pipeline.predict(X), dtype=np.float64)
        probabilities = np.zeros((len(X), len(data.classes)))
        probabilities[:, np.asarray(pipeline.classes_, dtype=np.int64)] = pipeline.predict_proba(X)
        return probabilities

    return predict


def open_case(
    run: TrainingRun, *, minutes: float, seed: int, predict: Predict | None, started: float
) -> Case:
    """Fit once on the training part, once on each fold, and predict the rows held out once."""
    data, split = run.data, run.split
    predict = predict or plain_predict(data)
    begun = time.monotonic()
    model = fitted(run.chosen.pipeline, data.X.iloc[split.train], data.y[split.train])
    fit_s = time.monotonic() - begun
    predicted = predict(model, data.X.iloc[split.test])
    shape = (len(data.y), *predicted.shape[1:])
    out_of_fold = np.full(shape, np.nan)
    out_of_fold[split.test] = predicted
    part = _affordable(split, data, fit_s, minutes=minutes, seed=seed)
    folds = _usable_folds(part, data, seed)
    if not folds:
        raise TrainingError("no fold holds every class; the table is too small to diagnose")
    score = scorer(data)
    scores: list[float] = []
    train_scores: list[float] = []
    for fit_rows, score_rows in folds:
        one = fitted(run.chosen.pipeline, data.X.iloc[fit_rows], data.y[fit_rows])
        out_of_fold[score_rows] = predict(one, data.X.iloc[score_rows])
        scores.append(float(score(data.y[score_rows], out_of_fold[score_rows])))
        train_scores.append(float(score(data.y[fit_rows], predict(one, data.X.iloc[fit_rows]))))
    case = Case(
        data=data,
        split=split,
        signature=run.signature,
        candidate=run.chosen,
        metric=main_metric(data.task, len(data.classes)),
        seed=seed,
        predict=predict,
        model=model,
        predicted=predicted,
        folds=tuple(folds),
        out_of_fold=out_of_fold,
        fold_scores=tuple(scores),
        train_scores=tuple(train_scores),
        give_up_at=started + minutes * 60,
    )
    if len(part.train) < len(split.train):
        case.skip(
            "the whole training part in curves and folds",
            f"{len(part.train):,} of {len(split.train):,} rows keep it within {minutes:g} minutes",
        )
    return case


def _affordable(split: Split, data: Prepared, fit_s: float, *, minutes: float, seed: int) -> Split:
    """Return the split with as many training rows as time allows, no class lost, order kept."""
    n_rows = len(split.train)
    allowed = SHARE_FOR_FITS * minutes * 60 / max(N_FITS * fit_s, 1e-9)
    n_kept = int(min(n_rows, MAX_ROWS, max(MIN_ROWS, allowed * n_rows)))
    if n_kept >= n_rows:
        return split
    rng = np.random.default_rng(seed)
    order = rng.permutation(n_rows)
    kept = np.zeros(n_rows, dtype=bool)
    kept[order[:n_kept]] = True
    if data.task == "classification":
        y = data.y[split.train][order]
        for k in range(len(data.classes)):
            kept[order[y == k][:MIN_PER_CLASS]] = True
    return replace(split, train=split.train[kept])


def _usable_folds(part: Split, data: Prepared, seed: int) -> list[tuple[Indices, Indices]]:
    """Return folds whose both sides hold every class: an early slice of time may lack one."""
    folds = [
        (part.train[fit_rows], part.train[score_rows])
        for fit_rows, score_rows in part.folds(data.y, data.task, seed)
    ]
    if data.task == "regression":
        return folds
    return [
        pair
        for pair in folds
        if all(len(np.unique(data.y[rows])) == len(data.classes) for rows in pair)
    ]


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean over folds and its standard error."""
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return float(np.mean(values)), error
