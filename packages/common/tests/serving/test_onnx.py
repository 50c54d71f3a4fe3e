from pathlib import Path

import numpy as np
import pytest
from common.serving.inference import InputError, TensorSpec
from common.serving.onnx import ModelFileError, OnnxModel

X = np.ones((3, 2), dtype=np.float32)
WORDS = np.array([["a"], ["b"], ["ü"]], dtype=object)


def test_a_model_describes_itself_and_runs(model_path: Path) -> None:
    model = OnnxModel.load(model_path)
    assert model.inputs == (TensorSpec("x", "FP32", (-1, 2)), TensorSpec("word", "BYTES", (-1, 1)))
    outputs = model.run({"x": X, "word": WORDS})
    assert outputs["doubled"].tolist() == [[2.0, 2.0]] * 3
    assert outputs["named"].tolist() == WORDS.tolist()


@pytest.mark.parametrize(
    ("inputs", "tensor", "words"),
    [
        ({"x": X}, "word", "missing"),
        ({"x": X, "word": WORDS, "z": X}, "z", "no such input"),
        ({"x": X.astype(np.float64), "word": WORDS}, "x", "FP64"),
        ({"x": X[:, :1], "word": WORDS}, "x", r"\[3, 1\]"),
        ({"x": X[0], "word": WORDS}, "x", r"\[2\]"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(
    model_path: Path, inputs: dict[str, np.ndarray], tensor: str, words: str
) -> None:
    with pytest.raises(InputError, match=words) as refused:
        OnnxModel.load(model_path).run(inputs)
    assert refused.value.tensor == tensor


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "truncated", "pickle"])
def test_a_file_that_is_no_model_is_refused_by_name(
    model_path: Path, tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "bad.onnx"
    content = {
        "empty": b"",
        "text": b"hello",
        "truncated": model_path.read_bytes()[:-40],
        "pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    }
    if damage != "missing":
        path.write_bytes(content[damage])
    with pytest.raises(ModelFileError, match=r"bad\.onnx"):
        OnnxModel.load(path)
