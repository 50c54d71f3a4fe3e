"""Where in a passage an answer may stand: in one sentence, or in one value of a table's row.

A row names its columns ("variable: P3_PORT; default: 0"), which answer nothing. Where the question
names something as code (`identifiers.py`), only what speaks of that is to answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from p3_rag_chatbot.reading.identifiers import identifiers, speaks_of
from p3_rag_chatbot.sentences import row_values, sentence_starts


@dataclass(frozen=True)
class Places:
    """`starts` (P,): the characters at which a passage's places begin; `may_answer` (P,)."""

    starts: NDArray[np.int64]
    may_answer: NDArray[np.bool_]


def places(question: str, passage: str) -> Places:
    """Return where in a passage the question's answer may stand."""
    names = identifiers(question)
    starts = sentence_starts(passage)
    texts = [passage[a:b] for a, b in zip(starts, [*starts[1:], len(passage)], strict=True)]
    found: list[tuple[int, bool]] = []
    for start, text, is_meant in zip(starts, texts, _meant(texts, names), strict=True):
        values = row_values(text)
        found.append((start, is_meant and not values))
        for begin, end in values:
            found += [(start + begin, is_meant), (start + end, False)]
    return Places(
        np.array([start for start, _ in found]), np.array([may for _, may in found], dtype=bool)
    )


def _meant(sentences: Sequence[str], names: frozenset[str]) -> list[bool]:
    """Say which sentences speak of a name; all of them where none does.

    The sentence behind may go on about it ("It is 30 s"); the row behind a row does not.
    """
    held = [speaks_of(text, names) for text in sentences]
    if not any(held):
        return [True] * len(sentences)
    goes_on = [False, *(not text.endswith("\n") for text in sentences[:-1])]
    before = [False, *held[:-1]]
    return [now or (last and on) for now, last, on in zip(held, before, goes_on, strict=True)]
