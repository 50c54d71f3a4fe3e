"""A weighted sum of fitted models: what each alone misses, together; and how its weights are found.

Stacked generalisation (Wolpert, Neural Networks 5, 1992) with weights that are not negative
(Breiman, Machine Learning 24, 1996), found on out-of-fold scores alone. A sum of linear models and
trees stays additive: it is exported and explained as exactly as its members. Knows no table.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize, nnls
from scipy.special import expit, log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone

Floats = NDArray[np.float64]
SUM_WEIGHT = 1e3
"""How much more than an error of a row it costs when the weights of numbers do not sum to 1."""


def model_scores(model: Any, columns: NDArray[Any] | pd.DataFrame) -> Floats:
    """Return the raw scores of rows, shape (n, n_scores).

    The number itself; log-odds; or, of a tree or a forest, the share of each class. Of two classes
    there is one score, that of the second.
    """
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(columns), np.float64).reshape(len(columns), -1)
    if hasattr(model, "predict_proba"):
        shares = np.asarray(model.predict_proba(columns), dtype=np.float64)
        return shares[:, 1:] if shares.shape[1] == 2 else shares
    return np.asarray(model.predict(columns), dtype=np.float64).reshape(-1, 1)


class _Blend(BaseEstimator):
    """Members are fitted each on the same rows; `weights` multiply their raw scores."""

    def __init__(self, members: list[Any], weights: list[float]) -> None:
        self.members = members
        self.weights = weights

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> Self:
        """Fit a copy of every member."""
        self.members_ = [clone(member).fit(X, y) for member in self.members]
        if isinstance(self, ClassifierMixin):
            self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        return self

    def _scores(self, X: NDArray[Any]) -> Floats:
        parts = zip(self.members_, self.weights, strict=True)
        return np.sum([weight * model_scores(one, X) for one, weight in parts], axis=0)


class BlendedClassifier(ClassifierMixin, _Blend):
    """Adds up log-odds and shares of classes; what is added up needs calibration."""

    def decision_function(self, X: NDArray[Any]) -> Floats:
        """Return the raw scores, shape (n, n_scores)."""
        return self._scores(X)

    def predict_proba(self, X: NDArray[Any]) -> Floats:
        """Return uncalibrated probabilities, shape (n, n_classes)."""
        scores = self._scores(X)
        if scores.shape[1] > 1:
            return np.asarray(softmax(scores, axis=1))
        return np.concatenate([expit(-scores), expit(scores)], axis=1)

    def predict(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return the likeliest class."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class BlendedRegressor(RegressorMixin, _Blend):
    """Adds up numbers; the weights sum to 1."""

    def predict(self, X: NDArray[Any]) -> Floats:
        """Return the predicted numbers, shape (n,)."""
        return self._scores(X)[:, 0]


def blend_weights(raws: Sequence[Floats], y: NDArray[Any], *, is_classes: bool) -> Floats:
    """Return one weight a member, none negative, that fit out-of-fold scores best.

    Of classes by likelihood (with an intercept a score, which calibration finds again), of numbers
    by squares, summing to 1.
    """
    if not is_classes:
        spread = float(np.std(y)) or 1.0
        columns = np.concatenate(raws, axis=1) / spread
        heavy = np.full((1, len(raws)), SUM_WEIGHT * len(y))
        found, _ = nnls(np.concatenate([columns, heavy]), np.append(y / spread, heavy[0, 0]))
        return np.asarray(found / found.sum())
    scales = np.array([float(np.std(raw)) or 1.0 for raw in raws])
    scaled = np.stack([raw / scale for raw, scale in zip(raws, scales, strict=True)])
    n_members, _, n_scores = scaled.shape
    truth = np.eye(max(2, n_scores))[y]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        scores = np.tensordot(parameters[:n_members], scaled, axes=1) + parameters[n_members:]
        both = np.concatenate([np.zeros_like(scores), scores], axis=1) if n_scores == 1 else scores
        log_p = log_softmax(both, axis=1)
        slope = (np.exp(log_p) - truth)[:, -n_scores:] / len(y)
        by_member = np.tensordot(scaled, slope, axes=([1, 2], [0, 1]))
        value = -float((log_p * truth).sum() / len(y))
        return value, np.concatenate([by_member, slope.sum(axis=0)])

    start = np.concatenate([np.full(n_members, 1 / n_members), np.zeros(n_scores)])
    bounds = [(0.0, None)] * n_members + [(None, None)] * n_scores
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x[:n_members] / scales)
