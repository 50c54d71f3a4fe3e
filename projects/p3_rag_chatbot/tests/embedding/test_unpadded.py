"""Batches hold texts of one length; every text is run once, on any number of threads."""

import threading

import numpy as np
import pytest
from common.serving import OnnxModel
from hypothesis import given
from hypothesis import strategies as st
from p3_rag_chatbot.embedding.unpadded import TOKENS_PER_BATCH, UnpaddedModel, batches_of_one_length


@given(lengths=st.lists(st.integers(2, 600), max_size=200))
def test_batches_hold_every_text_once_by_equal_length(lengths: list[int]) -> None:
    batches = batches_of_one_length(lengths)
    assert sorted(row for rows in batches for row in rows) == list(range(len(lengths)))
    for rows in batches:
        assert len({lengths[row] for row in rows}) == 1
        assert len(rows) == 1 or len(rows) * lengths[rows[0]] <= TOKENS_PER_BATCH


class Counting(OnnxModel):
    """Answers with the sum of each row; refuses tokens below 0."""

    def __init__(self) -> None:
        """Has no session."""

    def run_unchecked(self, inputs):
        ids = inputs["input_ids"]
        if ids.min() < 0:
            raise ValueError("a token below 0")
        return {"sum": ids.sum(axis=1), "types": inputs["token_type_ids"].sum(axis=1)}


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_every_text_gets_its_own_outputs(n_threads: int) -> None:
    chance = np.random.default_rng(0)
    ids = [chance.integers(0, 1000, n) for n in chance.integers(2, 300, 120)]
    types = [one % 2 for one in ids]
    sums, of_types = np.zeros(len(ids)), np.zeros(len(ids))

    def take(rows, outputs) -> None:
        sums[rows], of_types[rows] = outputs["sum"], outputs["types"]

    model = UnpaddedModel(Counting(), n_threads)
    model.run(ids, take, type_ids=types)
    model.close()
    np.testing.assert_array_equal(sums, [one.sum() for one in ids])
    np.testing.assert_array_equal(of_types, [one.sum() for one in types])


def test_calls_at_once_do_not_mix_and_none_waits_for_the_other_to_end() -> None:
    model = UnpaddedModel(Counting(), 2)
    is_held, may_go_on = threading.Event(), threading.Event()

    def hold(rows, outputs) -> None:
        is_held.set()
        may_go_on.wait(30)

    long = threading.Thread(
        target=model.run, args=([np.ones(n, np.int64) for n in range(2, 9)], hold)
    )
    long.start()
    assert is_held.wait(30)
    seen = []
    model.run(
        [np.full(4, 7), np.full(5, 7), np.full(6, 7)], lambda rows, outputs: seen.extend(rows)
    )
    assert sorted(seen) == [0, 1, 2]
    may_go_on.set()
    long.join()
    model.close()


def test_a_failure_in_any_thread_reaches_the_caller() -> None:
    model = UnpaddedModel(Counting(), 2)
    bad = [np.full(n, -1) for n in range(2, 30)]
    with pytest.raises(ValueError, match="below 0"):
        model.run(bad, lambda rows, outputs: None)
    model.close()
