"""The candidates of the search: from a guess to boosted trees, each a whole scikit-learn pipeline.

Simplest first: when scores are alike, the simpler one is chosen. Preprocessing is inside each
pipeline, so that whatever it learns, it learns from the fold's training part alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from p1_prediction_api.prepared import Prepared

BASELINE = "baseline"


@dataclass(frozen=True)
class Candidate:
    """A named pipeline; `family` is what `export.py` needs to know."""

    name: str
    family: str
    pipeline: Pipeline


def candidates(data: Prepared, *, seed: int) -> Iterator[Candidate]:
    """Yield every candidate for the task, simplest first."""
    if data.task == "classification":
        yield Candidate(BASELINE, "dummy", _dense(data, DummyClassifier(strategy="prior")))
        for c in (0.01, 0.1, 1.0, 10.0):
            model = LogisticRegression(C=c, max_iter=2000)
            yield Candidate(f"logistic regression (C={c:g})", "linear", _dense(data, model))
        for leaves, rate in ((8, 0.05), (31, 0.1)):
            boosted = HistGradientBoostingClassifier(
                max_leaf_nodes=leaves,
                learning_rate=rate,
                max_iter=300,
                early_stopping=True,
                random_state=seed,
            )
            yield Candidate(f"boosted trees ({leaves} leaves)", "trees", _with_gaps(data, boosted))
        return
    yield Candidate(BASELINE, "dummy", _dense(data, DummyRegressor()))
    for alpha in (100.0, 1.0, 0.01):
        model = Ridge(alpha=alpha)
        yield Candidate(f"linear regression (ridge {alpha:g})", "linear", _dense(data, model))
    for leaves, rate in ((8, 0.05), (31, 0.1)):
        regressor = HistGradientBoostingRegressor(
            max_leaf_nodes=leaves,
            learning_rate=rate,
            max_iter=300,
            early_stopping=True,
            random_state=seed,
        )
        yield Candidate(f"boosted trees ({leaves} leaves)", "trees", _with_gaps(data, regressor))


def _encoder() -> OneHotEncoder:
    return OneHotEncoder(handle_unknown="ignore", sparse_output=False)


def _dense(data: Prepared, model: object) -> Pipeline:
    """Impute, scale and encode: what a linear model needs."""
    steps: list[tuple[str, Any, list[str]]] = []
    if data.numbers:
        imputer = SimpleImputer(strategy="median", keep_empty_features=True)
        scaled = Pipeline([("impute", imputer), ("scale", StandardScaler())])
        steps.append(("numbers", scaled, list(data.numbers)))
    if data.labels:
        steps.append(("labels", _encoder(), list(data.labels)))
    return Pipeline([("prepare", ColumnTransformer(steps)), ("model", model)])


def _with_gaps(data: Prepared, model: object) -> Pipeline:
    """Encode labels and leave numbers as they are: trees split on gaps by themselves."""
    steps: list[tuple[str, Any, list[str]]] = []
    if data.numbers:
        steps.append(("numbers", "passthrough", list(data.numbers)))
    if data.labels:
        steps.append(("labels", _encoder(), list(data.labels)))
    return Pipeline([("prepare", ColumnTransformer(steps)), ("model", model)])
