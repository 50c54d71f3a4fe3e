"""Tensors from a safetensors file: a header in JSON, then the numbers. Nothing in it can run.

Format: eight bytes with the header's length, the header (each tensor's type, shape and place), the
numbers, little-endian, row by row. https://github.com/huggingface/safetensors, "Format".
"""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from common.models.weights import WeightsError
from numpy.typing import NDArray
from pydantic import BaseModel, NonNegativeInt, TypeAdapter, ValidationError

Tensor = NDArray[np.float32]
Tensors = Mapping[str, Tensor]

MAX_HEADER_BYTES = 10 * 1024 * 1024
_NUMBERS = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "F64": np.dtype("<f8")}


class _Entry(BaseModel):
    """A tensor as the header describes it."""

    dtype: str
    shape: tuple[NonNegativeInt, ...]
    data_offsets: tuple[NonNegativeInt, NonNegativeInt]


_HEADER = TypeAdapter(dict[str, _Entry])


def read_tensors(path: Path) -> Tensors:
    """Read every tensor of floating-point numbers, as float32; raises `WeightsError`.

    Others (such as position indices) are passed over.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    header, start = _header(path, content)
    numbers = memoryview(content)[start:]
    found = {}
    for name, entry in header.items():
        begin, end = entry.data_offsets
        if not begin <= end <= len(numbers):
            raise WeightsError(
                f"{path} is cut off: {name} should end at byte {start + end:,}, the file has "
                f"{len(content):,}; fetch it again"
            )
        tensor = _tensor(entry.dtype, numbers[begin:end])
        if tensor is None:
            continue
        if tensor.size != math.prod(entry.shape):
            raise WeightsError(f"{path}: {name} does not fill its shape {entry.shape}")
        found[name] = tensor.reshape(entry.shape)
    return found


def _header(path: Path, content: bytes) -> tuple[dict[str, _Entry], int]:
    """Return the tensors' places and where the numbers begin."""
    n_bytes = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else 0
    if not 2 <= n_bytes <= min(len(content) - 8, MAX_HEADER_BYTES):
        raise WeightsError(f"{path} is not a safetensors file, or is cut off in its header")
    try:
        read = json.loads(content[8 : 8 + n_bytes])
        if isinstance(read, dict):
            read.pop("__metadata__", None)
        return _HEADER.validate_python(read), 8 + n_bytes
    except (ValueError, ValidationError, RecursionError) as error:
        raise WeightsError(f"{path} is not a safetensors file: its header is damaged") from error


def _tensor(dtype: str, numbers: memoryview) -> Tensor | None:
    """Return the numbers as float32; None for a type of no floating-point numbers."""
    if dtype == "BF16":  # the upper half of a float32
        halves = np.frombuffer(numbers[: len(numbers) // 2 * 2], "<u2")
        return (halves.astype(np.uint32) << 16).view(np.float32)
    if dtype not in _NUMBERS:
        return None
    n_each = _NUMBERS[dtype].itemsize
    whole = numbers[: len(numbers) // n_each * n_each]
    return np.frombuffer(whole, _NUMBERS[dtype]).astype(np.float32, copy=False)
