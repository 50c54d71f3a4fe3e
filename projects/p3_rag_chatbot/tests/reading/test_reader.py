"""Where the reader places a span in a passage, with a network that says what it is told."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from p3_rag_chatbot.embedding.graph_form import ANSWERABLE, END, START
from p3_rag_chatbot.embedding.minilm import find_minilm
from p3_rag_chatbot.embedding.tokens import WordPieces
from p3_rag_chatbot.embedding.unpadded import Ids, Take, UnpaddedModel
from p3_rag_chatbot.reading.reader import OnnxReader
from p3_rag_chatbot.reading.spans import Calibration

Favours = Mapping[tuple[int, str], float]
ROWS = (
    "variable: P3_A; what it sets: the status, 500.\n"
    "variable: P3_B; what it sets: seconds of patience."
)
SENTENCES = "It ended in 1842. Plague remained a danger in the U.S. Army until the nineties."


class Told(UnpaddedModel):
    """Favours tokens, by their text, as starts and ends of a span."""

    def __init__(self, words: WordPieces, starts: Favours, ends: Favours) -> None:
        self._words, self._starts, self._ends = words, starts, ends

    def run(self, ids: Sequence[Ids], take: Take, *, type_ids: Sequence[Ids] | None = None) -> None:
        for row, tokens in enumerate(ids):
            take([row], {
                START: self._logits(tokens, self._starts)[None],
                END: self._logits(tokens, self._ends)[None],
                ANSWERABLE: np.zeros(1, dtype=np.float32),
            })  # fmt: skip

    def _logits(self, tokens: Ids, favours: Favours) -> np.ndarray:
        logits = np.full(len(tokens), -20, dtype=np.float32)
        for (nth, text), favour in favours.items():
            wanted = self._words.pieces(text)[0].id
            logits[np.flatnonzero(tokens == wanted)[nth]] = favour
        return logits


@pytest.mark.parametrize(
    ("passage", "starts", "ends", "answer"),
    [
        (ROWS, {(0, "500"): 9}, {(1, "variable"): 9, (0, "500"): 5}, "500"),
        (SENTENCES, {(0, "1842"): 9}, {(0, "danger"): 9, (0, "1842"): 5}, "1842"),
        (SENTENCES, {(0, "u"): 9}, {(0, "army"): 9}, "U.S. Army"),
    ],
)
def test_an_answer_stays_in_one_sentence_or_row(
    tmp_path: Path, passage: str, starts: Favours, ends: Favours, answer: str
) -> None:
    words = WordPieces.load(find_minilm(tmp_path, None).tokenizer)
    reader = OnnxReader(Told(words, starts, ends), words, Calibration(), "told")
    (found,) = reader.read([("what?", passage)])
    assert passage[found.start : found.end] == answer


@pytest.mark.parametrize(
    ("question", "answer"),
    [("what does P3_B set?", "patience"), ("what is set?", "500"), ("P3_C?", "500")],
)
def test_a_name_written_as_code_binds_the_answer_to_its_row(
    tmp_path: Path, question: str, answer: str
) -> None:
    words = WordPieces.load(find_minilm(tmp_path, None).tokenizer)
    favours = {(0, "500"): 9, (0, "patience"): 4}
    reader = OnnxReader(Told(words, favours, favours), words, Calibration(), "told")
    (found,) = reader.read([(question, ROWS)])
    assert ROWS[found.start : found.end] == answer
