"""How many threads to work with: all, or one where others are busy on this machine.

A small batch that waits for a thread which is not running takes many times as long as without it.
"""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import pairwise

import torch

from p2_nn_service.debugging.practice import practise
from p2_nn_service.debugging.subject import Subject

N_TIMED = 1
"""Beside a first step, which is slower; more would take seconds where threads wait."""


@contextmanager
def fastest_threads(
    subject: Subject, clock: Callable[[], float] = time.perf_counter
) -> Generator[int]:
    """Work with as many threads as take the subject's steps fastest; yields how many."""
    most = torch.get_num_threads()
    try:
        pace = {n: _pace(subject, n, clock) for n in dict.fromkeys((1, most))}
        chosen = min(pace, key=pace.__getitem__) if len(pace) > 1 else most
        torch.set_num_threads(chosen)
        yield chosen
    finally:
        torch.set_num_threads(most)


def _pace(subject: Subject, n_threads: int, clock: Callable[[], float]) -> float:
    """Return the time of the quickest of the steps that are timed."""
    torch.set_num_threads(n_threads)
    steps = practise(subject.fresh(), subject, subject.batches(), range(1 + N_TIMED))
    times = [clock() for _ in steps]
    return min((b - a for a, b in pairwise(times)), default=0.0)
