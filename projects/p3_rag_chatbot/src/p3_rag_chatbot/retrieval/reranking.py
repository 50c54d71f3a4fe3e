"""What orders found passages anew: the reader, or a cross-encoder that the settings name.

A cross-encoder reads question and passage together and says one number (Nogueira and Cho 2019,
arXiv:1901.04085). Its files lie as sentence-transformers exports them: `tokenizer.json` beside
`model.onnx`, or that in a folder `onnx`. Neither torch nor that library is needed.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common.models.weights import WeightsError
from common.serving import OnnxModel
from common.serving.onnx import ModelFileError
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from p3_rag_chatbot.embedding.graph_form import INPUT_IDS, MASK, TYPE_IDS
from p3_rag_chatbot.ports import Reader
from p3_rag_chatbot.retrieval.search import Reranker
from p3_rag_chatbot.settings import Settings

NONE, READER = "none", "reader"
MODEL_FILES = ("onnx/model.onnx", "model.onnx")
TOKENIZER_FILE = "tokenizer.json"
MAX_TOKENS = 512
PAIRS_AT_ONCE = 8
_PADS = ("[PAD]", "<pad>")


def open_reranker(settings: Settings, reader: Reader) -> Reranker | None:
    """Return what the settings name; raises `WeightsError` for a cross-encoder that is none."""
    if settings.reranker == NONE:
        return None
    if settings.reranker == READER:
        return ReaderReranker(reader)
    return OnnxCrossEncoder.load(Path(settings.reranker), n_threads=settings.n_threads)


class ReaderReranker:
    """Scores a passage by how probably the reader finds the answer in it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def score(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """Score each passage, 0..1."""
        read = self._reader.read([(question, passage) for passage in passages])
        return [one.p_answerable for one in read]


class OnnxCrossEncoder:
    """Scores with one session; safe to call from several threads."""

    def __init__(self, model: OnnxModel, tokenizer: Tokenizer) -> None:
        self._model, self._tokenizer = model, tokenizer
        tokenizer.no_padding()
        own = (tokenizer.truncation or {}).get("max_length", MAX_TOKENS)
        tokenizer.enable_truncation(min(own, MAX_TOKENS))
        tokenizer.encode_special_tokens = True  # what spells one in a document is data
        self._pad = next((n for one in _PADS if (n := tokenizer.token_to_id(one)) is not None), 0)
        self._inputs = {spec.name for spec in model.inputs}

    @classmethod
    def load(cls, path: Path, *, n_threads: int = 1) -> "OnnxCrossEncoder":
        """Load a folder or an ONNX file, and try it; raises `WeightsError`."""
        file, tokenizer = _files(path)
        try:
            found = cls(
                OnnxModel.load(file, n_threads=n_threads),
                Tokenizer.from_buffer(tokenizer.read_bytes()),
            )
        except (ModelFileError, OSError, ValueError) as error:
            raise _wrong(path, str(error)) from error
        found.check(path)
        return found

    def check(self, path: Path) -> None:
        """Raise `WeightsError` where the graph does not say one number of a pair."""
        if not self._inputs <= {INPUT_IDS, MASK, TYPE_IDS}:
            raise _wrong(path, f"its graph takes {', '.join(sorted(self._inputs))}")
        try:
            (out,) = self._run(self._encoded("question", ["a passage", "another"])).values()
        except Exception as error:
            reason = str(error).splitlines()[0][:200]
            raise _wrong(path, f"its graph fails on two pairs: {reason}") from error
        if out.shape not in {(2, 1), (2,)} or not np.isfinite(out).all():
            raise _wrong(path, f"of two pairs its graph says {out.shape}, not one number each")

    def score(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """Score each passage: the graph's logit, pairs of like length side by side."""
        pairs = self._encoded(question, passages)
        order = sorted(range(len(pairs)), key=lambda k: len(pairs[k].ids))
        scores = np.zeros(len(pairs), dtype=np.float32)
        for start in range(0, len(order), PAIRS_AT_ONCE):
            some = order[start : start + PAIRS_AT_ONCE]
            (out,) = self._run([pairs[k] for k in some]).values()
            scores[some] = out.reshape(len(some))
        return scores.tolist()

    def _encoded(self, question: str, passages: Sequence[str]) -> list[Encoding]:
        return self._tokenizer.encode_batch([(question, passage) for passage in passages])

    def _run(self, pairs: Sequence[Encoding]) -> dict[str, NDArray[np.float32]]:
        width = max(len(one.ids) for one in pairs)
        laid = {
            INPUT_IDS: _laid([one.ids for one in pairs], width, self._pad),
            TYPE_IDS: _laid([one.type_ids for one in pairs], width, 0),
            MASK: _laid([one.attention_mask for one in pairs], width, 0),
        }
        return self._model.run_unchecked({name: laid[name] for name in self._inputs})


def _laid(rows: Sequence[Sequence[int]], width: int, filling: int) -> NDArray[np.int64]:
    laid = np.full((len(rows), width), filling, dtype=np.int64)
    for at, row in enumerate(rows):
        laid[at, : len(row)] = row
    return laid


def _files(path: Path) -> tuple[Path, Path]:
    """Return the graph and the tokenizer, which may lie in the folder above."""
    names = [path] if path.is_file() else [path / name for name in MODEL_FILES]
    graph = next((one for one in names if one.is_file()), None)
    if graph is None:
        raise _wrong(path, f"there is no {' nor '.join(MODEL_FILES)}")
    above = (graph.parent, graph.parent.parent)
    found = (one / TOKENIZER_FILE for one in above if (one / TOKENIZER_FILE).is_file())
    tokenizer = next(found, None)
    if tokenizer is None:
        raise _wrong(path, f"there is no {TOKENIZER_FILE} beside its graph, nor above")
    return graph, tokenizer


def _wrong(path: Path, reason: str) -> WeightsError:
    return WeightsError(
        f"P3_RERANKER={path} is no cross-encoder: {reason}; accepted: none, reader, or the folder "
        "or file of one in ONNX"
    )
