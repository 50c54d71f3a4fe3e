from pathlib import Path

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p1_prediction_api.candidates import candidates
from p1_prediction_api.contracts import MISSING
from p1_prediction_api.errors import ParityError
from p1_prediction_api.export import (
    export,
    floor32,
    predict,
    prove_parity,
    tensors,
    with_strangers,
)
from p1_prediction_api.prepared import Prepared, prepare


def table(task: str) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 600
    frame = pd.DataFrame({"a": rng.normal(size=n) * 1e3, "b": rng.integers(0, 9, n) + 0.5})
    frame["c"] = rng.choice(["x", "y", "z"], n)
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
    return rows


@pytest.mark.parametrize("task", ["binary", "three", "number"])
def test_every_candidate_answers_alike_after_export(task: str, tmp_path: Path) -> None:
    data = prepare(table(task), "t")
    rows = pd.concat([data.X, unlike_training(data).head(3)])
    for candidate in candidates(data, seed=0):
        candidate.pipeline.fit(data.X, data.y)
        path = tmp_path / "model.onnx"
        export(data, candidate.pipeline, candidate.family, path)
        assert prove_parity(data, candidate.pipeline, path, rows) < 1e-4, candidate.name


def test_the_proof_covers_gaps_and_labels_in_columns_that_never_had_them(tmp_path: Path) -> None:
    data = prepare(table("binary"), "t")
    rows = with_strangers(data, data.X, n_rows=5)
    assert len(rows) == len(data.X) + 5 * 4  # two numbers missing; a label missing, one unseen
    assert rows["b"].isna().sum() == 5
    assert (rows["c"] == "(never seen)").sum() == 5
    for candidate in candidates(data, seed=0):
        candidate.pipeline.fit(data.X, data.y)
        export(data, candidate.pipeline, candidate.family, tmp_path / "model.onnx")
        prove_parity(data, candidate.pipeline, tmp_path / "model.onnx", rows)


@pytest.mark.parametrize("task", ["binary", "three", "number"])
def test_trees_decide_alike_at_every_threshold(task: str, tmp_path: Path) -> None:
    """The hard case: values exactly at, just below and just above each split."""
    data = prepare(table(task), "t")
    trees = [one for one in candidates(data, seed=0) if one.family == "trees"][-1]
    trees.pipeline.fit(data.X, data.y)
    path = tmp_path / "model.onnx"
    export(data, trees.pipeline, "trees", path)
    nodes = np.concatenate(
        [tree.nodes for trees_ in trees.pipeline["model"]._predictors for tree in trees_]
    )
    splits = nodes[(nodes["is_leaf"] == 0) & (nodes["feature_idx"] == 0)]["num_threshold"]
    at = np.unique(splits[np.isfinite(splits)].astype(np.float32))[:300]
    up, down = (np.nextafter(at, np.float32(end)) for end in ("inf", "-inf"))
    values = np.concatenate([at, up, down])
    rows = pd.DataFrame({"a": values, "b": np.float32(4.5), "c": "x"})
    assert prove_parity(data, trees.pipeline, path, rows) < 1e-5


def test_a_graph_that_differs_is_refused_with_its_worst_row(tmp_path: Path) -> None:
    data = prepare(table("binary"), "t")
    listed = [one for one in candidates(data, seed=0) if one.family == "linear"]
    for one in listed:
        one.pipeline.fit(data.X, data.y)
    path = tmp_path / "model.onnx"
    export(data, listed[0].pipeline, "linear", path)
    with pytest.raises(ParityError, match="it was not published"):
        prove_parity(data, listed[-1].pipeline, path, data.X)


def test_the_label_is_the_class_of_the_largest_probability(tmp_path: Path) -> None:
    data = prepare(table("three"), "t")
    linear = next(one for one in candidates(data, seed=0) if one.family == "linear")
    linear.pipeline.fit(data.X, data.y)
    export(data, linear.pipeline, "linear", tmp_path / "model.onnx")
    session = ort.InferenceSession((tmp_path / "model.onnx").read_bytes())
    labels, table_ = session.run(["label", "probabilities"], tensors(data, data.X))
    assert list(labels) == [data.classes[k] for k in np.asarray(table_).argmax(axis=1)]
    assert np.allclose(np.asarray(table_).sum(axis=1), 1, atol=1e-5)
    assert predict(data, linear.pipeline, data.X).shape == np.asarray(table_).shape


@given(st.floats(-3e38, 3e38), st.floats(width=32, allow_nan=False))
def test_a_rounded_threshold_splits_float32_values_as_the_exact_one(
    threshold: float, value: float
) -> None:
    assert (value <= floor32(threshold)) == (value <= threshold)
