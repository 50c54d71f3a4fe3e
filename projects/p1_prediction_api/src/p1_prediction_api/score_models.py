"""A fitted candidate as what is exported and explained: weights, trees, or the sum of both.

Between scikit-learn's pipelines and the plain arrays of `explaining.py` and `trees.py`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer

from p1_prediction_api.blending import BlendedClassifier, BlendedRegressor
from p1_prediction_api.candidates import Candidate
from p1_prediction_api.explaining import LinearScores, MixedScores, ScoreModel
from p1_prediction_api.fitted_trees import tree_ensemble, weighted_sum
from p1_prediction_api.prepared import Prepared
from p1_prediction_api.raw_scores import prior_scores

Floats = NDArray[np.float64]


def score_model(data: Prepared, candidate: Candidate) -> ScoreModel:
    """Return the model after its encoding; its raw scores are the pipeline's."""
    steps = candidate.pipeline.named_steps
    columns = np.asarray(steps["prepare"].transform(data.X))
    model = steps["model"]
    if candidate.family == "dummy":
        is_classes = data.task == "classification"
        bias = prior_scores(candidate.pipeline) if is_classes else np.ravel(model.constant_)
        nothing = np.zeros(columns.shape[1])
        return LinearScores(np.zeros((len(bias), len(nothing))), bias, nothing, nothing)
    if candidate.is_linear:
        return _linear(steps["fill"], model, columns)
    if candidate.family == "blend":
        return _blend(model, columns)
    return tree_ensemble(model)


def _linear(fill: ColumnTransformer, model: Any, columns: NDArray[Any]) -> LinearScores:
    """Undo the scaling: weights for columns as they are, with what fills their gaps."""
    n_columns = columns.shape[1]
    gap, mean, spread = np.zeros(n_columns), np.zeros(n_columns), np.ones(n_columns)
    if "numbers" in fill.named_transformers_:
        steps = fill.named_transformers_["numbers"].named_steps
        n_filled = len(steps["impute"].statistics_)
        gap[:n_filled] = steps["impute"].statistics_
        mean[:n_filled], spread[:n_filled] = steps["scale"].mean_, steps["scale"].scale_
    weights = np.atleast_2d(model.coef_) / spread
    bias = np.atleast_1d(model.intercept_) - weights @ mean
    average = np.where(np.isnan(columns), gap, columns).mean(axis=0)
    return LinearScores(weights, bias, gap, average)


def _blend(model: BlendedClassifier | BlendedRegressor, columns: NDArray[Any]) -> ScoreModel:
    members = list(zip(model.weights, model.members_, strict=True))
    linear = [
        (weight, _linear(one.named_steps["fill"], one.named_steps["model"], columns))
        for weight, one in members
        if hasattr(one, "named_steps")
    ]
    trees = [
        (weight, tree_ensemble(one)) for weight, one in members if not hasattr(one, "named_steps")
    ]
    if not trees:
        return _sum(linear)
    return MixedScores(_sum(linear), weighted_sum(trees)) if linear else weighted_sum(trees)


def _sum(parts: Sequence[tuple[float, LinearScores]]) -> LinearScores:
    """Add up linear models of the same columns, whose gaps are filled alike."""
    _, first = parts[0]
    weights = np.sum([weight * one.weights for weight, one in parts], axis=0)
    bias = np.sum([weight * one.bias for weight, one in parts], axis=0)
    return LinearScores(weights, bias, first.fill, first.average)
