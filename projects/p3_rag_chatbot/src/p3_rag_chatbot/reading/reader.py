"""The reader in ONNX Runtime: windows of passages in batches sorted by length; spans out.

`ports.Reader` says what it does. A passage longer than a window is read in several that overlap;
the window with the likeliest span speaks for it.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from common.serving.onnx import OnnxModel

from p3_rag_chatbot.embedding.graph import SPANS
from p3_rag_chatbot.embedding.tokens import Window, WordPieces
from p3_rag_chatbot.ports import Reading
from p3_rag_chatbot.reading.spans import Calibration, Floats, Span, best_span

MAX_WINDOW_TOKENS = 384
OVERLAP_TOKENS = 96
MAX_QUESTION_TOKENS = 64
MAX_BATCH_TOKENS = 2_048
"""Padding included: beyond it a batch is no quicker, and its memory grows."""


@dataclass(frozen=True)
class _Read:
    """A window's outcome; `start` and `end` are characters of the passage."""

    start: int
    end: int
    span: Span
    answerable: float


class OnnxReader:
    """Reads with one session; calls from several threads take turns."""

    def __init__(
        self, model: OnnxModel, words: WordPieces, calibration: Calibration, name: str
    ) -> None:
        self.name = name
        self._model, self._words, self._calibration = model, words, calibration
        self._lock = threading.Lock()

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
        windows.sort(key=lambda one: len(one[1].ids))
        reads: list[list[_Read]] = [[] for _ in pairs]
        for batch in _batches(windows):
            for (at, _), read in zip(batch, self._run([one for _, one in batch]), strict=True):
                reads[at].append(read)
        return reads

    def _run(self, windows: Sequence[Window]) -> list[_Read]:
        longest = max(len(one.ids) for one in windows)
        ids, mask, types = (np.zeros((len(windows), longest), dtype=np.int64) for _ in range(3))
        for row, one in enumerate(windows):
            ids[row, : len(one.ids)] = one.ids
            mask[row, : len(one.ids)] = 1
            types[row, : len(one.ids)] = one.type_ids
        with self._lock:
            outputs = self._model.run_unchecked(
                {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
            )
        start, end, answerable = (outputs[name] for name in SPANS)
        return [
            _placed(one, start[row], end[row], float(answerable[row]))
            for row, one in enumerate(windows)
        ]


def _placed(window: Window, start: Floats, end: Floats, answerable: float) -> _Read:
    n = len(window.ids) - 1  # without the last [SEP]
    if not window.offsets:
        return _Read(0, 0, Span(0, 0, -1e4, 0.0), answerable)
    span = best_span(start[:n], end[:n])
    last = len(window.offsets) - 1
    first_word, last_word = (
        min(max(token - window.first, 0), last) for token in (span.first, span.last)
    )
    return _Read(window.offsets[first_word][0], window.offsets[last_word][1], span, answerable)


def _batches(windows: Sequence[tuple[int, Window]]) -> list[list[tuple[int, Window]]]:
    """Cut windows, sorted by length, into batches of at most so many tokens."""
    batches: list[list[tuple[int, Window]]] = []
    for one in windows:
        if batches and (len(batches[-1]) + 1) * len(one[1].ids) <= MAX_BATCH_TOKENS:
            batches[-1].append(one)
        else:
            batches.append([one])
    return batches
