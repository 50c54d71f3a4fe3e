"""The candidates of the search: from a guess to boosted trees, each a whole scikit-learn pipeline.

Preprocessing is inside each pipeline, so that whatever it learns, it learns from the fold's
training part alone. Numbers with gaps reach trees as they are: trees split on gaps by themselves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from p1_prediction_api.blending import BlendedClassifier, BlendedRegressor
from p1_prediction_api.common_labels import CommonLabels
from p1_prediction_api.encoding import DATE_PARTS, date_parts, recurring_parts
from p1_prediction_api.prepared import Prepared

BASELINE = "baseline"
Family = Literal["dummy", "linear", "tree", "forest", "boosted", "blend"]
FAMILIES: tuple[Family, ...] = ("dummy", "linear", "tree", "forest", "boosted", "blend")
"""Simplest first: when scores are alike, the simpler one is chosen."""
MAX_ROUNDS = 1000
N_FOREST_TREES = 100
MAX_FOREST_LEAVES = 512
"""Bounds a published forest to a few million bytes, and the time to explain a row of it."""


@dataclass(frozen=True)
class Candidate:
    """A named pipeline; `complexity` orders those of one family, the plainest lowest."""

    name: str
    family: Family
    pipeline: Pipeline
    complexity: float = 0.0

    def with_pipeline(self, pipeline: Pipeline) -> "Candidate":
        """Return the same candidate with another pipeline, such as one fitted on a fold."""
        return replace(self, pipeline=pipeline)

    @property
    def is_linear(self) -> bool:
        """Whether it is a weighted sum of filled and scaled columns."""
        return self.family == "linear"

    @property
    def rank(self) -> tuple[int, float]:
        """Return what orders candidates from plain to complex."""
        return FAMILIES.index(self.family), self.complexity


def candidates(data: Prepared, *, seed: int) -> Iterator[Candidate]:
    """Yield candidates in the order of trial: one of each family first, then their variants."""
    is_classes = data.task == "classification"
    guess = DummyClassifier(strategy="prior") if is_classes else DummyRegressor()
    yield Candidate(BASELINE, "dummy", _with_gaps(data, guess))
    yield _linear(data, 1.0)
    yield _boosted(data, seed, rate=0.1, leaves=31, share=1.0, leaf_rows=20, penalty=0.0)
    yield _boosted(data, seed, rate=0.05, leaves=15, share=0.5, leaf_rows=20, penalty=1.0)
    yield _forest(data, seed, leaf_rows=3)
    yield _tree(data, seed, leaves=16)
    yield _boosted(data, seed, rate=0.05, leaves=63, share=0.3, leaf_rows=10, penalty=5.0)
    yield _boosted(data, seed, rate=0.05, leaves=7, share=0.5, leaf_rows=10, penalty=1.0)
    for strength in (0.1, 0.01, 10.0):
        yield _linear(data, strength)
    yield _boosted(data, seed, rate=0.05, leaves=31, share=0.3, leaf_rows=40, penalty=10.0)
    yield _forest(data, seed, leaf_rows=10)
    yield _forest(data, seed, leaf_rows=1)
    for leaves in (4, 64):
        yield _tree(data, seed, leaves=leaves)
    yield _boosted(data, seed, rate=0.03, leaves=4, share=0.5, leaf_rows=20, penalty=1.0)


def _linear(data: Prepared, strength: float) -> Candidate:
    """Make a linear model whose penalty weakens as `strength` grows."""
    if data.task == "classification":
        model: Any = LogisticRegression(C=strength, max_iter=2000)
        name = f"logistic regression (C={strength:g})"
    else:
        model = Ridge(alpha=1 / strength)
        name = f"linear regression (ridge {1 / strength:g})"
    return Candidate(name, "linear", _dense(data, model), complexity=strength)


def _tree(data: Prepared, seed: int, *, leaves: int) -> Candidate:
    kind = DecisionTreeClassifier if data.task == "classification" else DecisionTreeRegressor
    model = kind(max_leaf_nodes=leaves, min_samples_leaf=10, random_state=seed)
    name = f"decision tree ({leaves} leaves)"
    return Candidate(name, "tree", _with_gaps(data, model), complexity=leaves)


def _forest(data: Prepared, seed: int, *, leaf_rows: int) -> Candidate:
    kind = RandomForestClassifier if data.task == "classification" else RandomForestRegressor
    model = kind(
        N_FOREST_TREES,
        min_samples_leaf=leaf_rows,
        max_leaf_nodes=MAX_FOREST_LEAVES,
        max_features="sqrt" if data.task == "classification" else 1 / 3,
        random_state=seed,
    )
    name = f"random forest (leaves of {leaf_rows} rows)"
    return Candidate(name, "forest", _with_gaps(data, model), complexity=-leaf_rows)


def _boosted(
    data: Prepared,
    seed: int,
    *,
    rate: float,
    leaves: int,
    share: float,
    leaf_rows: int,
    penalty: float,
) -> Candidate:
    is_classes = data.task == "classification"
    kind = HistGradientBoostingClassifier if is_classes else HistGradientBoostingRegressor
    model = kind(
        learning_rate=rate,
        max_leaf_nodes=leaves,
        max_features=share,
        min_samples_leaf=leaf_rows,
        l2_regularization=penalty,
        max_iter=MAX_ROUNDS,
        early_stopping=True,
        n_iter_no_change=20,
        random_state=seed,
    )
    name = f"boosted trees ({leaves} leaves, rate {rate:g})"
    return Candidate(name, "boosted", _with_gaps(data, model), complexity=leaves)


def with_rounds(candidate: Candidate, n_rounds: int) -> Candidate:
    """Return an unfitted copy; boosted trees of it stop after so many rounds (0: as they are).

    They hold no rows back to decide it.
    """
    made = clone(candidate.pipeline)
    if n_rounds:
        made.set_params(model__max_iter=n_rounds, model__early_stopping=False)
    return candidate.with_pipeline(made)


def blended(data: Prepared, members: Sequence[Candidate], weights: Sequence[float]) -> Candidate:
    """Return the weighted sum of candidates, unfitted."""
    kind = BlendedClassifier if data.task == "classification" else BlendedRegressor
    models = [_member(data, one) for one in members]
    name = f"blend of {', '.join(one.name for one in members)}"
    pipeline = _with_gaps(data, kind(models, [float(weight) for weight in weights]))
    return Candidate(name, "blend", pipeline, complexity=len(members))


def _member(data: Prepared, candidate: Candidate) -> Any:
    """Return what a candidate does with encoded columns."""
    model = clone(candidate.pipeline.named_steps["model"])
    return Pipeline([("fill", _fill(data)), ("model", model)]) if candidate.is_linear else model


def _columns(data: Prepared) -> ColumnTransformer:
    """Encode: numbers as they are, the parts of dates, a column for each common label."""
    steps: list[tuple[str, Any, list[str]]] = []
    if data.numbers:
        steps.append(("numbers", "passthrough", list(data.numbers)))
    steps += [(f"date {k}", _parts(data, name), [name]) for k, name in enumerate(data.dates)]
    if data.labels:
        steps.append(("labels", CommonLabels(), list(data.labels)))
    return ColumnTransformer(steps)


def _parts(data: Prepared, date: str) -> FunctionTransformer:
    """Take a date apart; of one that passes with time, only what comes back."""
    if date not in data.passing:
        return FunctionTransformer(date_parts)
    return FunctionTransformer(recurring_parts, kw_args={"has_season": data.passing[date]})


def _dense(data: Prepared, model: object) -> Pipeline:
    """Fill and scale what is encoded: what a linear model needs."""
    return Pipeline([("prepare", _columns(data)), ("fill", _fill(data)), ("model", model)])


def _fill(data: Prepared) -> ColumnTransformer:
    """Fill the gaps of numbers and dates, and scale them; labels are 0 or 1 already."""
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    scaled = Pipeline([("impute", imputer), ("scale", StandardScaler())])
    n_numeric = len(data.numbers) + len(DATE_PARTS) * len(data.dates)
    steps = [("numbers", scaled, list(range(n_numeric)))] if n_numeric else []
    return ColumnTransformer(steps, remainder="passthrough")


def _with_gaps(data: Prepared, model: object) -> Pipeline:
    """Encode alone: trees split on gaps by themselves."""
    return Pipeline([("prepare", _columns(data)), ("model", model)])
