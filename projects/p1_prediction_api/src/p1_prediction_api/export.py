"""A trained model as an ONNX graph, built from its fitted parameters; parity proved on data.

One input a feature, shape (n, 1): float32 numbers (NaN is missing; a date is days since 1970) and
strings. Outputs: `label` and `probabilities` for classes, `prediction` for a number. Linear models
are a `Gemm`, trees of every kind one `TreeEnsembleRegressor` of raw scores, a blend the sum of
both; calibration and a sigmoid or softmax follow. Source: ONNX operators, domains `ai.onnx` 17 and
`ai.onnx.ml` 3.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import pandas as pd
from common.serving.onnx import OnnxModel
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.compose import ColumnTransformer

from p1_prediction_api.candidates import Candidate
from p1_prediction_api.column_model import ByBits, bit_trees, trees_of
from p1_prediction_api.contracts import MISSING, Calibration, Signature
from p1_prediction_api.encoding import (
    COLUMNS,
    DAYS_A_WEEK,
    DAYS_A_YEAR,
    HOURS,
    THURSDAY,
    TREE_SCORES,
    Encoder,
    output_name,
)
from p1_prediction_api.errors import ParityError
from p1_prediction_api.explaining import Explainer, LinearScores, MixedScores
from p1_prediction_api.prepared import Prepared
from p1_prediction_api.raw_scores import predict
from p1_prediction_api.score_models import score_model
from p1_prediction_api.trees import LEAF, TreeEnsemble

Floats = NDArray[np.float64]
OPSETS = (helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3))
PROBABILITY_TOLERANCE = 1e-4
RELATIVE_TOLERANCE = 1e-4


class Fitted(NamedTuple):
    """A chosen, fitted and calibrated model with the data's description: what is exported."""

    data: Prepared
    candidate: Candidate
    calibration: Calibration
    signature: Signature

    def predict(self, rows: pd.DataFrame) -> Floats:
        """Return calibrated probabilities (n, classes) or numbers (n,)."""
        return predict(self.data, self.candidate, self.calibration, rows)


def export(fitted: Fitted, path: Path) -> None:
    """Write the model to `path` as ONNX."""
    made = helper.make_model(_Graph(fitted).build(), opset_imports=list(OPSETS), ir_version=10)
    onnx.checker.check_model(made)
    onnx.save(made, path)


def export_columns(fitted: Fitted, path: Path) -> None:
    """Write the model after its encoding: one input, the columns of `encoding.Encoder`."""
    made = helper.make_model(
        _Graph(fitted).build_columns(), opset_imports=list(OPSETS), ir_version=10
    )
    onnx.checker.check_model(made)
    onnx.save(made, path)


def export_after_trees(fitted: Fitted, path: Path) -> None:
    """Write what follows the trees: their scores, and the columns where a linear part needs them.

    Nothing is written where the trees are not for `bit_trees.py`.
    """
    if bit_trees(explainer(fitted)) is None:
        return
    made = helper.make_model(
        _Graph(fitted).build_after_trees(), opset_imports=list(OPSETS), ir_version=10
    )
    onnx.checker.check_model(made)
    onnx.save(made, path)


def explainer(fitted: Fitted) -> Explainer:
    """Make what takes the model's scores apart, without scikit-learn."""
    data, pipeline = fitted.data, fitted.candidate.pipeline
    transformer = pipeline.named_steps["prepare"]
    levels = {name: tuple(known) for name, known in _levels(data, transformer).items()}
    return Explainer(
        Encoder(data.numbers, data.dates, levels),
        score_model(data, fitted.candidate),
        fitted.calibration.slope,
        fitted.calibration.intercepts,
    )


def _levels(data: Prepared, transformer: ColumnTransformer) -> Mapping[str, Sequence[str]]:
    if not data.labels:
        return {}
    encoder = transformer.named_transformers_["labels"]
    return {
        name: [str(level) for level in known]
        for name, known in zip(data.labels, encoder.categories_, strict=True)
    }


def prove_parity(fitted: Fitted, path: Path, rows: pd.DataFrame) -> float:
    """Return the largest difference on `rows` of either graph; `ParityError` when too large."""
    model = OnnxModel.load(path)
    name = model.outputs[0].name
    fed = tensors(fitted.data, rows)
    if [one.name for one in model.inputs] == [COLUMNS]:
        fed = {COLUMNS: explainer(fitted).encoder.encode(fed)}
    return _difference(fitted, model.run_unchecked(fed)[name], rows)


def prove_bits(fitted: Fitted, folder: Path, rows: pd.DataFrame) -> float:
    """Do the same for the trees as bits, where the version in `folder` has them."""
    by_bits = ByBits.load(folder)
    if by_bits is None:
        return 0.0
    encoder = explainer(fitted).encoder
    columns = encoder.encode(tensors(fitted.data, rows))
    return _difference(fitted, by_bits.answers(columns, encoder.codes(columns)), rows)


def _difference(fitted: Fitted, answers: NDArray[Any], rows: pd.DataFrame) -> float:
    is_classes = fitted.data.task == "classification"
    exported = np.asarray(answers, dtype=np.float64)
    trained = fitted.predict(rows).reshape(exported.shape)
    gap = np.abs(exported - trained)
    if not is_classes:
        gap = gap / max(1.0, float(np.abs(trained).max()))
    tolerance = PROBABILITY_TOLERANCE if is_classes else RELATIVE_TOLERANCE
    worst = int(np.argmax(gap))
    if not gap.reshape(-1)[worst] <= tolerance:
        row = worst // (gap.shape[1] if gap.ndim > 1 else 1)
        flat = trained.reshape(-1)[worst], exported.reshape(-1)[worst]
        raise ParityError(row, float(flat[0]), float(flat[1]), tolerance)
    return float(gap.max())


def with_strangers(data: Prepared, rows: pd.DataFrame, *, n_rows: int = 20) -> pd.DataFrame:
    """Return `rows` and, made from the first ones, rows with gaps and labels never seen."""
    strangers = [(name, np.float32(np.nan)) for name in (*data.numbers, *data.dates)]
    strangers += [(name, label) for name in data.labels for label in (MISSING, "(never seen)")]
    parts = [rows.head(n_rows).assign(**{name: value}) for name, value in strangers]
    return pd.concat([rows, *parts], ignore_index=True)


def tensors(data: Prepared, rows: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Lay out rows as the graph's inputs."""
    return {
        name: rows[name].to_numpy(object if name in data.labels else np.float32).reshape(-1, 1)
        for name in data.X.columns
    }


class _Graph:
    """An ONNX graph under construction; build one of its three forms, once."""

    def __init__(self, fitted: Fitted) -> None:
        self._fitted = fitted
        self._data = fitted.data
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._n_names = 0
        self._has_trees = True
        names = [str(name) for name in fitted.data.X.columns]
        self._output = {
            wanted: output_name(wanted, names)
            for wanted in ("label", "probabilities", "prediction")
        }
        self._prefix = "/"
        while any(name.startswith(self._prefix) for name in names):
            self._prefix += "/"  # no name of the graph's own is a column's

    def build(self) -> onnx.GraphProto:
        """Make the whole graph: encode, score, calibrate, say."""
        columns = self._columns(explainer(self._fitted).encoder)
        self._finish(self._scores(columns))
        inputs = [
            helper.make_tensor_value_info(
                name,
                TensorProto.STRING if name in self._data.labels else TensorProto.FLOAT,
                [None, 1],
            )
            for name in self._data.X.columns
        ]
        return helper.make_graph(
            self._nodes, "model", inputs, self._outputs, initializer=self._constants
        )

    def build_columns(self) -> onnx.GraphProto:
        """Make the part after the encoding."""
        self._finish(self._scores(COLUMNS), has_label=False)
        n_columns = len(explainer(self._fitted).encoder.owners())
        given = helper.make_tensor_value_info(COLUMNS, TensorProto.FLOAT, [None, n_columns])
        return helper.make_graph(
            self._nodes, "columns", [given], self._outputs, initializer=self._constants
        )

    def build_after_trees(self) -> onnx.GraphProto:
        """Make the part after the trees."""
        self._has_trees = False
        self._finish(self._scores(COLUMNS), has_label=False)
        model = explainer(self._fitted).model
        trees = trees_of(model)
        widths = {} if trees is None else {TREE_SCORES: trees.n_scores}
        if isinstance(model, MixedScores):
            widths[COLUMNS] = model.trees.n_columns
        given = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])
            for name, width in widths.items()
        ]
        return helper.make_graph(
            self._nodes, "after_trees", given, self._outputs, initializer=self._constants
        )

    def _scores(self, columns: str) -> str:
        model = explainer(self._fitted).model
        if isinstance(model, MixedScores):
            parts = self._linear(columns, model.linear), self._trees(columns, model.trees)
            return self._add("Add", parts)
        if isinstance(model, TreeEnsemble):
            return self._trees(columns, model)
        return self._linear(columns, model)

    def _add(
        self, operator: str, inputs: Sequence[str], *, name: str = "", **attributes: Any
    ) -> str:
        self._n_names += 1
        output = self._output[name] if name else f"{self._prefix}v{self._n_names}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def _constant(self, value: Any) -> str:
        self._n_names += 1
        name = f"{self._prefix}c{self._n_names}"
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def _columns(self, encoder: Encoder) -> str:
        """Encode as `encoding.py` and the pipeline do."""
        parts = []
        if encoder.numbers:
            parts.append(self._add("Concat", encoder.numbers, axis=1))
        parts += [self._date_parts(name) for name in encoder.dates]
        parts += [self._one_hot(name, known) for name, known in encoder.levels.items()]
        return parts[0] if len(parts) == 1 else self._add("Concat", parts, axis=1)

    def _date_parts(self, days: str) -> str:
        """Do in the graph what `encoding.date_parts` does in NumPy."""
        whole = self._add("Floor", [days])
        weekday = self._remainder(
            self._add("Add", [whole, self._constant(np.float32(THURSDAY))]), DAYS_A_WEEK
        )
        since_midnight = self._add("Sub", [days, whole])
        hour = self._add("Mul", [since_midnight, self._constant(np.float32(HOURS))])
        season = self._remainder(days, DAYS_A_YEAR)
        return self._add("Concat", [days, weekday, hour, season], axis=1)

    def _remainder(self, value: str, divisor: np.float32) -> str:
        by = self._constant(np.float32(divisor))
        n_times = self._add("Floor", [self._add("Div", [value, by])])
        return self._add("Sub", [value, self._add("Mul", [n_times, by])])

    def _one_hot(self, name: str, known: Sequence[str]) -> str:
        encoded = self._add(
            "OneHotEncoder", [name], domain="ai.onnx.ml", cats_strings=list(known), zeros=1
        )
        shape = self._constant(np.array([-1, len(known)], dtype=np.int64))
        return self._add("Reshape", [encoded, shape])

    def _linear(self, columns: str, model: LinearScores) -> str:
        fill = self._constant(model.fill.astype(np.float32)[None, :])
        filled = self._add("Where", [self._add("IsNaN", [columns]), fill, columns])
        # About the average first: values may be large, and float32 keeps seven digits.
        average = model.average.astype(np.float32)
        about = self._add("Sub", [filled, self._constant(average[None, :])])
        weights = self._constant(model.weights.astype(np.float32))
        bias = model.bias + model.weights @ average.astype(np.float64)
        inputs = [about, weights, self._constant(bias.astype(np.float32))]
        return self._add("Gemm", inputs, transB=1)

    def _trees(self, columns: str, ensemble: TreeEnsemble) -> str:
        if not self._has_trees:
            return TREE_SCORES
        return self._add(
            "TreeEnsembleRegressor",
            [columns],
            domain="ai.onnx.ml",
            n_targets=ensemble.n_scores,
            base_values=ensemble.base.astype(np.float32).tolist(),
            aggregate_function="SUM",
            post_transform="NONE",
            **tree_attributes(ensemble),
        )

    def _finish(self, raw: str, *, has_label: bool = True) -> None:
        n_classes = len(self._data.classes)
        if self._data.task == "regression":
            flat = self._constant(np.array([-1], dtype=np.int64))
            self._add("Reshape", [raw, flat], name="prediction")
            self._declare("prediction", TensorProto.FLOAT, [None])
            return
        self._declare("probabilities", TensorProto.FLOAT, [None, n_classes])
        log_odds = self._calibrated(raw)
        if n_classes == 2:
            positive = self._add("Sigmoid", [log_odds])
            one = self._constant(np.ones((1, 1), np.float32))
            negative = self._add("Sub", [one, positive])
            self._add("Concat", [negative, positive], name="probabilities", axis=1)
        else:
            self._add("Softmax", [log_odds], name="probabilities", axis=1)
        if not has_label:
            return
        if n_classes == 2:
            index = self._said()
        else:
            index = self._add("ArgMax", [self._output["probabilities"]], axis=1, keepdims=0)
        self._add(
            "LabelEncoder",
            [index],
            name="label",
            domain="ai.onnx.ml",
            keys_int64s=list(range(n_classes)),
            values_strings=list(self._data.classes),
        )
        self._declare("label", TensorProto.STRING, [None])

    def _calibrated(self, raw: str) -> str:
        slope = self._constant(np.float32(self._fitted.calibration.slope))
        intercepts = np.asarray(self._fitted.calibration.intercepts, dtype=np.float32)
        return self._add("Add", [self._add("Mul", [raw, slope]), self._constant(intercepts)])

    def _said(self) -> str:
        """Say the positive class from its threshold on."""
        signature = self._fitted.signature
        positive = self._data.classes.index(signature.positive)
        chosen = self._add(
            "Gather", [self._output["probabilities"], self._constant(np.array(positive))], axis=1
        )
        threshold = self._constant(np.float32(signature.threshold))
        is_said = self._add("GreaterOrEqual", [chosen, threshold])
        said, other = self._constant(np.array(positive)), self._constant(np.array(1 - positive))
        return self._add("Where", [is_said, said, other])

    def _declare(self, name: str, kind: int, shape: list[int | None]) -> None:
        self._outputs.append(helper.make_tensor_value_info(self._output[name], kind, shape))


def tree_attributes(ensemble: TreeEnsemble) -> dict[str, Any]:
    """Return the attributes of a `TreeEnsembleRegressor` that gives the ensemble's raw scores."""
    sizes = [len(tree.feature) for tree in ensemble.trees]
    number = np.repeat(np.arange(len(sizes)), sizes)
    node = np.concatenate([np.arange(size) for size in sizes])
    feature = np.concatenate([tree.feature for tree in ensemble.trees])
    is_leaf = feature == LEAF
    leaves = [_leaf_values(k, tree) for k, tree in enumerate(ensemble.trees)]
    joined = {name: np.concatenate([leaf[name] for leaf in leaves]) for name in leaves[0]}
    threshold = np.concatenate([tree.threshold for tree in ensemble.trees])
    missing = np.concatenate([tree.goes_left_missing for tree in ensemble.trees])
    return {
        "nodes_treeids": number.tolist(),
        "nodes_nodeids": node.tolist(),
        "nodes_featureids": np.where(is_leaf, 0, feature).tolist(),
        "nodes_modes": np.where(is_leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_values": threshold.astype(np.float64).tolist(),
        "nodes_truenodeids": np.concatenate([tree.left for tree in ensemble.trees]).tolist(),
        "nodes_falsenodeids": np.concatenate([tree.right for tree in ensemble.trees]).tolist(),
        "nodes_missing_value_tracks_true": (missing & ~is_leaf).astype(int).tolist(),
        **{name: values.tolist() for name, values in joined.items()},
    }


def _leaf_values(number: int, tree: Any) -> dict[str, NDArray[Any]]:
    nodes = np.flatnonzero(tree.feature == LEAF)
    width = tree.value.shape[1]
    return {
        "target_treeids": np.full(len(nodes) * width, number),
        "target_nodeids": np.repeat(nodes, width),
        "target_ids": np.tile(np.arange(tree.score, tree.score + width), len(nodes)),
        "target_weights": tree.value[nodes].astype(np.float32).astype(np.float64).ravel(),
    }
