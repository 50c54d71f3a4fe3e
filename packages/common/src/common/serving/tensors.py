"""The wire forms of a tensor: JSON values and the raw bytes of the binary extension.

Every size is checked before anything is allocated. Source: Open Inference Protocol, "Inference
Request JSON Object" and "Binary Tensor Data Extension". Raw numbers are little-endian, row-major;
a BYTES element is its length in four bytes, then its content.
"""

import math
import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from pydantic import JsonValue

from common.serving.inference import NUMPY_TYPES, InputError, Tensor, datatype_of

MAX_DIMENSIONS = 16
MAX_SIZE = 2**31  # of one dimension; NumPy would refuse the product of larger ones by its own name
_JSON_KINDS: dict[str, tuple[type, ...]] = {
    "BOOL": (bool,),
    "BYTES": (str,),
    "FP16": (int, float),
    "FP32": (int, float),
    "FP64": (int, float),
}
_RANGE_WORDS = "numbers in the datatype's range"


def check_shape(name: str, shape: object) -> tuple[int, ...]:
    """Return a tensor's shape; `InputError` unless it is a list of sizes from 0."""
    is_list = isinstance(shape, list) and len(shape) <= MAX_DIMENSIONS
    sizes = shape if isinstance(shape, list) and is_list else None
    if sizes is None or any(type(size) is not int or not 0 <= size < MAX_SIZE for size in sizes):
        raise InputError(name, "its shape is not a list of sizes", "such as [1, 4]")
    return tuple(int(size) for size in sizes if isinstance(size, int))


def check_datatype(name: str, datatype: object) -> str:
    """Return a datatype of the protocol; `InputError` for any other."""
    if not isinstance(datatype, str) or datatype not in NUMPY_TYPES:
        raise InputError(name, f"the datatype {datatype!r} is not known", ", ".join(NUMPY_TYPES))
    return datatype


def from_json(name: str, datatype: str, shape: tuple[int, ...], data: JsonValue) -> Tensor:
    """Read a JSON tensor, nested or flat."""
    if not isinstance(data, list):
        raise InputError(name, "its data is not a list", "a list, nested or flat")
    flat = _flatten(name, shape, data) if data and isinstance(data[0], list) else data
    n_elements = math.prod(shape)
    if len(flat) != n_elements:
        raise InputError(
            name, f"it holds {len(flat)} elements", f"{n_elements}, as its shape {list(shape)} says"
        )
    _check_kinds(name, datatype, flat)
    try:
        with np.errstate(over="ignore"):  # told below, in the protocol's words
            array = np.array(flat, dtype=NUMPY_TYPES[datatype])
    except (OverflowError, ValueError, TypeError) as error:
        raise InputError(name, f"its data is not {datatype}: {error}", _RANGE_WORDS) from error
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(name, f"its data is not {datatype}: a number is too large", _RANGE_WORDS)
    return _shaped(name, array, shape)


def _shaped(name: str, array: Tensor, shape: tuple[int, ...]) -> Tensor:
    try:
        return array.reshape(shape)
    except ValueError as error:  # no elements, but sizes whose product NumPy cannot hold
        raise InputError(name, f"its shape {list(shape)} is too large", "smaller sizes") from error


def _flatten(name: str, shape: tuple[int, ...], data: list[JsonValue]) -> list[JsonValue]:
    """Undo the nesting, level by level; it must be the shape's, or values would change places."""
    level: list[JsonValue] = [data]
    for size in shape:
        lists = [part for part in level if isinstance(part, list) and len(part) == size]
        if len(lists) != len(level):
            raise InputError(
                name, "its data is not nested as its shape says", f"lists as {list(shape)}, or flat"
            )
        level = list(chain.from_iterable(lists))
    return level


def _check_kinds(name: str, datatype: str, flat: Sequence[JsonValue]) -> None:
    """Refuse what NumPy would quietly turn into something else: 1.5 to an integer, "1" to 1.0."""
    wanted = _JSON_KINDS.get(datatype, (int,))
    is_number = bool not in wanted
    for found in set(map(type, flat)):
        if found not in wanted or (found is bool and is_number):
            sample = next(value for value in flat if type(value) is found)
            words = " or ".join(kind.__name__ for kind in wanted)
            raise InputError(name, f"its data holds {str(sample)[:40]!r}", f"{datatype} as {words}")


def from_bytes(name: str, datatype: str, shape: tuple[int, ...], raw: bytes) -> Tensor:
    """Read a raw tensor of the binary extension."""
    n_elements = math.prod(shape)
    if datatype == "BYTES":
        return _shaped(name, _strings_from_bytes(name, n_elements, raw), shape)
    dtype = NUMPY_TYPES[datatype].newbyteorder("<")
    if len(raw) != n_elements * dtype.itemsize:
        raise InputError(
            name,
            f"it holds {len(raw)} bytes",
            f"{n_elements * dtype.itemsize}, as its shape {list(shape)} and {datatype} say",
        )
    if datatype == "BOOL" and raw.translate(None, b"\0\1"):
        raise InputError(name, "it holds a byte that is neither 0 nor 1", "BOOL as 0 or 1")
    array = np.frombuffer(raw, dtype=dtype).astype(NUMPY_TYPES[datatype], copy=False)
    return _shaped(name, array, shape)


def _strings_from_bytes(name: str, n_elements: int, raw: bytes) -> Tensor:
    if len(raw) < 4 * n_elements:
        raise InputError(
            name, f"{len(raw)} bytes cannot hold {n_elements} strings", "whole strings"
        )
    strings: list[str] = []
    at, end, size_at = 0, len(raw), struct.Struct("<I").unpack_from
    try:
        while at < end:
            if at + 4 > end or len(strings) == n_elements:
                raise InputError(
                    name, "its bytes do not end where its last string does", "its strings"
                )
            start = at + 4
            at = start + size_at(raw, at)[0]
            if at > end:
                raise InputError(name, "a string is longer than the data", "length, then content")
            strings.append(raw[start:at].decode())
    except UnicodeDecodeError as error:
        raise InputError(name, "a string is not UTF-8", "UTF-8") from error
    if len(strings) != n_elements:
        raise InputError(name, f"it holds {len(strings)} strings", f"{n_elements}")
    return np.array(strings, dtype=object)


def to_json(array: Tensor) -> list[JsonValue]:
    """Return a tensor's elements, flat and row-major; NaN and infinities stay what they are."""
    flat: list[Any] = array.reshape(-1).tolist()
    return [str(value) for value in flat] if datatype_of(array) == "BYTES" else flat


def to_bytes(array: Tensor) -> bytes:
    """Return a tensor's raw form."""
    if datatype_of(array) != "BYTES":
        return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
    parts: list[bytes] = []
    for value in array.reshape(-1):
        content = str(value).encode()
        parts += [struct.pack("<I", len(content)), content]
    return b"".join(parts)
