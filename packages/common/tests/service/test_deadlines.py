"""Limits minded by one timer: they pass, are moved, and leave other cancellations alone."""

import asyncio
import math

import pytest
from common.service.deadlines import Deadlines

pytestmark = pytest.mark.anyio
LONG_S = 60.0


async def test_a_limit_that_passes_is_a_timeout() -> None:
    with pytest.raises(TimeoutError), Deadlines().within(0.01) as deadline:
        await asyncio.sleep(LONG_S)
    assert deadline.has_passed


async def test_each_of_many_has_its_own_limit() -> None:
    deadlines = Deadlines()

    async def work(limit_s: float) -> str:
        try:
            with deadlines.within(limit_s):
                await never.wait()
        except TimeoutError:
            never.set()
            return "late"
        return "in time"

    never = asyncio.Event()
    assert await asyncio.gather(work(LONG_S), work(0.01), work(LONG_S)) == [
        "in time",
        "late",
        "in time",
    ]


async def test_without_a_limit_from_now_on_nothing_passes() -> None:
    deadlines = Deadlines()
    with deadlines.within(0.03) as deadline:
        deadline.allow(math.inf)
        # A later one passes meanwhile, so the first would have been looked at.
        with pytest.raises(TimeoutError), deadlines.within(0.1):
            await asyncio.sleep(LONG_S)
    assert not deadline.has_passed


async def test_whoever_else_cancels_is_obeyed() -> None:
    entered = asyncio.Event()

    async def work() -> None:
        with Deadlines().within(LONG_S):
            entered.set()
            await asyncio.sleep(LONG_S)

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_it_serves_a_second_event_loop_after_the_first_ended() -> None:
    deadlines = Deadlines()

    async def wait() -> None:
        with pytest.raises(TimeoutError), deadlines.within(0.01):
            await asyncio.sleep(LONG_S)

    for _ in range(2):
        asyncio.run(wait())
