"""Raw scores of a fitted candidate, and what they mean: the one form that every model shares.

A raw score adds up over columns or trees: the number itself; log-odds (baseline, linear, boosted,
blends); or, of a tree or a forest, the share of each class. Two classes have one, that of the
second. Calibration maps either kind to log-odds.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from p1_prediction_api.blending import model_scores
from p1_prediction_api.calibration import probabilities
from p1_prediction_api.candidates import Candidate
from p1_prediction_api.contracts import Calibration
from p1_prediction_api.prepared import Prepared

Floats = NDArray[np.float64]
SHARES = frozenset({"tree", "forest"})


def raw_scores(data: Prepared, candidate: Candidate, rows: pd.DataFrame) -> Floats:
    """Return the raw scores of rows, shape (n, n_scores)."""
    pipeline = candidate.pipeline
    if candidate.family == "dummy" and data.task == "classification":
        return np.tile(prior_scores(pipeline), (len(rows), 1))
    return model_scores(pipeline, rows)


def prior_scores(pipeline: Pipeline) -> Floats:
    """Return the baseline's one row of log-odds."""
    log_prior = np.log(np.clip(pipeline.named_steps["model"].class_prior_, 1e-9, 1.0))
    return log_prior[1:] - log_prior[0] if len(log_prior) == 2 else log_prior


def link(data: Prepared, candidate: Candidate, raw: Floats) -> Floats:
    """Return what uncalibrated scores say: probabilities (n, classes) or numbers (n,)."""
    if data.task == "regression":
        return raw[:, 0]
    if candidate.family in SHARES:
        return np.concatenate([1 - raw, raw], axis=1) if raw.shape[1] == 1 else raw
    return probabilities(raw, Calibration())


def predict(
    data: Prepared, candidate: Candidate, calibration: Calibration, rows: pd.DataFrame
) -> Floats:
    """Return calibrated probabilities (n, classes) or numbers (n,): what is served."""
    raw = raw_scores(data, candidate, rows)
    return raw[:, 0] if data.task == "regression" else probabilities(raw, calibration)
