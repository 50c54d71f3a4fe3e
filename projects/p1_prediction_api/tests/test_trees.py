"""Attributions of trees against Shapley's own definition, worked out over every coalition."""

import itertools
from math import factorial

import numpy as np
import pytest
from p1_prediction_api.fitted_trees import tree_ensemble
from p1_prediction_api.trees import LEAF, TreeEnsemble
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

X, THREE = make_classification(400, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
X = X.astype(np.float32)
X[::7, 2] = np.nan
TWO = (THREE > 0).astype(int)
NUMBER = THREE + np.nan_to_num(X[:, 0])

MODELS = [
    (HistGradientBoostingClassifier(max_iter=4), THREE),
    (HistGradientBoostingClassifier(max_iter=6), TWO),
    (HistGradientBoostingRegressor(max_iter=6), NUMBER),
    (RandomForestClassifier(6, random_state=0), THREE),
    (RandomForestClassifier(6, random_state=0), TWO),
    (RandomForestRegressor(6, random_state=0), NUMBER),
    (DecisionTreeClassifier(max_leaf_nodes=20), THREE),
    (DecisionTreeRegressor(max_leaf_nodes=20), NUMBER),
]


@pytest.fixture(params=MODELS, ids=lambda pair: type(pair[0]).__name__)
def model(request: pytest.FixtureRequest):
    kind, y = request.param
    return kind.fit(X, y)


def raw(model, rows: np.ndarray) -> np.ndarray:
    if hasattr(model, "decision_function"):
        return model.decision_function(rows).reshape(len(rows), -1)
    if hasattr(model, "predict_proba"):
        shares = model.predict_proba(rows)
        return shares[:, 1:] if shares.shape[1] == 2 else shares
    return model.predict(rows).reshape(-1, 1)


def expected(ensemble: TreeEnsemble, row: np.ndarray, known: frozenset[int]) -> np.ndarray:
    """The scores when only some columns are known: elsewhere both ways, by their cover."""
    total = ensemble.base.copy()
    for tree in ensemble.trees:

        def value(node: int, tree=tree) -> np.ndarray:
            column = tree.feature[node]
            if column == LEAF:
                return tree.value[node]
            left, right = tree.left[node], tree.right[node]
            if column not in known:
                parts = tree.cover[left] * value(left) + tree.cover[right] * value(right)
                return parts / tree.cover[node]
            x = row[column]
            goes_left = tree.goes_left_missing[node] if np.isnan(x) else x <= tree.threshold[node]
            return value(left if goes_left else right)

        total[tree.score : tree.score + tree.value.shape[1]] += value(0)
    return total


def shapley(ensemble: TreeEnsemble, row: np.ndarray) -> np.ndarray:
    n = ensemble.n_columns
    found = np.zeros((n, ensemble.n_scores))
    for i in range(n):
        others = [j for j in range(n) if j != i]
        for size in range(n):
            weight = factorial(size) * factorial(n - 1 - size) / factorial(n)
            for chosen in itertools.combinations(others, size):
                known = frozenset(chosen)
                gain = expected(ensemble, row, known | {i}) - expected(ensemble, row, known)
                found[i] += weight * gain
    return found


def test_the_arrays_give_scikit_learns_scores(model) -> None:
    ensemble = tree_ensemble(model)
    assert np.allclose(ensemble.scores(X), raw(model, X), atol=1e-12)
    again = TreeEnsemble.from_arrays(ensemble.to_arrays())
    assert np.array_equal(again.scores(X), ensemble.scores(X))


def test_attributions_are_the_shapley_values_and_sum_to_the_score(model) -> None:
    ensemble = tree_ensemble(model)
    for k in (0, 1):  # the first row lacks a value
        found = ensemble.attribute(X[k])
        assert np.allclose(found.columns, shapley(ensemble, X[k]), atol=1e-10)
        assert np.allclose(found.base, expected(ensemble, X[k], frozenset()), atol=1e-10)
        assert np.allclose(found.base + found.columns.sum(axis=0), raw(model, X[k : k + 1])[0])


def test_a_column_that_no_tree_asks_for_gets_nothing() -> None:
    rows = np.concatenate([X, np.zeros((len(X), 1), np.float32)], axis=1)
    ensemble = tree_ensemble(RandomForestClassifier(5, random_state=0).fit(rows, TWO))
    assert np.array_equal(ensemble.attribute(rows[3]).columns[-1], [0.0])


def test_a_tree_that_never_splits_gives_everyone_its_mean() -> None:
    ensemble = tree_ensemble(DecisionTreeRegressor().fit(X, np.full(len(X), 2.5)))
    found = ensemble.attribute(X[0])
    assert found.base == 2.5
    assert not found.columns.any()
