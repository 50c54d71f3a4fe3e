"""Small real ONNX models."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper


def save_model(path: Path) -> Path:
    """Write a model: `doubled` = 2·`x`, `named` = `word` as it came."""
    two = numpy_helper.from_array(np.array(2, dtype=np.float32), "two")
    nodes = [
        helper.make_node("Mul", ["x", "two"], ["doubled"]),
        helper.make_node("Identity", ["word"], ["named"]),
    ]
    inputs = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2]),
        helper.make_tensor_value_info("word", TensorProto.STRING, [None, 1]),
    ]
    outputs = [
        helper.make_tensor_value_info("doubled", TensorProto.FLOAT, [None, 2]),
        helper.make_tensor_value_info("named", TensorProto.STRING, [None, 1]),
    ]
    graph = helper.make_graph(nodes, "doubling", inputs, outputs, [two])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(made, path)
    return path


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("onnx") / "model.onnx")
