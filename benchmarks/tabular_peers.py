"""What `tabular.py` compares with: scikit-learn's boosted trees, as they come and tuned."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, TimeSeriesSplit
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]
N_FOLDS = 5
CHOICES: dict[str, list[float | int]] = {
    "learning_rate": [0.02, 0.03, 0.05, 0.1, 0.2],
    "max_leaf_nodes": [4, 7, 15, 31, 63],
    "min_samples_leaf": [5, 10, 20, 40, 80],
    "l2_regularization": [0.0, 0.1, 1.0, 10.0],
    "max_features": [0.3, 0.5, 0.8, 1.0],
}


@dataclass(frozen=True)
class PeerTask:
    """Columns and target to learn from."""

    X: pd.DataFrame
    y: NDArray[Any]
    is_classes: bool
    is_by_time: bool
    seed: int


def main_score(y: NDArray[Any], predicted: Floats) -> float:
    """Return the area under the ROC of probabilities (n, 2), or R² of numbers (n,)."""
    if predicted.ndim == 2:
        return float(roc_auc_score(y, predicted[:, 1]))
    return float(r2_score(y, predicted))


def answers(model: Any, X: pd.DataFrame) -> Floats:
    """Return probabilities (n, 2) or numbers (n,)."""
    found = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    return np.asarray(found, dtype=np.float64)


def default(task: PeerTask) -> Any:
    """Fit with every setting as it comes, and native categories."""
    with threadpool_limits(1):
        return _model(task).fit(task.X, task.y)


def tuned(task: PeerTask, seconds: float) -> Any:
    """Fit the best of a random search, cross-validated, that lasts about so long."""
    rng = np.random.default_rng(task.seed)
    give_up_at = time.monotonic() + seconds
    best, best_score = _model(task), -np.inf
    while best_score == -np.inf or time.monotonic() < give_up_at:
        drawn = {name: values[rng.integers(len(values))] for name, values in CHOICES.items()}
        model = _model(task).set_params(
            **drawn, max_iter=1000, early_stopping=True, n_iter_no_change=20
        )
        if (score := _cross_validated(model, task)) > best_score:
            best, best_score = model, score
    with threadpool_limits(1):
        return best.fit(task.X, task.y)


def _model(task: PeerTask) -> Any:
    kind = HistGradientBoostingClassifier if task.is_classes else HistGradientBoostingRegressor
    return kind(categorical_features="from_dtype", random_state=task.seed)


def _cross_validated(model: Any, task: PeerTask) -> float:
    """Return the mean score over folds that are fitted side by side, as our search does."""
    if task.is_by_time:
        folds: Any = TimeSeriesSplit(N_FOLDS)
    elif task.is_classes:
        folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=task.seed)
    else:
        folds = KFold(N_FOLDS, shuffle=True, random_state=task.seed)

    def score(rows: tuple[NDArray[np.int64], NDArray[np.int64]]) -> float:
        fit_rows, score_rows = rows
        with threadpool_limits(1):
            one = clone(model).fit(task.X.iloc[fit_rows], task.y[fit_rows])
            return main_score(task.y[score_rows], answers(one, task.X.iloc[score_rows]))

    with ThreadPoolExecutor(joblib.cpu_count()) as pool:
        return float(np.mean(list(pool.map(score, folds.split(task.X, task.y)))))
