import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p3_rag_chatbot.reading.spans import Calibration, best_span

logits = st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=24)


@given(logits, st.randoms(use_true_random=False), st.integers(1, 6))
def test_the_best_span_is_the_one_that_trying_all_finds(start, chance, width) -> None:
    end = [chance.uniform(-20, 20) for _ in start]
    first, second = np.float32(start), np.float32(end)
    found = best_span(first, second, width)
    scores = [
        float(first[a] + second[b])
        for a in range(1, len(start))
        for b in range(a, min(a + width, len(start)))
    ]
    assert found.first >= 1
    assert 0 <= found.last - found.first < width
    assert float(first[found.first] + second[found.last]) == pytest.approx(max(scores), abs=1e-4)
    assert found.log_probability <= 0


@given(logits, st.randoms(use_true_random=False), st.integers(1, 6))
def test_the_best_span_in_a_sentence_is_the_one_that_trying_all_in_one_finds(
    start, chance, width
) -> None:
    first = np.float32(start)
    second = np.float32([chance.uniform(-20, 20) for _ in start])
    sentences = np.cumsum([chance.randrange(2) for _ in start])
    found = best_span(first, second, width, places=sentences)
    scores = [
        float(first[a] + second[b])
        for a in range(1, len(start))
        for b in range(a, min(a + width, len(start)))
        if sentences[a] == sentences[b]
    ]
    assert sentences[found.first] == sentences[found.last]
    assert float(first[found.first] + second[found.last]) == pytest.approx(max(scores), abs=1e-4)


def test_a_span_that_beats_no_answer_is_believed_and_one_that_does_not_is_not() -> None:
    start, end = np.float32([0, 8, 0, 0]), np.float32([0, 0, 8, 0])
    sure = best_span(start, end)
    assert (sure.first, sure.last) == (1, 2)
    start[0] = end[0] = 12
    calibration = Calibration()
    assert calibration.p_answerable(sure.difference, 2.0) > 0.9
    assert calibration.p_answerable(best_span(start, end).difference, -2.0) < 0.1
