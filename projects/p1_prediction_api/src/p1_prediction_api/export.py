"""A trained pipeline as an ONNX graph, built from its fitted parameters; parity proved on data.

One input a feature, shape (n, 1): float32 numbers (NaN is missing) and strings. Outputs: `label`
and `probabilities` for classes, `prediction` for a number. Linear models are a `Gemm`, boosted
trees one `TreeEnsembleRegressor` of raw scores; a sigmoid or softmax follows. Thresholds of trees
are rounded down to float32, so that `x <= t` decides alike for every float32 `x`. Source:
ONNX operators, domains `ai.onnx` 17 and `ai.onnx.ml` 3.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from p1_prediction_api.contracts import MISSING
from p1_prediction_api.errors import ParityError
from p1_prediction_api.prepared import Prepared

Floats = NDArray[np.float64]
OPSETS = (helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3))
PROBABILITY_TOLERANCE = 1e-4
RELATIVE_TOLERANCE = 1e-4


def export(data: Prepared, pipeline: Pipeline, family: str, path: Path) -> None:
    """Write the fitted pipeline to `path` as ONNX."""
    graph = _Graph(data)
    prepared = graph.prepare(pipeline.named_steps["prepare"], has_gaps=family == "trees")
    model = pipeline.named_steps["model"]
    if family == "trees":
        scores = graph.trees(prepared, model)
    else:
        scores = graph.linear(prepared, model, family)
    graph.finish(scores)
    made = helper.make_model(graph.build(), opset_imports=list(OPSETS), ir_version=10)
    onnx.checker.check_model(made)
    onnx.save(made, path)


def prove_parity(data: Prepared, pipeline: Pipeline, path: Path, rows: pd.DataFrame) -> float:
    """Return the largest difference on `rows`; raises `ParityError` when it is too large."""
    session = ort.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    name = "probabilities" if data.task == "classification" else "prediction"
    exported = np.asarray(session.run([name], tensors(data, rows))[0], dtype=np.float64)
    trained = predict(data, pipeline, rows).reshape(exported.shape)
    gap = np.abs(exported - trained)
    if data.task == "regression":
        gap = gap / max(1.0, float(np.abs(trained).max()))
    tolerance = PROBABILITY_TOLERANCE if data.task == "classification" else RELATIVE_TOLERANCE
    worst = int(np.argmax(gap))
    if not gap.reshape(-1)[worst] <= tolerance:
        row = worst // (gap.shape[1] if gap.ndim > 1 else 1)
        flat = trained.reshape(-1)[worst], exported.reshape(-1)[worst]
        raise ParityError(row, float(flat[0]), float(flat[1]), tolerance)
    return float(gap.max())


def with_strangers(data: Prepared, rows: pd.DataFrame, *, n_rows: int = 20) -> pd.DataFrame:
    """Return `rows` and, made from the first ones, rows with gaps and labels never seen."""
    strangers = [(name, np.float32(np.nan)) for name in data.numbers]
    strangers += [(name, label) for name in data.labels for label in (MISSING, "(never seen)")]
    parts = [rows.head(n_rows).assign(**{name: value}) for name, value in strangers]
    return pd.concat([rows, *parts], ignore_index=True)


def predict(data: Prepared, pipeline: Pipeline, rows: pd.DataFrame) -> Floats:
    """Return the trained pipeline's probabilities (n, classes) or numbers (n,)."""
    if data.task == "classification":
        return np.asarray(pipeline.predict_proba(rows), dtype=np.float64)
    return np.asarray(pipeline.predict(rows), dtype=np.float64)


def tensors(data: Prepared, rows: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Lay out rows as the graph's inputs."""
    return {
        name: rows[name].to_numpy(np.float32 if name in data.numbers else object).reshape(-1, 1)
        for name in data.X.columns
    }


class _Graph:
    """An ONNX graph under construction."""

    def __init__(self, data: Prepared) -> None:
        self._data = data
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._n_names = 0

    def build(self) -> onnx.GraphProto:
        inputs = [
            helper.make_tensor_value_info(
                name,
                TensorProto.FLOAT if name in self._data.numbers else TensorProto.STRING,
                [None, 1],
            )
            for name in self._data.X.columns
        ]
        return helper.make_graph(
            self._nodes, "pipeline", inputs, self._outputs, initializer=self._constants
        )

    def add(
        self, operator: str, inputs: Sequence[str], *, name: str = "", **attributes: Any
    ) -> str:
        self._n_names += 1
        output = name or f"v{self._n_names}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, value: NDArray[Any]) -> str:
        self._n_names += 1
        name = f"c{self._n_names}"
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def prepare(self, transformer: ColumnTransformer, *, has_gaps: bool) -> str:
        parts = []
        if self._data.numbers:
            numbers = self._data.numbers
            joined = self.add("Concat", numbers, axis=1)
            step = transformer.named_transformers_["numbers"]
            parts.append(joined if has_gaps else self._imputed_and_scaled(joined, step))
        if self._data.labels:
            encoder = transformer.named_transformers_["labels"]
            levels = zip(self._data.labels, encoder.categories_, strict=True)
            parts += [self._one_hot(name, known) for name, known in levels]
        return parts[0] if len(parts) == 1 else self.add("Concat", parts, axis=1)

    def _imputed_and_scaled(self, joined: str, step: Pipeline) -> str:
        medians = step.named_steps["impute"].statistics_.astype(np.float32)
        scaler = step.named_steps["scale"]
        is_missing = self.add("IsNaN", [joined])
        filled = self.add("Where", [is_missing, self.constant(medians[None, :]), joined])
        mean = self.constant(scaler.mean_.astype(np.float32)[None, :])
        scale = self.constant(scaler.scale_.astype(np.float32)[None, :])
        return self.add("Div", [self.add("Sub", [filled, mean]), scale])

    def _one_hot(self, name: str, levels: NDArray[Any]) -> str:
        known = [str(level) for level in levels]
        encoded = self.add(
            "OneHotEncoder", [name], domain="ai.onnx.ml", cats_strings=known, zeros=1
        )
        shape = self.constant(np.array([-1, len(known)], dtype=np.int64))
        return self.add("Reshape", [encoded, shape])

    def linear(self, prepared: str, model: Any, family: str) -> str:
        if family == "dummy":
            return self._constant_scores(prepared, model)
        weights = np.atleast_2d(model.coef_).astype(np.float32)
        bias = np.atleast_1d(model.intercept_).astype(np.float32)
        return self.add("Gemm", [prepared, self.constant(weights), self.constant(bias)], transB=1)

    def _constant_scores(self, prepared: str, model: Any) -> str:
        """Multiply the inputs by zero and add the guess: one row of scores for each row."""
        if self._data.task == "classification":
            prior = np.clip(model.class_prior_, 1e-9, 1.0)
            guess = np.log(prior)
            guess = np.array([guess[1] - guess[0]]) if len(guess) == 2 else guess
        else:
            guess = np.atleast_1d(np.asarray(model.constant_, dtype=np.float64).reshape(-1))
        n_columns = self.add("ReduceSum", [prepared, self.constant(np.array([1]))], keepdims=1)
        zero = self.add("Mul", [n_columns, self.constant(np.zeros((1, 1), np.float32))])
        return self.add("Add", [zero, self.constant(guess.astype(np.float32)[None, :])])

    def trees(self, prepared: str, model: Any) -> str:
        attributes, n_scores = tree_attributes(model)
        baseline = np.asarray(model._baseline_prediction, dtype=np.float64).reshape(-1)  # noqa: SLF001 - scikit-learn keeps its fitted trees there
        return self.add(
            "TreeEnsembleRegressor",
            [prepared],
            domain="ai.onnx.ml",
            n_targets=n_scores,
            base_values=[float(b) for b in baseline],
            aggregate_function="SUM",
            post_transform="NONE",
            **attributes,
        )

    def finish(self, scores: str) -> None:
        n_classes = len(self._data.classes)
        if self._data.task == "regression":
            flat = self.constant(np.array([-1], dtype=np.int64))
            self.add("Reshape", [scores, flat], name="prediction")
            self._declare("prediction", TensorProto.FLOAT, [None])
            return
        if n_classes == 2:
            positive = self.add("Sigmoid", [scores])
            one = self.constant(np.ones((1, 1), np.float32))
            negative = self.add("Sub", [one, positive])
            self.add("Concat", [negative, positive], name="probabilities", axis=1)
        else:
            self.add("Softmax", [scores], name="probabilities", axis=1)
        index = self.add("ArgMax", ["probabilities"], axis=1, keepdims=0)
        self.add(
            "LabelEncoder",
            [index],
            name="label",
            domain="ai.onnx.ml",
            keys_int64s=list(range(n_classes)),
            values_strings=list(self._data.classes),
        )
        self._declare("label", TensorProto.STRING, [None])
        self._declare("probabilities", TensorProto.FLOAT, [None, n_classes])

    def _declare(self, name: str, kind: int, shape: list[int | None]) -> None:
        self._outputs.append(helper.make_tensor_value_info(name, kind, shape))


def tree_attributes(model: Any) -> tuple[dict[str, Any], int]:
    """Return the `TreeEnsembleRegressor` attributes of fitted histogram-boosted trees."""
    columns: dict[str, Any] = {name: [] for name in _TREE_COLUMNS}
    n_trees = 0
    n_scores = len(model._predictors[0])  # noqa: SLF001 - see above
    for iteration in model._predictors:  # noqa: SLF001 - see above
        for target, tree in enumerate(iteration):
            _add_tree(columns, n_trees, target, tree.nodes)
            n_trees += 1
    return columns, n_scores


_TREE_COLUMNS = (
    "nodes_treeids",
    "nodes_nodeids",
    "nodes_featureids",
    "nodes_modes",
    "nodes_values",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "nodes_missing_value_tracks_true",
    "target_treeids",
    "target_nodeids",
    "target_ids",
    "target_weights",
)


def _add_tree(columns: dict[str, Any], tree: int, target: int, nodes: NDArray[Any]) -> None:
    for k, node in enumerate(nodes):
        is_leaf = bool(node["is_leaf"])
        columns["nodes_treeids"].append(tree)
        columns["nodes_nodeids"].append(k)
        columns["nodes_featureids"].append(0 if is_leaf else int(node["feature_idx"]))
        columns["nodes_modes"].append("LEAF" if is_leaf else "BRANCH_LEQ")
        columns["nodes_values"].append(0.0 if is_leaf else floor32(float(node["num_threshold"])))
        columns["nodes_truenodeids"].append(0 if is_leaf else int(node["left"]))
        columns["nodes_falsenodeids"].append(0 if is_leaf else int(node["right"]))
        goes_left = not is_leaf and bool(node["missing_go_to_left"])
        columns["nodes_missing_value_tracks_true"].append(int(goes_left))
        if is_leaf:
            columns["target_treeids"].append(tree)
            columns["target_nodeids"].append(k)
            columns["target_ids"].append(target)
            columns["target_weights"].append(float(node["value"]))


def floor32(threshold: float) -> float:
    """Return the largest float32 that is not above `threshold`."""
    if not np.isfinite(threshold):
        return float(np.finfo(np.float32).max)
    rounded = np.float32(threshold)
    if float(rounded) > threshold:
        rounded = np.nextafter(rounded, np.float32(-np.inf))
    return float(rounded)
