"""Runs texts of any lengths through a graph without padding: those of one length side by side.

Nothing is computed for tokens that are not there, and attention needs no mask, which makes it twice
as fast. Threads take batches one by one, each computing alone: no thread waits for another at every
operator. Many may run at once; a call of one batch waits for nobody.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from common.serving import OnnxModel
from numpy.typing import NDArray

from p3_rag_chatbot.embedding.graph_form import INPUT_IDS, TYPE_IDS

Ids = NDArray[np.int64]
Outputs = dict[str, NDArray[np.float32]]
Take = Callable[[Sequence[int], Outputs], None]
TOKENS_PER_BATCH = 512
"""So few that what a layer makes stays in the processor's cache."""


class UnpaddedModel:
    """A graph that is not padded, and the threads that run it."""

    def __init__(self, model: OnnxModel, n_threads: int) -> None:
        self._model = model
        self._n_threads = n_threads
        self._helpers = ThreadPoolExecutor(max(n_threads - 1, 1), thread_name_prefix="encode")

    def run(self, ids: Sequence[Ids], take: Take, *, type_ids: Sequence[Ids] | None = None) -> None:
        """Run every text; `take` gets batches as they are done: which texts, and their outputs.

        It is called from several threads, each text once.
        """
        waiting = deque(batches_of_one_length([len(one) for one in ids]))

        def work() -> None:
            while True:
                try:
                    rows = waiting.popleft()
                except IndexError:
                    return
                taken = np.stack([ids[k] for k in rows])
                types = np.stack([type_ids[k] for k in rows]) if type_ids else np.zeros_like(taken)
                take(rows, self._model.run_unchecked({INPUT_IDS: taken, TYPE_IDS: types}))

        n_helpers = min(self._n_threads, len(waiting)) - 1
        helpers = [self._helpers.submit(work) for _ in range(n_helpers)]
        try:
            work()
        finally:
            waiting.clear()
            for helper in helpers:  # one that has not begun is busy with another call
                if not helper.cancel():
                    helper.result()

    def close(self) -> None:
        """Let the threads end."""
        self._helpers.shutdown()


def batches_of_one_length(lengths: Sequence[int]) -> list[list[int]]:
    """Group texts of equal length, the longest first, within the tokens of a batch."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for row, length in enumerate(lengths):
        by_length[length].append(row)
    found: list[list[int]] = []
    for length in sorted(by_length, reverse=True):
        rows, size = by_length[length], max(TOKENS_PER_BATCH // length, 1)
        found += [rows[at : at + size] for at in range(0, len(rows), size)]
    return found
