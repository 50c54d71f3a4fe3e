"""Two sketches tell how much their texts share."""

import random

import numpy as np
import pytest
from p3_rag_chatbot.library.sketches import SHINGLE_WORDS, resemblance, sketch


def as_row(text: str) -> np.ndarray:
    return np.frombuffer(sketch(text), dtype=np.uint8)


def shared(one: list[str], other: list[str]) -> float:
    """The Jaccard similarity itself."""
    first, second = (
        {tuple(words[k : k + SHINGLE_WORDS]) for k in range(len(words) - SHINGLE_WORDS + 1)}
        for words in (one, other)
    )
    return len(first & second) / len(first | second)


def test_the_estimate_is_the_similarity_within_its_error() -> None:
    draw = random.Random(3)
    off = []
    for k in range(60):
        one = [f"w{draw.randrange(10_000)}" for _ in range(120)]
        other = [*one[: 2 * k], *(f"v{draw.randrange(10_000)}" for _ in range(120 - 2 * k))]
        (estimate,) = resemblance(as_row(" ".join(one)), as_row(" ".join(other))[None])
        off.append(estimate - shared(one, other))
    assert abs(np.mean(off)) < 0.015
    assert np.std(off) < 0.045
    assert np.abs(off).max() < 0.15


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("The cat sat, on the mat!", "the CAT sat on the mat", 1.0),
        ("one two", "one two", 1.0),
        ("one two", "two one", 0.0),
        ("", "", 1.0),
    ],
)
def test_case_and_punctuation_do_not_count_and_order_does(
    one: str, other: str, alike: float
) -> None:
    assert resemblance(as_row(one), as_row(other)[None]) == pytest.approx([alike], abs=0.05)
