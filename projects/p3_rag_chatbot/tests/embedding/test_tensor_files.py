"""Safetensors are read whole, or refused with what is wrong."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from common.models.weights import WeightsError
from p3_rag_chatbot.embedding.tensor_files import read_tensors
from safetensors.torch import save_file


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_every_floating_point_type_is_read_as_float32(dtype: torch.dtype, tmp_path: Path) -> None:
    tensor = torch.linspace(-3, 3, 12).reshape(3, 4).to(dtype)
    save_file({"a": tensor, "b": torch.arange(3)}, tmp_path / "x.safetensors")
    found = read_tensors(tmp_path / "x.safetensors")
    assert set(found) == {"a"}
    assert found["a"].dtype == np.float32
    np.testing.assert_array_equal(found["a"], tensor.float().numpy())


def content(header: object, numbers: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


ONE = {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}
SPOILT = {
    "empty": (b"", "not a safetensors file"),
    "a picture": (b"\x89PNG" * 20, "not a safetensors file"),
    "cut in its header": (content(ONE)[:30], "not a safetensors file"),
    "header no JSON": (content(b"{not json"), "header is damaged"),
    "header a list": (content([1]), "header is damaged"),
    "deep header": (content(b"[" * 100_000), "header is damaged"),
    "negative place": (content({"a": ONE["a"] | {"data_offsets": [-4, 12]}}), "header is damaged"),
    "cut in its numbers": (content(ONE, bytes(9)), "is cut off: a should end at byte"),
    "backwards": (content({"a": ONE["a"] | {"data_offsets": [16, 0]}}, bytes(16)), "is cut off"),
    "too few numbers": (
        content({"a": ONE["a"] | {"data_offsets": [0, 15]}}, bytes(16)),
        "does not fill its shape",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_damaged_file_is_named_with_what_is_wrong(case: str, tmp_path: Path) -> None:
    spoilt, said = SPOILT[case]
    path = tmp_path / "model.safetensors"
    path.write_bytes(spoilt)
    with pytest.raises(WeightsError, match=said) as caught:
        read_tensors(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.safetensors cannot be read: No such file"):
        read_tensors(tmp_path / "gone.safetensors")
