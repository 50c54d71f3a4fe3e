"""Every item gets its own answer or one typed error, whatever happens around it."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from common.serving.batcher import (
    BatcherClosedError,
    DeadlineExceededError,
    MicroBatcher,
    ModelCrashError,
    QueueFullError,
)
from common.telemetry import Telemetry
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.anyio


class Gate:
    """A model that runs when it is let, and remembers its batches; a negative item is bad."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.is_open = threading.Event()
        self.has_begun = threading.Event()
        self.is_open.set()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.has_begun.set()
        self.is_open.wait(20)
        self.batches.append(list(items))
        if any(item < 0 for item in items):
            raise ValueError(f"bad among {list(items)}")
        return [item * 10 for item in items]

    async def close_and_occupy(self, batcher: MicroBatcher[int, int]) -> asyncio.Task[int]:
        """Keep the model busy with item 0 until `is_open` is set."""
        self.is_open.clear()
        busy = asyncio.create_task(batcher.submit(0))
        await asyncio.to_thread(self.has_begun.wait, 20)
        return busy


@pytest.fixture
def gate() -> Gate:
    return Gate()


async def test_a_lone_item_is_run_at_once_and_alone(gate: Gate) -> None:
    async with MicroBatcher(gate) as batcher:
        assert [await batcher.submit(k) for k in (1, 2)] == [10, 20]
    assert gate.batches == [[1], [2]]


async def test_what_arrives_while_the_model_runs_is_the_next_batch(gate: Gate) -> None:
    async with MicroBatcher(gate, max_batch=3) as batcher:
        busy = await gate.close_and_occupy(batcher)
        waiting = [asyncio.create_task(batcher.submit(k)) for k in (1, 2, 3, 4)]
        await asyncio.sleep(0)
        gate.is_open.set()
        assert await asyncio.gather(busy, *waiting) == [0, 10, 20, 30, 40]
    assert gate.batches == [[0], [1, 2, 3], [4]]


async def test_a_bad_item_fails_alone(gate: Gate) -> None:
    async with MicroBatcher(gate) as batcher:
        busy = await gate.close_and_occupy(batcher)
        waiting = [asyncio.create_task(batcher.submit(k)) for k in (1, -2, 3)]
        await asyncio.sleep(0)
        gate.is_open.set()
        await busy
        found = await asyncio.gather(*waiting, return_exceptions=True)
    assert found[0] == 10
    assert isinstance(found[1], ValueError)
    assert found[2] == 30


async def test_a_full_queue_refuses_and_says_when_to_come_back(gate: Gate) -> None:
    telemetry = Telemetry("test")
    async with MicroBatcher(gate, max_queue=2, name="m", telemetry=telemetry) as batcher:
        busy = await gate.close_and_occupy(batcher)
        waiting = [asyncio.create_task(batcher.submit(k)) for k in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError) as refused:
            await batcher.submit(3)
        assert int(refused.value.headers["Retry-After"]) >= 1
        gate.is_open.set()
        assert await asyncio.gather(busy, *waiting) == [0, 10, 20]
    assert b'batch_refused_total{batcher="m"} 1.0' in telemetry.exposition()


async def test_an_item_past_its_deadline_is_not_run(gate: Gate) -> None:
    async with MicroBatcher(gate) as batcher:
        busy = await gate.close_and_occupy(batcher)
        late = asyncio.create_task(batcher.submit(1, deadline_s=0.0))
        fine = asyncio.create_task(batcher.submit(2, deadline_s=60))
        await asyncio.sleep(0.01)
        gate.is_open.set()
        assert await fine == 20
        with pytest.raises(DeadlineExceededError):
            await late
        await busy
    assert gate.batches == [[0], [2]]


async def test_a_deadline_is_kept_while_the_model_still_runs(gate: Gate) -> None:
    async with MicroBatcher(gate) as batcher:
        busy = await gate.close_and_occupy(batcher)
        with pytest.raises(DeadlineExceededError, match=r"the model was busy for 0\.0"):
            await batcher.submit(1, deadline_s=0.01)
        assert not busy.done()
        gate.is_open.set()
        await busy


async def test_one_bad_item_among_many_costs_few_calls(gate: Gate) -> None:
    async with MicroBatcher(gate, max_batch=64) as batcher:
        busy = await gate.close_and_occupy(batcher)
        items = [-1 if k == 13 else k for k in range(64)]
        waiting = [asyncio.create_task(batcher.submit(item)) for item in items]
        await asyncio.sleep(0)
        gate.is_open.set()
        await busy
        found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [k for k, answer in enumerate(found) if isinstance(answer, ValueError)] == [13]
    assert len(gate.batches) - 1 <= 2 * 6 + 1  # 64 items, halved six times


@pytest.mark.parametrize("crash", [StopIteration("x"), SystemExit(3)])
async def test_a_crash_of_the_model_is_told_to_its_caller_and_ends_nothing(
    crash: BaseException,
) -> None:
    def run(items: Sequence[int]) -> list[int]:
        if items[0] < 0:
            raise crash
        return list(items)

    async with MicroBatcher(run) as batcher:
        with pytest.raises(ModelCrashError, match=type(crash).__name__):
            await batcher.submit(-1)
        assert await batcher.submit(1) == 1


async def test_a_stop_that_is_cancelled_refuses_what_still_waits(gate: Gate) -> None:
    batcher = await MicroBatcher(gate).__aenter__()
    busy = await gate.close_and_occupy(batcher)
    waiting = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(batcher.__aexit__(None, None, None), 0.05)
    with pytest.raises(BatcherClosedError):
        await waiting
    gate.is_open.set()
    assert await busy == 0
    assert gate.batches == [[0]]


async def test_what_the_caller_abandoned_is_not_run(gate: Gate) -> None:
    async with MicroBatcher(gate) as batcher:
        busy = await gate.close_and_occupy(batcher)
        left = asyncio.create_task(batcher.submit(1))
        stays = asyncio.create_task(batcher.submit(2))
        await asyncio.sleep(0)
        left.cancel()
        gate.is_open.set()
        assert await stays == 20
        await busy
    assert gate.batches == [[0], [2]]


async def test_weights_count_against_the_batch_and_a_heavy_item_runs_alone(gate: Gate) -> None:
    async with MicroBatcher(gate, max_batch=4) as batcher:
        busy = await gate.close_and_occupy(batcher)
        waiting = [
            asyncio.create_task(batcher.submit(k, weight=w)) for k, w in ((1, 3), (2, 2), (3, 9))
        ]
        await asyncio.sleep(0)
        gate.is_open.set()
        await asyncio.gather(busy, *waiting)
    assert gate.batches == [[0], [1], [2], [3]]


async def test_closing_finishes_what_was_asked_and_takes_no_more(gate: Gate) -> None:
    batcher = MicroBatcher(gate)
    async with batcher:
        busy = await gate.close_and_occupy(batcher)
        waiting = asyncio.create_task(batcher.submit(1))
        await asyncio.sleep(0)
        gate.is_open.set()
    assert await asyncio.gather(busy, waiting) == [0, 10]
    with pytest.raises(BatcherClosedError):
        await batcher.submit(2)


async def test_a_model_that_loses_answers_is_found_out() -> None:
    async with MicroBatcher[int, int](lambda items: list(items)[:-1]) as batcher:
        with pytest.raises(ValueError, match="0 answers came out"):
            await batcher.submit(1)


PLANS = st.lists(
    st.tuples(
        st.integers(-3, 30),  # the item; negative is bad
        st.sampled_from(["stay", "leave", "late"]),
        st.integers(1, 3),  # weight
        st.integers(0, 2),  # turns of the loop before it
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(plan=PLANS, max_batch=st.integers(1, 6), max_queue=st.integers(1, 12))
def test_every_item_gets_its_own_answer_or_one_typed_error(plan, max_batch, max_queue) -> None:
    async def scenario() -> None:
        gate = Gate()
        async with MicroBatcher(gate, max_batch=max_batch, max_queue=max_queue) as batcher:
            tasks = []
            for item, fate, weight, n_turns in plan:
                deadline_s = 0.0 if fate == "late" else None
                call = batcher.submit(item, weight=weight, deadline_s=deadline_s)
                tasks.append((item, fate, asyncio.create_task(call)))
                for _ in range(n_turns):
                    await asyncio.sleep(0)
                assert batcher._queued_weight <= max(max_queue, 3)
                if fate == "leave":
                    tasks[-1][2].cancel()
            found = await asyncio.gather(*(t for _, _, t in tasks), return_exceptions=True)
        for (item, fate, _), answer in zip(tasks, found, strict=True):
            allowed: tuple[type[BaseException], ...] = (QueueFullError,)
            allowed += (ValueError,) if item < 0 else ()
            allowed += (asyncio.CancelledError,) if fate == "leave" else ()
            allowed += (DeadlineExceededError,) if fate == "late" else ()
            assert isinstance(answer, allowed) or (item >= 0 and answer == item * 10)

    asyncio.run(scenario())
