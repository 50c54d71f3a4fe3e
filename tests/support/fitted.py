"""Fitted candidates of a small table of every kind of column, quick to make."""

import numpy as np
import pandas as pd
from p1_prediction_api.candidates import Candidate, with_rounds
from p1_prediction_api.contracts import MISSING, Calibration
from p1_prediction_api.export import Fitted
from p1_prediction_api.prepared import Prepared


def table(task: str) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 600
    frame = pd.DataFrame({"a": rng.normal(size=n) * 1e3, "b": rng.integers(0, 9, n) + 0.5})
    frame["c"] = rng.choice(["x", "y", "z"], n)
    when = pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 10**6, n), unit="min")
    frame["when"] = when.astype(str)
    frame.loc[rng.random(n) < 0.1, "a"] = np.nan
    frame.loc[rng.random(n) < 0.1, "c"] = None
    score = frame["a"].fillna(0) / 1e3 + (frame["c"] == "x") + rng.normal(scale=0.5, size=n)
    if task == "binary":
        return frame.assign(t=np.where(score > 0.3, "yes", "no"))
    if task == "three":
        return frame.assign(t=np.select([score < 0, score < 1], ["low", "mid"], "high"))
    return frame.assign(t=score)


def unlike_training(data: Prepared) -> pd.DataFrame:
    """Rows with gaps everywhere, unseen labels and numbers at the edges of float32."""
    rows = data.X.head(8).copy()
    rows["a"] = np.array([np.nan, 0, -0.0, 1e30, -1e30, 1e-30, 5e3, -5e3], dtype=np.float32)
    rows["c"] = [MISSING, "unseen", "x", "y", "", "z", MISSING, "x"]
    rows["when"] = np.array([np.nan, 0, -3.75, 1e5, 2e4, 20000.5, 19999.96, 1], dtype=np.float32)
    return rows


TASKS = ("binary", "three", "number")


def fit(data: Prepared, candidate: Candidate, *, threshold: float = 0.5) -> Fitted:
    """Fit quickly, and calibrate by any map that is not the plain one."""
    if candidate.family == "boosted":
        candidate = with_rounds(candidate, 30)
    candidate.pipeline.fit(data.X, data.y)
    n_scores = max(1, len(data.classes) - (len(data.classes) == 2))
    is_classes = data.task == "classification"
    calibration = Calibration(
        slope=1.7 if is_classes else 1.0,
        intercepts=tuple(0.1 * (k + 1) * is_classes for k in range(n_scores)),
    )
    positive = data.classes[1] if len(data.classes) == 2 else ""
    return Fitted(
        data, candidate, calibration, data.signature(positive=positive, threshold=threshold)
    )
