"""The reader in ONNX Runtime: passages in windows beside their question; spans out.

`ports.Reader` says what it does. A passage longer than a window is read in several that overlap;
the window with the likeliest span speaks for it. A span stays in one place (`places.py`): what
crosses reads as no answer. Read first: `spans.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from common.models.weights import WeightsError
from pydantic import BaseModel, ValidationError

from p3_rag_chatbot.embedding.graph_cache import load_graph
from p3_rag_chatbot.embedding.graph_form import ANSWERABLE, END, START, GraphForm
from p3_rag_chatbot.embedding.minilm import find_minilm
from p3_rag_chatbot.embedding.tokens import Window, WordPieces
from p3_rag_chatbot.embedding.unpadded import Outputs, UnpaddedModel
from p3_rag_chatbot.ports import Reading
from p3_rag_chatbot.reading.places import Places, places
from p3_rag_chatbot.reading.spans import Calibration, Floats, Span, best_span
from p3_rag_chatbot.reading.trust import Trust
from p3_rag_chatbot.settings import Settings

Fitted = TypeVar("Fitted", bound=BaseModel)
MAX_WINDOW_TOKENS = 384
OVERLAP_TOKENS = 96
MAX_QUESTION_TOKENS = 64
ELSEWHERE = np.float32(20)
"""What a span's score loses in a place that is not to answer."""
CALIBRATION_FILE, TRUST_FILE = "calibration.json", "trust.json"


@dataclass(frozen=True)
class _Read:
    """A window's outcome; `start` and `end` are characters of the passage."""

    start: int
    end: int
    span: Span
    answerable: float


class OnnxReader:
    """Reads with one session; safe to call from several threads."""

    def __init__(
        self,
        model: UnpaddedModel,
        words: WordPieces,
        calibration: Calibration,
        name: str,
        trust: Trust = Trust(),  # noqa: B008 - frozen
    ) -> None:
        self.name, self.trust = name, trust
        self._model, self._words, self._calibration = model, words, calibration

    @classmethod
    def of(cls, settings: Settings, adapter: Path) -> Self:
        """Load the reader whose adapter lies in a folder; raises `WeightsError`."""
        files = find_minilm(settings.data_dir, settings.embedder_weights)
        form = GraphForm("spans", settings.reader_precision, is_padded=False)
        graph = load_graph(files, form, settings.data_dir, adapter=adapter)
        own = settings.data_dir / TRUST_FILE
        return cls(
            UnpaddedModel(graph, settings.n_threads),
            WordPieces.load(files.tokenizer),
            _read(Calibration, adapter / CALIBRATION_FILE),
            f"reader-{settings.reader_precision}",
            _read(Trust, own if own.is_file() else adapter / TRUST_FILE),
        )

    def close(self) -> None:
        """Let the threads end."""
        self._model.close()

    def read(self, pairs: Sequence[tuple[str, str]]) -> list[Reading]:
        """Read each (question, passage) pair."""
        calibration = self._calibration
        found: list[Reading] = []
        for reads in self._read(pairs):
            best = max(reads, key=lambda one: one.span.difference + one.answerable)
            p = calibration.p_answerable(best.span.difference, best.answerable)
            found.append(Reading(best.start, best.end, p, best.span.log_probability))
        return found

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Say of each (claim, passage) pair how probably the passage supports the claim."""
        return [
            self._calibration.p_support(max(one.answerable for one in reads))
            for reads in self._read(pairs)
        ]

    def _read(self, pairs: Sequence[tuple[str, str]]) -> list[list[_Read]]:
        windows = [
            (at, window)
            for at, (question, passage) in enumerate(pairs)
            for window in self._words.windows(
                question, passage, max_tokens=MAX_WINDOW_TOKENS, overlap=OVERLAP_TOKENS,
                max_question=MAX_QUESTION_TOKENS,
            )
        ]  # fmt: skip
        reads: list[list[_Read]] = [[] for _ in pairs]
        told = [places(question, passage) for question, passage in pairs]

        def keep(rows: Sequence[int], outputs: Outputs) -> None:
            for row, start, end, answerable in zip(
                rows, outputs[START], outputs[END], outputs[ANSWERABLE], strict=True
            ):
                at, window = windows[row]
                reads[at].append(_placed(window, told[at], start, end, float(answerable)))

        self._model.run(
            [np.asarray(one.ids, dtype=np.int64) for _, one in windows],
            keep,
            type_ids=[np.asarray(one.type_ids, dtype=np.int64) for _, one in windows],
        )
        return reads


def _placed(window: Window, told: Places, start: Floats, end: Floats, answerable: float) -> _Read:
    """Put the likeliest span where one may be."""
    n = len(window.ids) - 1  # without the last [SEP]
    if not window.offsets:
        return _Read(0, 0, Span(0, 0, -1e4, 0.0), answerable)
    place = np.zeros(n, dtype=np.int64)  # 0 is the question's
    firsts = [first for first, _ in window.offsets]
    place[window.first :] = np.searchsorted(told.starts, firsts, side="right")
    lost = np.where(np.concatenate([[True], told.may_answer])[place], np.float32(0), ELSEWHERE)
    span = best_span(start[:n] - lost, end[:n], places=place)
    last = len(window.offsets) - 1
    first_word, last_word = (
        min(max(token - window.first, 0), last) for token in (span.first, span.last)
    )
    return _Read(window.offsets[first_word][0], window.offsets[last_word][1], span, answerable)


def _read(kind: type[Fitted], path: Path) -> Fitted:
    """Read fitted numbers that lie beside the adapter."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        raise WeightsError(f"{path} does not fit this reader: {error}") from error
