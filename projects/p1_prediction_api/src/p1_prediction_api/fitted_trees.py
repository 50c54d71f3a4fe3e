"""scikit-learn's fitted trees as a `TreeEnsemble`.

Thresholds are rounded down to float32, so that `x <= threshold` decides alike for every float32
value. Reads attributes that scikit-learn keeps to itself; the parity proof of every publication
would find a change in them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from p1_prediction_api.trees import LEAF, Tree, TreeEnsemble

Boosted = HistGradientBoostingClassifier | HistGradientBoostingRegressor
Forest = RandomForestClassifier | RandomForestRegressor
Single = DecisionTreeClassifier | DecisionTreeRegressor


def tree_ensemble(model: Boosted | Forest | Single) -> TreeEnsemble:
    """Read a fitted model.

    The raw scores are log-odds (boosted, classes), the share of each class (a tree or forest; of
    the second class alone when there are two) or the predicted number.
    """
    if isinstance(model, Boosted):
        return _boosted(model)
    members = model.estimators_ if isinstance(model, Forest) else [model]
    trees = tuple(_grown(member.tree_, len(members)) for member in members)
    return TreeEnsemble(trees, np.zeros(trees[0].value.shape[1]), int(model.n_features_in_))


def weighted_sum(parts: Sequence[tuple[float, TreeEnsemble]]) -> TreeEnsemble:
    """Return the ensemble whose scores are the weighted sum of those of others."""
    base = np.sum([weight * one.base for weight, one in parts], axis=0)
    trees = tuple(_widened(tree, weight, len(base)) for weight, one in parts for tree in one.trees)
    return TreeEnsemble(trees, base, parts[0][1].n_columns)


def _widened(tree: Tree, weight: float, n_scores: int) -> Tree:
    """Weigh a tree's leaves; each then has a value for every score, as those beside it."""
    value = np.zeros((len(tree.value), n_scores))
    value[:, tree.score : tree.score + tree.value.shape[1]] = tree.value * weight
    return tree._replace(value=value, score=0)


def _boosted(model: Boosted) -> TreeEnsemble:
    inner = vars(model)
    base = np.asarray(inner["_baseline_prediction"], dtype=np.float64).reshape(-1)
    trees = tuple(
        _of_nodes(grown.nodes, score)
        for iteration in inner["_predictors"]
        for score, grown in enumerate(iteration)
    )
    return TreeEnsemble(trees, base, int(model.n_features_in_))


def _of_nodes(nodes: NDArray[Any], score: int) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        feature=np.where(is_leaf, LEAF, nodes["feature_idx"]).astype(np.int32),
        threshold=floor32(np.where(is_leaf, 0.0, nodes["num_threshold"])),
        left=nodes["left"].astype(np.int32),
        right=nodes["right"].astype(np.int32),
        goes_left_missing=nodes["missing_go_to_left"].astype(bool),
        cover=np.maximum(nodes["count"], 1).astype(np.float64),
        value=np.where(is_leaf, nodes["value"], 0.0)[:, None].astype(np.float64),
        score=score,
    )


def _grown(tree: Any, n_trees: int) -> Tree:
    is_leaf = tree.children_left == -1
    value = tree.value[:, 0, :]
    if tree.max_n_classes > 1:
        value = value / value.sum(axis=1, keepdims=True)
        value = value[:, 1:] if value.shape[1] == 2 else value
    return Tree(
        feature=np.where(is_leaf, LEAF, tree.feature).astype(np.int32),
        threshold=floor32(np.where(is_leaf, 0.0, tree.threshold)),
        left=np.maximum(tree.children_left, 0).astype(np.int32),
        right=np.maximum(tree.children_right, 0).astype(np.int32),
        goes_left_missing=np.asarray(tree.missing_go_to_left).astype(bool),
        cover=np.asarray(tree.weighted_n_node_samples, dtype=np.float64),
        value=np.where(is_leaf[:, None], value / n_trees, 0.0),
        score=0,
    )


def floor32(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the largest float32 numbers that are not above `thresholds`."""
    largest = np.finfo(np.float32).max
    finite = np.where(np.isfinite(thresholds), np.clip(thresholds, -largest, largest), largest)
    rounded = finite.astype(np.float32)
    return np.where(
        rounded.astype(np.float64) > finite, np.nextafter(rounded, np.float32(-np.inf)), rounded
    )
