"""How the model learns: scores as rows are added, as a setting is loosened, and against rivals.

Bias shows where a more flexible rival does better, variance where a simpler one does (Hastie,
Tibshirani and Friedman, "The Elements of Statistical Learning", 2009, 7.2-7.3). All inside the
training part, on the folds of the split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from p1_prediction_api.contracts import Estimate
from p1_prediction_api.diagnosis.areas import roc_area
from p1_prediction_api.diagnosis.case import Case, Floats, fitted, mean_and_error
from p1_prediction_api.diagnosis.contracts import (
    CurvePoint,
    Fit,
    LearningCurve,
    Rival,
    ValidationCurve,
)
from p1_prediction_api.diagnosis.verdicts import learning_words, validation_words
from p1_prediction_api.prepared import Prepared
from p1_prediction_api.scoring import estimate

SHARES = (0.125, 0.25, 0.5, 0.75)
MIN_ROWS = 20


@dataclass(frozen=True)
class _Setting:
    """A parameter of a model, its values from the simplest to the most flexible."""

    name: str
    words: str
    values: tuple[float | int | None, ...]


_SETTINGS = {
    "LogisticRegression": _Setting("C", "C", (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)),
    "Ridge": _Setting("alpha", "ridge", (10_000.0, 1000.0, 100.0, 10.0, 1.0, 0.1, 0.01)),
    "HistGradientBoosting": _Setting("max_leaf_nodes", "leaves", (2, 4, 8, 16, 31, 63)),
    "DecisionTree": _Setting("max_leaf_nodes", "leaves", (2, 4, 8, 16, 32, 64, 128, None)),
    "RandomForest": _Setting("min_samples_leaf", "rows a leaf", (100, 50, 20, 10, 5, 3, 1)),
    "KNeighbors": _Setting("n_neighbors", "neighbours", (101, 51, 25, 11, 5, 1)),
}


def fit_figures(case: Case) -> Fit:
    """Score the model where it learned, out of fold and held out, and its rivals out of fold."""
    y = case.data.y[case.split.test]
    score = _quick_area if case.metric == "roc_auc" else case.score
    held_out = estimate(case.metric, score, y, case.predicted, seed=case.seed)
    mean, error = mean_and_error(case.fold_scores)
    return Fit(
        metric=case.metric,
        no_skill=_no_skill(case),
        train=float(np.mean(case.train_scores)),
        cross_validated=mean,
        standard_error=error,
        held_out=Estimate(value=held_out.value, low=held_out.low, high=held_out.high),
        n_folds=len(case.folds),
        rivals=tuple(_rival(case, *one) for one in _rivals(case.data, case.seed)),
    )


def _quick_area(y: NDArray[Any], predicted: Floats) -> float:
    return roc_area(y, predicted[:, 1])


def _no_skill(case: Case) -> float:
    """Return what a guess that ignores the inputs scores on the held-out rows."""
    guess = DummyClassifier(strategy="prior") if case.is_classes else DummyRegressor()
    pipeline = Pipeline([("model", guess)])
    rows = case.split.train
    made = fitted(pipeline, case.data.X.iloc[rows], case.data.y[rows])
    y = case.data.y[case.split.test]
    guessed = case.score(y, case.predict(made, case.data.X.iloc[case.split.test]))
    return guessed if case.is_classes else 0.0


def _rivals(data: Prepared, seed: int) -> list[tuple[str, bool, Pipeline]]:
    """Return a linear model and boosted trees at plain settings."""
    is_classes = data.task == "classification"
    numbers = [name for name in data.X.columns if name not in data.labels]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    labels = [("labels", encoder, list(data.labels))] if data.labels else []
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    scaled = Pipeline([("impute", imputer), ("scale", StandardScaler())])
    linear: Any = LogisticRegression(max_iter=1000) if is_classes else Ridge()
    kind = HistGradientBoostingClassifier if is_classes else HistGradientBoostingRegressor
    boosted = kind(max_iter=100, early_stopping=False, min_samples_leaf=10, random_state=seed)
    passed: list[Any] = [("numbers", "passthrough", numbers)] if numbers else []
    dense: list[Any] = [("numbers", scaled, numbers)] if numbers else []
    return [
        (name, is_simpler, Pipeline([("prepare", ColumnTransformer(steps)), ("model", model)]))
        for name, is_simpler, steps, model in (
            ("a linear model", True, dense + labels, linear),
            ("boosted trees", False, passed + labels, boosted),
        )
    ]


def _rival(case: Case, name: str, is_simpler: bool, pipeline: Pipeline) -> Rival:
    scores = case.cross_validated(pipeline)
    lead, error = mean_and_error(np.subtract(scores, case.fold_scores).tolist())
    return Rival(
        name=name,
        is_simpler=is_simpler,
        score=float(np.mean(scores)),
        lead=lead,
        lead_error=error,
    )


def learning_curve(case: Case, fit: Fit) -> LearningCurve | None:
    """Score at growing shares of each fold's rows (Perlich, Provost and Simonoff, JMLR 2003)."""
    n_full = int(np.mean([len(rows) for rows, _ in case.folds]))
    points: list[CurvePoint] = []
    halves: list[float] = []
    for share in SHARES:
        if case.is_late:
            case.skip("part of the learning curve", "the time was spent")
            break
        scores = _at_share(case, share)
        if scores is None:
            continue
        points.append(_point(f"{share * n_full:,.0f}", share * n_full, *scores))
        if share == 0.5:
            halves = scores[1]
    points.append(_point(f"{n_full:,}", n_full, case.train_scores, case.fold_scores))
    if not halves:
        case.skip("the verdict on more rows", "half of the rows cannot be learned from")
    gain, error = mean_and_error(np.subtract(case.fold_scores, halves).tolist() if halves else [0])
    return LearningCurve(
        points=tuple(points),
        gain=gain,
        gain_error=error,
        verdict=learning_words(fit, gain, error),
    )


def _at_share(case: Case, share: float) -> tuple[list[float], list[float]] | None:
    train: list[float] = []
    validation: list[float] = []
    for k, (fit_rows, score_rows) in enumerate(case.folds):
        rng = np.random.default_rng([case.seed, k])
        rows = rng.permutation(fit_rows)[: max(1, round(share * len(fit_rows)))]
        y = case.data.y[rows]
        if len(rows) < MIN_ROWS or (case.is_classes and len(np.unique(y)) < case.n_classes):
            return None
        if case.is_classes and np.bincount(y).min() < 2:
            return None
        model = fitted(case.candidate.pipeline, case.data.X.iloc[rows], y)
        train.append(case.score(y, case.predict(model, case.data.X.iloc[rows])))
        predicted = case.predict(model, case.data.X.iloc[score_rows])
        validation.append(case.score(case.data.y[score_rows], predicted))
    return train, validation


def validation_curve(case: Case) -> ValidationCurve | None:
    """Score at values of the setting that makes this kind of model simpler or more flexible."""
    model = case.candidate.pipeline.named_steps.get("model", case.candidate.pipeline[-1])
    kind = type(model).__name__
    setting = next((s for name, s in _SETTINGS.items() if kind.startswith(name)), None)
    if setting is None:
        case.skip("validation curve", f"{kind} has no setting known here")
        return None
    step = case.candidate.pipeline.steps[-1][0]
    current = model.get_params()[setting.name]
    values = _with(setting.values, current)
    points: list[CurvePoint] = []
    scores: dict[str, list[float]] = {}
    for k, value in enumerate(values):
        if case.is_late:
            case.skip("part of the validation curve", "the time was spent")
            break
        label = "no limit" if value is None else f"{value:g}"
        if value == current:
            train, scores[label] = list(case.train_scores), list(case.fold_scores)
        else:
            changed = clone(case.candidate.pipeline).set_params(
                **{f"{step}__{setting.name}": value}
            )
            train, scores[label] = _both(case, changed)
        points.append(_point(label, float(k), train, scores[label]))
    if not points:
        return None
    return _judged(setting, points, scores, "no limit" if current is None else f"{current:g}")


def _with(
    values: tuple[float | int | None, ...], current: float | int | None
) -> list[float | int | None]:
    """Put the chosen value where it belongs between simple and flexible."""
    if current in values:
        return list(values)
    numbers = [v for v in values if v is not None]
    is_rising = numbers[0] < numbers[-1]
    if current is None:
        return [*values, None]
    ordered = sorted([*numbers, current], reverse=not is_rising)
    return [*ordered, *(v for v in values if v is None)]


def _both(case: Case, pipeline: Pipeline) -> tuple[list[float], list[float]]:
    train: list[float] = []
    validation: list[float] = []
    for fit_rows, score_rows in case.folds:
        X, y = case.data.X, case.data.y
        model = fitted(pipeline, X.iloc[fit_rows], y[fit_rows])
        train.append(case.score(y[fit_rows], case.predict(model, X.iloc[fit_rows])))
        validation.append(case.score(y[score_rows], case.predict(model, X.iloc[score_rows])))
    return train, validation


def _judged(
    setting: _Setting, points: list[CurvePoint], scores: dict[str, list[float]], chosen: str
) -> ValidationCurve:
    labels = [point.label for point in points]
    best = max(points, key=lambda point: point.validation).label
    lead, error = 0.0, 0.0
    if chosen in labels:
        for label in labels[: labels.index(chosen)]:
            one = mean_and_error(np.subtract(scores[label], scores[chosen]).tolist())
            if one[0] > lead:
                lead, error = one
    return ValidationCurve(
        parameter=setting.words,
        points=tuple(points),
        chosen=chosen if chosen in labels else "",
        best=best,
        simpler_lead=lead,
        simpler_lead_error=error,
        verdict=validation_words(setting.words, points, chosen, best),
    )


def _point(label: str, x: float, train: Sequence[float], validation: Sequence[float]) -> CurvePoint:
    mean, error = mean_and_error(validation)
    return CurvePoint(
        label=label, x=x, train=float(np.mean(train)), validation=mean, standard_error=error
    )
