"""Inference requests and answers of the Open Inference Protocol as bytes, JSON and binary.

Parses a request body into named tensors and what is asked back; builds the answer's body. Knows no
model. Source: Open Inference Protocol V2 (KServe), REST, and its binary tensor data extension.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import pydantic_core
from pydantic import JsonValue

from common.errors import DomainError
from common.serving.inference import InputError, Tensor, datatype_of
from common.serving.tensors import check_datatype, check_shape, from_bytes, from_json
from common.serving.tensors import to_bytes as tensor_to_bytes
from common.serving.tensors import to_json as tensor_to_json

HEADER_LENGTH = "Inference-Header-Content-Length"
MAX_TENSORS = 4096
MAX_DIGITS = 18
_NOT_FINITE = re.compile(rb"NaN|Infinity").search


class InferenceRequestError(DomainError):
    """The request's envelope is not what the protocol says."""


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """A parsed request: its tensors, and which outputs are wanted in which form."""

    id: str
    inputs: dict[str, Tensor]
    outputs: dict[str, bool] = field(default_factory=dict)
    """Wanted outputs by name, True for binary; empty wants all in `is_binary_by_default`."""
    is_binary_by_default: bool = False


def inflate(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Undo a request's `Content-Encoding`; refuses what would grow past `max_bytes`."""
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "deflate"}:
        raise InferenceRequestError(f"Content-Encoding {encoding!r}; accepted: gzip, deflate")
    engine = zlib.decompressobj(zlib.MAX_WBITS | (16 if encoding == "gzip" else 0))
    try:
        content = engine.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise InferenceRequestError(f"the body is not valid {encoding}: {error}") from error
    if len(content) > max_bytes:
        raise InferenceRequestError(f"the body inflates to more than {max_bytes} bytes")
    if not engine.eof:
        raise InferenceRequestError(f"the {encoding} body ends too early")
    return content


def parse_request(body: bytes, header_length: str | None) -> InferenceRequest:
    """Read an inference request; raises `InferenceRequestError` or `InputError`."""
    header, raw = _split(body, header_length)
    data = _object(header)
    tensors = _entries(data.get("inputs"), "inputs")
    inputs: dict[str, Tensor] = {}
    at = 0
    for entry in tensors:
        name = _name(entry, "inputs")
        if name in inputs:
            raise InputError(name, "it is given twice", "each input once")
        size = _binary_size(name, entry)
        if size is not None:
            if at + size > len(raw):
                raise InputError(name, f"{len(raw) - at} bytes are left of its {size}", "them all")
            inputs[name] = _tensor(name, entry, raw[at : at + size])
            at += size
        else:
            inputs[name] = _tensor(name, entry, None)
    if at != len(raw):
        raise InferenceRequestError(f"{len(raw) - at} bytes follow the last binary tensor")
    outputs = {
        _name(entry, "outputs"): bool(_parameters(entry).get("binary_data", False))
        for entry in _entries(data.get("outputs", []), "outputs")
    }
    is_binary = bool(_parameters(data).get("binary_data_output", False))
    return InferenceRequest(str(data.get("id", "")), inputs, outputs, is_binary)


def build_answer(
    model: str, version: str, request: InferenceRequest, outputs: Mapping[str, Tensor]
) -> tuple[bytes, int | None]:
    """Build the answer's body; the second value is its header's length when it is binary."""
    wanted = request.outputs or dict.fromkeys(outputs, request.is_binary_by_default)
    entries: list[JsonValue] = []
    raw: list[bytes] = []
    for name, is_binary in wanted.items():
        if name not in outputs:
            raise InputError(name, "the model has no such output", ", ".join(outputs))
        array = outputs[name]
        entry: dict[str, JsonValue] = {
            "name": name,
            "datatype": datatype_of(array),
            "shape": list(array.shape),
        }
        if is_binary:
            content = tensor_to_bytes(array)
            entry["parameters"] = {"binary_data_size": len(content)}
            raw.append(content)
        else:
            entry["data"] = tensor_to_json(array)
        entries.append(entry)
    answer: dict[str, JsonValue] = {
        "model_name": model,
        "model_version": version,
        "outputs": entries,
    }
    if request.id:
        answer["id"] = request.id
    header = pydantic_core.to_json(answer, inf_nan_mode="null")  # JSON has no other word for them
    if not raw:
        return header, None
    return b"".join([header, *raw]), len(header)


def _split(body: bytes, header_length: str | None) -> tuple[bytes, bytes]:
    if header_length is None:
        return body, b""
    is_number = header_length.isdecimal() and len(header_length) <= MAX_DIGITS
    if not is_number or int(header_length) > len(body):
        raise InferenceRequestError(
            f"{HEADER_LENGTH} is {header_length!r}; the body has {len(body)} bytes"
        )
    return body[: int(header_length)], body[int(header_length) :]


def _object(header: bytes) -> dict[str, JsonValue]:
    try:
        data: object = pydantic_core.from_json(header, allow_inf_nan=False)
    except ValueError as error:
        hint = "; NaN and infinities travel in binary tensors only" if _NOT_FINITE(header) else ""
        raise InferenceRequestError(f"the request is not valid JSON: {error}{hint}") from error
    if not isinstance(data, dict):
        raise InferenceRequestError("the request is not a JSON object")
    return data


def _entries(value: JsonValue, what: str) -> list[dict[str, JsonValue]]:
    if not isinstance(value, list) or len(value) > MAX_TENSORS:
        raise InferenceRequestError(f"{what} is missing or is not a list of tensors")
    entries = [entry for entry in value if isinstance(entry, dict)]
    if len(entries) != len(value):
        raise InferenceRequestError(f"{what} holds something that is not an object")
    return entries


def _name(entry: Mapping[str, JsonValue], what: str) -> str:
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise InferenceRequestError(f"a tensor in {what} has no name")
    return name


def _parameters(entry: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    parameters = entry.get("parameters", {})
    if not isinstance(parameters, dict):
        raise InferenceRequestError("parameters is not an object")
    return parameters


def _binary_size(name: str, entry: Mapping[str, JsonValue]) -> int | None:
    size = _parameters(entry).get("binary_data_size")
    if size is None:
        return None
    if type(size) is not int or size < 0:
        raise InputError(name, f"binary_data_size is {size!r}", "a number of bytes")
    return size


def _tensor(name: str, entry: Mapping[str, JsonValue], raw: bytes | None) -> Tensor:
    datatype = check_datatype(name, entry.get("datatype"))
    shape = check_shape(name, entry.get("shape"))
    if raw is not None:
        return from_bytes(name, datatype, shape, raw)
    return from_json(name, datatype, shape, entry.get("data"))
