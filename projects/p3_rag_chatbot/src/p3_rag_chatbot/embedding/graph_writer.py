"""A graph in the making: nodes in order, weights that are checked, products in a precision.

Knows ONNX and no network; `graph.py` and `graph_heads.py` write with it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from common.models.weights import WeightsError
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from p3_rag_chatbot.embedding.graph_form import Precision
from p3_rag_chatbot.embedding.quantising import quantise_columns
from p3_rag_chatbot.embedding.tensor_files import Tensor, Tensors

Output = onnx.ValueInfoProto
OPSET, IR_VERSION = 18, 10
RUNTIME = "com.microsoft"
"""Where ONNX Runtime's own operators live."""


def number(value: float) -> Tensor:
    """Return a constant of no dimension."""
    return np.array(value, np.float32)


def indices(values: int | Sequence[int]) -> NDArray[np.int64]:
    """Return an index, or a list of indices, axes or sizes, as a constant."""
    return np.array(values, np.int64)


class GraphWriter:
    """Nodes and constants of one graph; a name stands for the tensor that a node makes."""

    def __init__(self, tensors: Tensors, precision: Precision) -> None:
        self._tensors = tensors
        self._precision = precision
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def add(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Append a node whose one output is `name`; returns the name."""
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Keep a constant under a name, once; returns the name."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def tensor(self, name: str, *shape: int) -> Tensor:
        """Return a weight, checked against its shape."""
        found = self._tensors.get(name)
        if found is None:
            raise WeightsError(f"the weights have no tensor {name}: they are of another model")
        if found.shape != shape:
            raise WeightsError(f"the weights' {name} has the shape {found.shape}, not {shape}")
        return found

    def weight(self, name: str, *shape: int) -> str:
        """Keep a weight as it is; returns its name."""
        return self.constant(name, self.tensor(name, *shape))

    def linear(self, source: str, layer: str, n_in: int, n_out: int) -> str:
        """Append x W^T + b of a trained layer, in the graph's precision; returns its output."""
        weight = self.tensor(f"{layer}.weight", n_out, n_in).T
        bias = self.weight(f"{layer}.bias", n_out)
        if self._precision == "fp32":
            product = [source, self.constant(f"{layer}.weight_t", weight)]
            return self.add("Add", [self.add("MatMul", product, f"{layer}.product"), bias], layer)
        columns = quantise_columns(weight)
        inputs = [
            source,
            self.constant(f"{layer}.weight_int8", columns.numbers),
            self.constant(f"{layer}.scale", columns.scales),
            "",
            bias,
        ]
        return self.add("DynamicQuantizeMatMul", inputs, layer, domain=RUNTIME)

    def model(
        self, inputs: Sequence[str], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """Return the whole model, checked; its inputs are (n, T) of int64."""
        taken = [helper.make_tensor_value_info(k, TensorProto.INT64, ["n", "t"]) for k in inputs]
        constants = list(self._constants.values())
        graph = helper.make_graph(self._nodes, "bert", taken, outputs, constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model
