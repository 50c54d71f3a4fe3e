"""The one model that every server serves, and what is asked of it.

A scikit-learn pipeline of one-hot labels and a hundred rounds of boosted trees over twenty numbers
and five labels. The peers load it as joblib; ours is exported from the same fitted pipeline, proved
equal and published to a registry, as `train` would. The numbers are sixteenths, which float32
holds exactly: servers that compute in either precision must give the same labels.
"""

import json
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from machine import Asked
from p1_prediction_api.assurance import LEVEL
from p1_prediction_api.candidates import Candidate
from p1_prediction_api.conformal import fit_set_threshold
from p1_prediction_api.contracts import Estimate, ModelCard, Uncertainty
from p1_prediction_api.prepared import prepare
from p1_prediction_api.settings import Settings
from p1_prediction_api.splits import split_rows
from p1_prediction_api.training import TrainingRun
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

MODEL = "benchmark"
N_ROWS, N_ROUNDS = 20_000, 100
NUMBERS = [f"n{k}" for k in range(20)]
LEVELS = {"c0": 3, "c1": 4, "c2": 5, "c3": 6, "c4": 8}
BATCH = 256
N_SINGLE, N_BATCHES = 64, 4


class Served(NamedTuple):
    """What was made: the pipeline's file, our data directory, the requests by kind and rows."""

    pipeline: Path
    data_dir: Path
    asked: dict[tuple[str, int], Asked]
    accuracy: float


def made_table() -> pd.DataFrame:
    """Twenty numbers, five labels, and a target of two classes that trees learn better."""
    rng = np.random.default_rng(4)
    x = np.round(rng.normal(size=(N_ROWS, len(NUMBERS))) * 16) / 16
    table = pd.DataFrame(x, columns=NUMBERS)
    score = x[:, 0] - x[:, 1] * x[:, 2] + 0.5 * np.sin(3 * x[:, 3])
    for name, n_levels in LEVELS.items():
        level = rng.integers(0, n_levels, N_ROWS)
        table[name] = pd.Series([f"level {one}" for one in level], dtype=object)
        score += 0.5 * rng.normal(size=n_levels)[level]
    table["target"] = (score + rng.normal(scale=0.5, size=N_ROWS) > 0).astype(int)
    return table


def make(folder: Path) -> Served:
    """Fit, publish, and prepare every request."""
    table = made_table()
    data = prepare(table, "target")
    split = split_rows(data.y, data.task, seed=0)
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = [("numbers", "passthrough", NUMBERS), ("labels", encoder, list(LEVELS))]
    trees = HistGradientBoostingClassifier(max_iter=N_ROUNDS, random_state=0)
    pipeline = Pipeline([("prepare", ColumnTransformer(columns)), ("model", trees)])
    pipeline.fit(data.X.iloc[split.train], data.y[split.train])
    joblib.dump(pipeline, folder / "pipeline.joblib")
    held_out = table.iloc[split.test].drop(columns="target").reset_index(drop=True)
    accuracy = float(pipeline.score(held_out, data.y[split.test]))

    p = pipeline.predict_proba(data.X.iloc[split.test])
    chosen = Candidate(f"boosted trees ({N_ROUNDS} rounds)", "boosted", pipeline)
    card = _card(accuracy, fit_set_threshold(p, data.y[split.test], LEVEL), len(split.train))
    run = TrainingRun(data, split, chosen, data.signature(positive="1"), card)
    data_dir = folder / "data"
    run.publish(settings=Settings(data_dir=data_dir), model=MODEL)
    return Served(folder / "pipeline.joblib", data_dir, _asked(pipeline, held_out), accuracy)


def _card(accuracy: float, set_threshold: float, n_train: int) -> ModelCard:
    measured = Estimate(value=accuracy, low=accuracy, high=accuracy)
    return ModelCard(
        verdict="made for the benchmark of serving",
        chosen_because="it is the only one",
        metric="accuracy",
        metrics={"accuracy": measured},
        baseline={},
        candidates=(),
        n_train=n_train,
        n_test=N_ROWS - n_train,
        split="a random fifth",
        uncertainty=Uncertainty(set_threshold=set_threshold, coverage=measured, mean_size=1),
        max_parity_difference=0.0,
        trained_at=datetime.now(UTC),
        seed=0,
    )


def _asked(pipeline: Pipeline, rows: pd.DataFrame) -> dict[tuple[str, int], Asked]:
    asked: dict[tuple[str, int], Asked] = {}
    for n_rows, n_bodies in ((1, N_SINGLE), (BATCH, N_BATCHES)):
        parts = [rows.iloc[k * n_rows : (k + 1) * n_rows] for k in range(n_bodies)]
        labels = [[str(one) for one in pipeline.predict(part)] for part in parts]
        for kind, write in _KINDS.items():
            made = [write(part) for part in parts]
            asked[kind, n_rows] = Asked([b for b, _ in made], labels, [n for _, n in made])
    return asked


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _rows(part: pd.DataFrame) -> tuple[bytes, int]:
    return _compact({"rows": part.to_dict(orient="records")}), 0


def _split(part: pd.DataFrame) -> tuple[bytes, int]:
    frame = {"columns": list(part.columns), "data": part.to_numpy().tolist()}
    return _compact({"dataframe_split": frame}), 0


def _tensors(part: pd.DataFrame, number: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "shape": [len(part), 1],
            "datatype": "BYTES" if name in LEVELS else number,
            "data": part[name].tolist(),
            "parameters": {"content_type": "str"} if name in LEVELS else {},
        }
        for name in part.columns
    ]


def _v2(part: pd.DataFrame) -> tuple[bytes, int]:
    return _compact({"inputs": _tensors(part, "FP32")}), 0


def _v2_frame(part: pd.DataFrame) -> tuple[bytes, int]:
    """MLServer's way to say that the tensors are the columns of a frame."""
    inputs = _tensors(part, "FP64")
    return _compact({"parameters": {"content_type": "pd"}, "inputs": inputs}), 0


def _v2_binary(part: pd.DataFrame) -> tuple[bytes, int]:
    raw: list[bytes] = []
    inputs = _tensors(part, "FP32")
    for entry in inputs:
        values = entry.pop("data")
        if entry["datatype"] == "BYTES":
            content = b"".join(struct.pack("<I", len(v)) + v.encode() for v in values)
        else:
            content = np.asarray(values, "<f4").tobytes()
        entry["parameters"] = {"binary_data_size": len(content)}
        raw.append(content)
    header = _compact({"inputs": inputs})
    return header + b"".join(raw), len(header)


_KINDS = {
    "rows": _rows,
    "split": _split,
    "v2": _v2,
    "v2 frame": _v2_frame,
    "v2 binary": _v2_binary,
}
