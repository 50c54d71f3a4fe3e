"""An ONNX model in ONNX Runtime: loaded safely, described, run with checked inputs.

A file that is not a model is refused with its name and the reason. One thread by default: small
models are faster so, and a service's parallelism is its requests. No pickle anywhere.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import DomainError
from common.privacy import keep_to_ourselves
from common.serving.inference import Tensor, TensorSpec, check_inputs

keep_to_ourselves()
import onnxruntime as ort  # noqa: E402 - reads its opt-out when it is loaded

ort.set_default_logger_severity(3)  # errors only; warnings of the optimiser help nobody here

_DATATYPES = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}


class ModelFileError(DomainError):
    """A file is not an ONNX model that can be run here."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"{path.name} is not a usable ONNX model: {reason}")


class OnnxModel:
    """A session over one ONNX file; safe to call from several threads."""

    def __init__(self, session: ort.InferenceSession, path: Path) -> None:
        self._session = session
        self.inputs = tuple(_spec(node, path) for node in session.get_inputs())
        self.outputs = tuple(_spec(node, path) for node in session.get_outputs())
        self._output_names = [spec.name for spec in self.outputs]

    @classmethod
    def load(cls, path: Path, *, n_threads: int = 1) -> "OnnxModel":
        """Load a model; `ModelFileError` when the file is missing, corrupt or foreign."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelFileError(path, error.strerror or str(error)) from error
        if not content:
            raise ModelFileError(path, "the file is empty")
        options = ort.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_cpu_mem_arena = False  # it never shrinks, and holds 3 MiB for a small model
        try:
            session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            reason = str(error).splitlines()[0][:200]
            raise ModelFileError(path, reason) from error
        return cls(session, path)

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Run the model on named tensors; raises `InputError` for what does not fit."""
        check_inputs(self.inputs, inputs)
        return self.run_unchecked(inputs)

    def run_unchecked(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Run the model on tensors that the caller has checked."""
        values: Sequence[Any] = self._session.run(self._output_names, dict(inputs))
        return {
            name: np.asarray(value) for name, value in zip(self._output_names, values, strict=True)
        }


def _spec(node: ort.NodeArg, path: Path) -> TensorSpec:
    datatype = _DATATYPES.get(node.type)
    if datatype is None:
        raise ModelFileError(path, f"{node.name} is a {node.type}, which is not a tensor")
    shape = tuple(size if isinstance(size, int) else -1 for size in node.shape)
    return TensorSpec(node.name, datatype, shape)
