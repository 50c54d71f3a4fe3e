"""Weights made anew: the numbers stay, the file is whole or not there."""

from pathlib import Path

import numpy as np
import pytest
from common.models.weights import find_weights
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
from gguf.quants import dequantize, quantize
from p3_rag_chatbot.errors import WeightsError
from p3_rag_chatbot.generating.generator_weights import SMOLLM2, generator_weights
from p3_rag_chatbot.generating.requantising import requantised
from p3_rag_chatbot.settings import Settings

SHAPE = (40, 64)


def small_model(path: Path) -> np.ndarray:
    """Write a GGUF file with one slow tensor and two others; return the numbers of the slow one."""
    numbers = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    slow = quantize(numbers, GGMLQuantizationType.Q4_1)
    writer = GGUFWriter(path, "llama")
    writer.add_string("general.name", "small")
    writer.add_file_type(3)
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    writer.add_tensor("norm", np.ones(7, np.float32))
    writer.add_tensor("slow", slow, raw_dtype=GGMLQuantizationType.Q4_1)
    writer.add_tensor("half", np.ones(SHAPE, np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return dequantize(slow, GGMLQuantizationType.Q4_1)


def test_slow_tensors_change_their_kind_and_keep_their_numbers(tmp_path: Path) -> None:
    numbers = small_model(tmp_path / "small.gguf")
    made = GGUFReader(requantised(tmp_path / "small.gguf", tmp_path / "made", "abc"))
    assert made.fields["general.name"].contents() == "small"
    assert made.fields["general.file_type"].contents() == 7
    assert made.fields["tokenizer.ggml.tokens"].contents() == ["a", "b"]
    kinds = {tensor.name: tensor.tensor_type.name for tensor in made.tensors}
    assert kinds == {"norm": "F32", "slow": "Q8_0", "half": "F16"}
    by_name = {tensor.name: tensor for tensor in made.tensors}
    again = dequantize(by_name["slow"].data, GGMLQuantizationType.Q8_0)
    np.testing.assert_allclose(again, numbers, atol=np.abs(numbers).max() / 127)
    np.testing.assert_array_equal(by_name["half"].data, np.ones(SHAPE))


def test_it_is_made_once_for_the_same_content(tmp_path: Path) -> None:
    small_model(tmp_path / "small.gguf")
    first = requantised(tmp_path / "small.gguf", tmp_path / "made", "abc")
    born = first.stat().st_mtime_ns
    again = requantised(tmp_path / "small.gguf", tmp_path / "made", "abc")
    assert (again, again.stat().st_mtime_ns) == (first, born)
    assert requantised(tmp_path / "small.gguf", tmp_path / "made", "other") != first


def test_what_is_no_model_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "small.gguf").write_bytes(b"GGUF and then nothing of the kind")
    with pytest.raises(WeightsError, match="is not a GGUF file"):
        requantised(tmp_path / "small.gguf", tmp_path / "made", "abc")
    assert list((tmp_path / "made").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    small_model(tmp_path / "small.gguf")
    (tmp_path / "made").write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match="cannot be prepared"):
        requantised(tmp_path / "small.gguf", tmp_path / "made", "abc")


def test_the_published_weights_are_those_of_the_package_and_one_s_own_are_left_alone(
    data_dir: Path, tmp_path: Path
) -> None:
    (published,) = find_weights(SMOLLM2, tmp_path)
    assert generator_weights(Settings(data_dir=data_dir)).name.endswith("-q8_0.gguf")
    assert generator_weights(Settings(generator_weights=published)) == published
