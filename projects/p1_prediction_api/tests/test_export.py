from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.serving.onnx import OnnxModel
from hypothesis import given
from hypothesis import strategies as st
from p1_prediction_api.candidates import Candidate, candidates
from p1_prediction_api.errors import ParityError
from p1_prediction_api.export import (
    explainer,
    export,
    prove_parity,
    tensors,
    with_strangers,
)
from p1_prediction_api.fitted_trees import floor32
from p1_prediction_api.prepared import Prepared, prepare

from tests.support.fitted import TASKS, fit, table, unlike_training


@pytest.fixture(scope="module", params=TASKS)
def data(request: pytest.FixtureRequest) -> Prepared:
    return prepare(table(request.param), "t")


def one_of_each(data: Prepared) -> list[Candidate]:
    return list({one.family: one for one in candidates(data, seed=0)}.values())


def test_every_kind_of_candidate_answers_alike_after_export(data: Prepared, tmp_path: Path) -> None:
    rows = pd.concat([with_strangers(data, data.X, n_rows=5), unlike_training(data)])
    families = set()
    for candidate in one_of_each(data):
        fitted = fit(data, candidate)
        export(fitted, tmp_path / "model.onnx")
        assert prove_parity(fitted, tmp_path / "model.onnx", rows) < 1e-4, candidate.name
        families.add(candidate.family)
    assert families == {"dummy", "linear", "tree", "forest", "boosted"}


def test_attributions_sum_to_the_served_answer_for_every_kind_of_candidate(data: Prepared) -> None:
    rows = pd.concat([data.X.head(10), unlike_training(data)])
    for candidate in one_of_each(data):
        fitted = fit(data, candidate)
        found = explainer(fitted).explain(tensors(data, rows))
        scores = np.stack([one.base + one.columns.sum(axis=0) for one in found])
        answered = fitted.predict(rows)
        if data.task == "regression":
            assert np.allclose(scores[:, 0], answered, rtol=1e-5), candidate.name
            continue
        log_p = np.log(np.maximum(answered, 1e-300))
        known = log_p[:, 1:] - log_p[:, :1]
        ours = scores if scores.shape[1] == 1 else scores[:, 1:] - scores[:, :1]
        near = np.abs(known) < 30  # beyond, a probability is 0 or 1 to the last digit
        near &= np.abs(ours) < 30
        assert np.allclose(ours[near], known[near], atol=1e-4), candidate.name


def test_the_proof_covers_gaps_and_labels_in_columns_that_never_had_them() -> None:
    data = prepare(table("binary"), "t")
    rows = with_strangers(data, data.X, n_rows=5)
    n_strange = 5 * 5  # two numbers and a date missing; a label missing, one unseen
    assert len(rows) == len(data.X) + n_strange
    assert rows["b"].isna().sum() == 5
    assert (rows["c"] == "(never seen)").sum() == 5


def test_trees_decide_alike_at_every_threshold(data: Prepared, tmp_path: Path) -> None:
    """The hard case: values exactly at, just below and just above each split."""
    for family in ("tree", "forest", "boosted"):
        fitted = fit(data, next(one for one in candidates(data, seed=0) if one.family == family))
        export(fitted, tmp_path / "model.onnx")
        model = explainer(fitted).model
        splits = np.concatenate([tree.threshold[tree.feature == 0] for tree in model.trees])
        at = np.unique(splits)[:300]
        up, down = (np.nextafter(at, np.float32(end)) for end in ("inf", "-inf"))
        values = np.concatenate([at, up, down])
        rows = pd.DataFrame({"a": values, "b": np.float32(4.5), "c": "x", "when": np.float32(2e4)})
        assert prove_parity(fitted, tmp_path / "model.onnx", rows[data.X.columns]) < 1e-5


def test_a_graph_that_differs_is_refused_with_its_worst_row(tmp_path: Path) -> None:
    data = prepare(table("binary"), "t")
    one, *_, other = [one for one in candidates(data, seed=0) if one.family == "linear"]
    export(fit(data, one), tmp_path / "model.onnx")
    with pytest.raises(ParityError, match="it was not published"):
        prove_parity(fit(data, other), tmp_path / "model.onnx", data.X)


def test_of_many_classes_the_likeliest_is_said(tmp_path: Path) -> None:
    data = prepare(table("three"), "t")
    export(fit(data, one_of_each(data)[1]), tmp_path / "model.onnx")
    outputs = OnnxModel.load(tmp_path / "model.onnx").run_unchecked(tensors(data, data.X))
    labels, table_ = outputs["label"], outputs["probabilities"]
    assert list(labels) == [data.classes[k] for k in np.asarray(table_).argmax(axis=1)]
    assert np.allclose(np.asarray(table_).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("positive", ["yes", "no"])
def test_of_two_classes_the_positive_one_is_said_from_its_threshold_on(
    tmp_path: Path, positive: str
) -> None:
    data = prepare(table("binary"), "t")
    fitted = fit(data, one_of_each(data)[1])
    signature = data.signature(positive=positive, threshold=0.2)
    export(fitted._replace(signature=signature), tmp_path / "model.onnx")
    outputs = OnnxModel.load(tmp_path / "model.onnx").run_unchecked(tensors(data, data.X))
    labels, table_ = outputs["label"], outputs["probabilities"]
    p = np.asarray(table_)[:, data.classes.index(positive)]
    assert 0 < (p < 0.2).sum() < len(p)
    assert [label == positive for label in labels] == (p >= np.float32(0.2)).tolist()


@given(st.floats(-3e38, 3e38), st.floats(width=32, allow_nan=False))
def test_a_rounded_threshold_splits_float32_values_as_the_exact_one(
    threshold: float, value: float
) -> None:
    assert (value <= floor32(np.array([threshold]))[0]) == (value <= threshold)
