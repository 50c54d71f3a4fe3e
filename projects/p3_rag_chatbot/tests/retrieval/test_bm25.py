"""BM25 gives the formula's scores, however its segments came to be."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p3_rag_chatbot.retrieval.bm25 import K1, B, count_terms, merge_postings, score
from p3_rag_chatbot.retrieval.terms import terms

CHUNKS = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=12), min_size=1, max_size=12)
QUERY = st.dictionaries(st.sampled_from("abcdefgh"), st.just(1.0), min_size=1, max_size=4)


def by_the_formula(query: dict[str, float], chunks: list[list[str]]) -> list[float]:
    mean = sum(map(len, chunks)) / len(chunks)
    scores = [0.0] * len(chunks)
    for term in query:
        n = sum(term in chunk for chunk in chunks)
        idf = math.log(1 + (len(chunks) - n + 0.5) / (n + 0.5))
        for k, chunk in enumerate(chunks):
            if tf := Counter(chunk)[term]:
                scores[k] += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * len(chunk) / mean))
    return scores


@given(CHUNKS, QUERY)
def test_scores_are_those_of_the_formula(chunks: list[list[str]], query: dict[str, float]) -> None:
    (found,) = score(query, [(count_terms(chunks), np.ones(len(chunks), dtype=bool))])
    assert found == pytest.approx(by_the_formula(query, chunks), abs=1e-4)


@given(CHUNKS, CHUNKS, QUERY, st.data())
def test_segments_with_removed_rows_score_as_one_index_of_what_is_left(
    one: list[list[str]], other: list[list[str]], query: dict[str, float], data: st.DataObject
) -> None:
    chunks = [*one, *other]
    alive = data.draw(st.lists(st.booleans(), min_size=len(chunks), max_size=len(chunks)))
    left = [chunk for chunk, is_alive in zip(chunks, alive, strict=True) if is_alive]
    parts = [
        (count_terms(one), np.array(alive[: len(one)], dtype=bool)),
        (count_terms(other), np.array(alive[len(one) :], dtype=bool)),
    ]
    apart = np.concatenate(score(query, parts))
    expected = by_the_formula(query, left) if left else []
    assert apart[np.array(alive, dtype=bool)] == pytest.approx(expected, abs=1e-4)
    assert not apart[~np.array(alive, dtype=bool)].any()
    (merged,) = score(query, [(merge_postings(parts), np.ones(len(left), dtype=bool))])
    assert merged == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Connections were CONNECTED.", ["connect", "connect"]),
        ("naïve Café", ["naiv", "cafe"]),
        ("read_file's path", ["read", "file", "path"]),
        ("東京大学", ["東京", "京大", "大学"]),
        ("中 GPU卡x", ["中", "gpu", "卡", "x"]),
        ("это был", ["это", "был"]),
        ("the of and", []),
        ("", []),
    ],
)
def test_terms_are_stems_without_case_accents_and_stop_words(
    text: str, expected: list[str]
) -> None:
    assert terms(text) == expected
