"""A cross-encoder from a folder, held against the same network written in NumPy."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from common.models.weights import WeightsError
from onnx import TensorProto, helper, numpy_helper
from p3_rag_chatbot.fakes import FakeReader
from p3_rag_chatbot.retrieval.reranking import OnnxCrossEncoder, ReaderReranker, open_reranker
from p3_rag_chatbot.settings import Settings
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

WORDS = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "rent", "is", "due", "monthly", "notice", "three")
QUESTION = "rent due"
PASSAGES = [
    "notice three monthly notice three is due rent",
    "rent",
    "[SEP] rent is due monthly",
    "three notice",
    *(f"{'rent ' * k} is due" for k in range(1, 12)),
]
N_DIMS = 8
RANDOM = np.random.default_rng(5)
WEIGHTS = {
    name: RANDOM.normal(size=shape, scale=0.5).astype(np.float32)
    for name, shape in {
        "words": (len(WORDS), N_DIMS), "types": (2, N_DIMS), "q": (N_DIMS, N_DIMS),
        "k": (N_DIMS, N_DIMS), "head": (N_DIMS, 1),
    }.items()
}  # fmt: skip


def tokenizer() -> Tokenizer:
    made = Tokenizer(WordLevel({word: k for k, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.add_special_tokens(["[PAD]", "[CLS]", "[SEP]"])
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )  # fmt: skip
    return made


def graph(outputs: int = 1) -> onnx.ModelProto:
    """One layer of attention, whose first token decides: padding counts unless it is masked."""
    weights = WEIGHTS | {"head": np.repeat(WEIGHTS["head"], outputs, axis=1)}
    constants = {
        "one": np.float32(1), "far": np.float32(-1e9), "axis": np.array([1]), "zero": np.array(0)
    }  # fmt: skip
    steps = (
        ("Gather", ["words", "input_ids"], "a"), ("Gather", ["types", "token_type_ids"], "b"),
        ("Add", ["a", "b"], "x"), ("MatMul", ["x", "q"], "xq"), ("MatMul", ["x", "k"], "xk"),
        ("Transpose", ["xk"], "xkt"), ("MatMul", ["xq", "xkt"], "all"),
        ("Cast", ["attention_mask"], "seen"), ("Sub", ["one", "seen"], "unseen"),
        ("Mul", ["unseen", "far"], "less"), ("Unsqueeze", ["less", "axis"], "wide"),
        ("Add", ["all", "wide"], "masked"), ("Softmax", ["masked"], "share"),
        ("MatMul", ["share", "x"], "mixed"), ("Gather", ["mixed", "zero"], "first"),
        ("MatMul", ["first", "head"], "logits"),
    )  # fmt: skip
    more = {
        "xkt": {"perm": [0, 2, 1]}, "seen": {"to": TensorProto.FLOAT}, "share": {"axis": -1},
        "first": {"axis": 1},
    }  # fmt: skip
    nodes = [helper.make_node(kind, given, [to], **more.get(to, {})) for kind, given, to in steps]
    names = ("input_ids", "attention_mask", "token_type_ids")
    made = helper.make_graph(
        nodes, "cross",
        [helper.make_tensor_value_info(one, TensorProto.INT64, ["n", "t"]) for one in names],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(np.asarray(w), name) for name, w in (weights | constants).items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(made, opset_imports=opsets, ir_version=9)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "onnx").mkdir()
    onnx.save(graph(), tmp_path / "onnx/model.onnx")
    tokenizer().save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def expected(passages: Sequence[str]) -> list[float]:
    """The same, a pair at a time, without padding; what spells a special token is no such."""
    known = {word: k for k, word in enumerate(WORDS)}
    scores = []
    for passage in passages:
        asked, read = (
            [known.get(one, 3) for one in text.replace("[SEP]", "[ SEP ]").split()]
            for text in (QUESTION, passage)
        )
        ids, types = [1, *asked, 2, *read, 2], [0] * (len(asked) + 2) + [1] * (len(read) + 1)
        x = WEIGHTS["words"][ids] + WEIGHTS["types"][types]
        weights = np.exp(x[0] @ WEIGHTS["q"] @ (x @ WEIGHTS["k"]).T)
        scores.append(float((weights / weights.sum() @ x @ WEIGHTS["head"])[0]))
    return scores


@pytest.mark.parametrize("named", ["", "onnx/model.onnx"])
def test_pairs_of_all_lengths_are_scored_as_each_alone(folder: Path, named: str) -> None:
    reranker = open_reranker(Settings(reranker=str(folder / named)), FakeReader())
    assert isinstance(reranker, OnnxCrossEncoder)
    scores = reranker.score(QUESTION, PASSAGES)
    assert scores == pytest.approx(expected(PASSAGES), abs=1e-4)
    assert len(set(np.round(scores, 4))) > 10, "the network tells passages apart"


def test_a_pair_of_any_length_is_cut_to_what_the_model_takes(folder: Path) -> None:
    long = OnnxCrossEncoder.load(folder).score("rent " * 5_000, ["due " * 5_000, "three"])
    assert np.isfinite(long).all()


def test_what_is_no_cross_encoder_is_refused_with_what_is_accepted(folder: Path) -> None:
    for reason, spoil in {
        "2 pairs|two pairs": lambda: onnx.save(graph(2), folder / "onnx/model.onnx"),
        "model.onnx": lambda: (folder / "onnx/model.onnx").write_bytes(b"none"),
        "no tokenizer.json": (folder / "tokenizer.json").unlink,
        "no onnx/model.onnx nor": (folder / "onnx/model.onnx").unlink,
    }.items():
        spoil()
        with pytest.raises(WeightsError, match=f"({reason}).*accepted: none, reader, or") as told:
            OnnxCrossEncoder.load(folder)
        assert str(told.value).startswith(f"P3_RERANKER={folder} is no cross-encoder: ")


def test_the_reader_orders_by_how_probably_it_finds_the_answer() -> None:
    assert open_reranker(Settings(), FakeReader()) is None
    reranker = open_reranker(Settings(reranker="reader"), FakeReader())
    assert isinstance(reranker, ReaderReranker)
    less, more = reranker.score("when is the rent due", ["a dog barks", "the rent is due monthly"])
    assert less < more
