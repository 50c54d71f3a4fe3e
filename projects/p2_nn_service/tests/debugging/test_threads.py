from collections.abc import Callable

import pytest
import torch
from p2_nn_service.debugging.subject import Subject
from p2_nn_service.debugging.threads import fastest_threads


@pytest.mark.parametrize(("fast", "n_threads"), [(1, 1), (2, 2)])
def test_the_number_of_threads_that_is_faster_is_worked_with_and_then_set_back(
    make_subject: Callable[..., Subject], fast: int, n_threads: int
) -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 1.0 if torch.get_num_threads() == fast else 2.0
        return now

    torch.set_num_threads(2)
    with fastest_threads(make_subject(), clock) as chosen:
        assert chosen == torch.get_num_threads() == n_threads
    assert torch.get_num_threads() == 2
