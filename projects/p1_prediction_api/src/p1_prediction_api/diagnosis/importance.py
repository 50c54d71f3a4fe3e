"""What the model uses: permutation importance and partial dependence, on rows held out.

Permutation: Breiman, "Random Forests" (2001), section 10; any model: Fisher, Rudin and Dominici
(JMLR 2019). Correlated columns share what they tell: shuffling one leaves the other. Partial
dependence: Friedman (2001), section 8.2, with the band of single rows (Goldstein et al., 2015).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from p1_prediction_api.diagnosis.case import Case, Floats
from p1_prediction_api.diagnosis.contracts import Importance, PartialDependence

N_REPEATS = 5
MAX_ROWS = 2000
MAX_COLUMNS = 60
N_DRAWN = 3
N_GRID = 20
MAX_GRID_ROWS = 200
MAX_LEVELS = 8


def importances(case: Case) -> tuple[Importance, ...]:
    """Return the fall of the score per shuffled column, the largest first."""
    rows = case.sampled(case.split.test, MAX_ROWS, "permutation importance")
    X, y = case.data.X.iloc[rows].reset_index(drop=True), case.data.y[rows]
    base = case.score(y, case.predict(case.model, X))
    rng = np.random.default_rng(case.seed)
    found = []
    for k, name in enumerate(X.columns):
        if case.is_late or k == MAX_COLUMNS:
            left = len(X.columns) - k
            case.skip(f"importance of {left} columns", "the time was spent or there are too many")
            break
        drops = []
        for _ in range(N_REPEATS):
            shuffled = X.assign(**{name: X[name].to_numpy()[rng.permutation(len(X))]})
            drops.append(base - case.score(y, case.predict(case.model, shuffled)))
        found.append(
            Importance(
                column=str(name), drop=float(np.mean(drops)), spread=float(np.std(drops, ddof=1))
            )
        )
    return tuple(sorted(found, key=lambda one: -one.drop))


def partial_dependences(
    case: Case, ranked: tuple[Importance, ...]
) -> tuple[PartialDependence, ...]:
    """Return how the prediction moves with each of the most important columns."""
    rows = case.sampled(case.split.test, MAX_GRID_ROWS)
    X = case.data.X.iloc[rows].reset_index(drop=True)
    names = [one.column for one in ranked[:N_DRAWN] if one.drop > 0]
    return tuple(one for name in names if (one := _dependence(case, X, name)) is not None)


def _dependence(case: Case, X: pd.DataFrame, name: str) -> PartialDependence | None:
    of, k = _what(case)
    grid, labels = _grid(case.data.X[name], name in case.data.labels)
    if len(grid) < 2:
        return None
    curves = []
    for value in grid:
        column = pd.Series([value] * len(X), dtype=X[name].dtype)
        predicted = case.predict(case.model, X.assign(**{name: column}))
        curves.append(predicted if k is None else predicted[:, k])
    drawn: Floats = np.asarray(curves)
    low, high = np.quantile(drawn, [0.1, 0.9], axis=1)
    return PartialDependence(
        column=name,
        of=of,
        labels=labels,
        x=tuple(range(len(grid))) if labels else tuple(float(one) for one in grid),
        mean=tuple(float(one) for one in drawn.mean(axis=1)),
        low=tuple(float(one) for one in low),
        high=tuple(float(one) for one in high),
    )


def _what(case: Case) -> tuple[str, int | None]:
    """Name what is predicted; of several classes, the one with the most rows."""
    if not case.is_classes:
        return case.data.target, None
    k = 1 if case.n_classes == 2 else int(np.bincount(case.data.y[case.split.train]).argmax())
    return f"probability of {case.data.classes[k]}", k


def _grid(
    column: pd.Series, is_label: bool
) -> tuple[NDArray[np.object_] | Floats, tuple[str, ...]]:
    """Return levels, or quantiles between the 2nd and the 98th percentile."""
    if is_label:
        levels = column.value_counts().index[:MAX_LEVELS].to_numpy(object)
        return levels, tuple(str(one) for one in levels)
    values = column.dropna().to_numpy(np.float64)
    if not len(values):
        return values, ()
    return np.unique(np.quantile(values, np.linspace(0.02, 0.98, N_GRID))), ()
