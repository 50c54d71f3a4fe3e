"""Blends: weights from scores, one additive model after export, compared fairly in the search."""

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from p1_prediction_api.blending import blend_weights
from p1_prediction_api.candidates import Candidate, blended, candidates, with_rounds
from p1_prediction_api.contracts import MISSING, Calibration
from p1_prediction_api.errors import ModelContentError
from p1_prediction_api.explaining import Explainer, MixedScores
from p1_prediction_api.export import Fitted, explainer, export, prove_parity, tensors
from p1_prediction_api.prepared import Prepared, prepare
from p1_prediction_api.splits import split_rows
from p1_prediction_api.stacking import blend_trial
from p1_prediction_api.trees import TreeEnsemble
from p1_prediction_api.trials import try_candidate


def table(task: str, n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    frame["kind"] = rng.choice(["x", "y", "z"], n)
    score = frame["a"] * frame["b"] + frame["a"] + (frame["kind"] == "x")
    score += rng.normal(scale=0.3, size=n)
    frame.loc[rng.random(n) < 0.1, "a"] = np.nan
    frame.loc[rng.random(n) < 0.1, "kind"] = None
    if task == "binary":
        return frame.assign(t=np.where(score > 0.3, "yes", "no"))
    if task == "three":
        return frame.assign(t=np.select([score < 0, score < 1], ["low", "mid"], "high"))
    return frame.assign(t=score)


def blend_of(data: Prepared, families: tuple[str, ...]) -> Fitted:
    listed = list(candidates(data, seed=0))
    chosen: list[Candidate] = [
        next(one for one in listed if one.family == family) for family in families
    ]
    chosen = [with_rounds(one, 20 if one.family == "boosted" else 0) for one in chosen]
    candidate = blended(data, chosen, [0.5 + 0.25 * k for k in range(len(chosen))])
    candidate.pipeline.fit(data.X, data.y)
    n_scores = max(1, len(data.classes) - (len(data.classes) == 2))
    calibration = Calibration(intercepts=(0.0,) * n_scores)
    positive = data.classes[1] if len(data.classes) == 2 else ""
    return Fitted(data, candidate, calibration, data.signature(positive=positive))


@pytest.fixture(scope="module", params=["binary", "three", "number"])
def data(request: pytest.FixtureRequest) -> Prepared:
    return prepare(table(request.param), "t")


@pytest.mark.parametrize(
    ("families", "kind"),
    [(("linear", "boosted", "forest"), MixedScores), (("boosted", "forest"), TreeEnsemble)],
)
def test_a_blend_answers_alike_after_export_and_its_attributions_sum_to_the_answer(
    data: Prepared, tmp_path: Path, families: tuple[str, ...], kind: type
) -> None:
    fitted = blend_of(data, families)
    rows = data.X.head(20).copy()
    rows.loc[rows.index[:3], "a"] = np.float32(np.nan)
    rows.loc[rows.index[3:6], "kind"] = ["never seen", MISSING, "x"]
    export(fitted, tmp_path / "model.onnx")
    assert prove_parity(fitted, tmp_path / "model.onnx", rows) < 1e-5
    explainer(fitted).save(tmp_path / "explainer.npz")
    loaded = Explainer.load(tmp_path / "explainer.npz")
    assert isinstance(loaded.model, kind)
    found = loaded.explain(tensors(data, rows))
    scores = np.stack([one.base + one.columns.sum(axis=0) for one in found])
    session = ort.InferenceSession((tmp_path / "model.onnx").read_bytes())
    name = "prediction" if data.task == "regression" else "probabilities"
    answered = np.asarray(session.run([name], tensors(data, rows))[0], dtype=np.float64)
    if data.task == "regression":
        assert np.allclose(scores[:, 0], answered, rtol=1e-4, atol=1e-5)
        return
    both = scores if scores.shape[1] > 1 else np.concatenate([np.zeros_like(scores), scores], 1)
    p = np.exp(both) / np.exp(both).sum(axis=1, keepdims=True)
    assert np.allclose(p, answered, atol=1e-5)


def test_an_explainer_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    fitted = blend_of(prepare(table("binary"), "t"), ("linear", "boosted"))
    explainer(fitted).save(tmp_path / "explainer.npz")
    with np.load(tmp_path / "explainer.npz") as stored:
        arrays = dict(stored)
    head = json.loads(str(arrays.pop("head")))
    np.savez(tmp_path / "other.npz", head=np.array(json.dumps({**head, "kind": "magic"})), **arrays)
    with pytest.raises(ModelContentError, match="explains no model"):
        Explainer.load(tmp_path / "other.npz")


def test_weights_are_those_the_scores_were_mixed_with_and_noise_gets_none() -> None:
    rng = np.random.default_rng(1)
    one, two, noise = rng.normal(size=(3, 20_000, 1))
    y = 0.3 * one[:, 0] + 0.7 * two[:, 0] + rng.normal(scale=0.1, size=20_000)
    found = blend_weights([one, two, noise], y, is_classes=False)
    assert found == pytest.approx([0.3, 0.7, 0.0], abs=0.01)
    p = 1 / (1 + np.exp(-(one[:, 0] + 2 * two[:, 0] - 1)))
    is_it = (rng.random(20_000) < p).astype(np.int64)
    found = blend_weights([one, two * 10, noise], is_it, is_classes=True)
    assert found == pytest.approx([1.0, 0.2, 0.0], abs=0.06)


def test_weights_of_several_classes_undo_what_the_scores_were_scaled_by() -> None:
    rng = np.random.default_rng(2)
    log_odds = rng.normal(size=(20_000, 3)) * 2
    p = np.exp(log_odds) / np.exp(log_odds).sum(axis=1, keepdims=True)
    y = np.array([rng.choice(3, p=row) for row in p])
    noise = rng.normal(size=log_odds.shape)
    found = blend_weights([log_odds / 4, noise], y, is_classes=True)
    assert found == pytest.approx([4.0, 0.0], abs=0.15)


def test_a_line_and_trees_that_each_see_half_are_better_together() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(400, 10)), columns=list("abcdefghij"))
    steps = np.where(frame["a"] > 0, 3.0, -3.0) * (frame["b"] > 0)
    slope = frame.iloc[:, 2:].sum(axis=1)
    data = prepare(frame.assign(t=slope + steps + rng.normal(scale=0.3, size=400)), "t")
    split = split_rows(data.y, data.task, seed=0)
    chosen = [
        next(one for one in candidates(data, seed=0) if one.family == family)
        for family in ("dummy", "linear", "boosted")
    ]
    tried = [try_candidate(one, data, split, None, seed=0, left=lambda: 60.0) for one in chosen]
    blend = blend_trial(tried, data, split)
    assert blend is not None
    assert blend.candidate.name.startswith("blend of ")
    assert blend.score.score > max(one.score.score for one in tried) + 0.02
    assert blend_trial(tried[:2], data, split) is None, "one alone is no blend"
