"""What the Open Inference Protocol needs of a model: named tensors in, named tensors out.

Datatypes are the protocol's names. Knows neither ONNX nor HTTP. Read next: `onnx.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from common.errors import DomainError, FieldError

Tensor = NDArray[Any]

NUMPY_TYPES: Mapping[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(np.object_),
}
"""The protocol's datatypes as NumPy's; BYTES is an array of `str` objects."""

_NAMES = {dtype: name for name, dtype in NUMPY_TYPES.items()}


def datatype_of(array: Tensor) -> str:
    """Return the protocol's name of an array's type."""
    return _NAMES.get(array.dtype, "BYTES")


class InputError(DomainError):
    """A tensor is missing, unknown, or has a type, shape or value that is not accepted."""

    def __init__(self, tensor: str, message: str, accepted: str = "") -> None:
        self.tensor = tensor
        self.fields = (FieldError(field=tensor, message=message, accepted=accepted),)
        hint = f"; accepted: {accepted}" if accepted else ""
        super().__init__(f"tensor {tensor!r}: {message}{hint}")


class ModelUnavailableError(DomainError):
    """The model is known but cannot answer now."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, datatype and shape of a tensor; -1 is a dimension that may vary."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def check(self, array: Tensor) -> None:
        """Raise `InputError` unless the array has this type and shape."""
        if datatype_of(array) != self.datatype:
            raise InputError(self.name, f"its datatype is {datatype_of(array)}", self.datatype)
        fits = len(array.shape) == len(self.shape) and all(
            want in {-1, have} for want, have in zip(self.shape, array.shape, strict=True)
        )
        if not fits:
            raise InputError(
                self.name, f"its shape is {list(array.shape)}", f"shape {list(self.shape)}"
            )


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """What `GET /v2/models/{name}` tells."""

    platform: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


class InferenceModel(Protocol):
    """A model that answers tensors with tensors."""

    @property
    def name(self) -> str:
        """The model's name in the URL."""
        ...

    @property
    def version(self) -> str:
        """The version that answers now."""
        ...

    def is_ready(self) -> bool:
        """Whether `infer` can answer."""
        ...

    def metadata(self) -> ModelMetadata:
        """Describe inputs and outputs."""
        ...

    async def infer(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Answer; raises `InputError` for what does not fit."""
        ...


def check_inputs(specs: tuple[TensorSpec, ...], inputs: Mapping[str, Tensor]) -> None:
    """Raise `InputError` for a missing, an unknown or an ill-formed tensor."""
    known = {spec.name: spec for spec in specs}
    for name in inputs:
        if name not in known:
            raise InputError(name, "the model has no such input", ", ".join(known))
    for name, spec in known.items():
        if name not in inputs:
            raise InputError(name, "it is missing", f"{spec.datatype} {list(spec.shape)}")
        spec.check(inputs[name])
