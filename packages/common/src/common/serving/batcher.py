"""An adaptive micro-batcher: batches form while the model is busy, never by waiting.

A lone request runs at once. What arrives while a batch runs queues up and is the next batch, so
the batch size follows the load by itself and no delay has to be chosen (compare the fixed
`max_queue_delay` of Triton or the adaptive window of Clipper, Crankshaw et al., NSDI 2017,
section 4.3). The queue is bounded, each item may have a deadline, and what the caller abandoned is
dropped before it is run. Knows no HTTP and no model.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from types import TracebackType
from typing import Generic, Self, TypeVar

from common.errors import DomainError
from common.telemetry import BATCH_BUCKETS, Telemetry

Item = TypeVar("Item")
Answer = TypeVar("Answer")

INLINE_BELOW_S = 0.001
"""A batch that is expected to run shorter is run on the event loop: two hops between threads cost
more than they free. A longer one goes to the batcher's own thread."""

SMOOTHING = 0.2
"""Weight of the newest measurement in the running mean of seconds per unit of weight."""


class QueueFullError(DomainError):
    """The queue is full; `retry_after_s` is when, by measured throughput, it should not be."""

    def __init__(self, n_queued: int, retry_after_s: float) -> None:
        self.n_queued, self.retry_after_s = n_queued, retry_after_s
        self.headers = {"Retry-After": str(max(1, round(retry_after_s)))}
        super().__init__(
            f"{n_queued} items wait for the model already; try again in {retry_after_s:.1f} s"
        )


class DeadlineExceededError(DomainError):
    """The item's deadline passed before the model could run it."""


class BatcherClosedError(DomainError):
    """The batcher is not running."""


@dataclass(slots=True)
class _Waiting(Generic[Item, Answer]):
    item: Item
    weight: int
    future: asyncio.Future[Answer]
    queued_at: float
    give_up_at: float | None


class MicroBatcher(Generic[Item, Answer]):
    """Groups concurrent `submit` calls into calls of `run`; an async context manager.

    `run` takes at most `max_batch` units of weight in one list (an item heavier than that runs
    alone) and returns one answer an item, in order. When it raises, the items are run again one by
    one, so that a bad item fails alone. `max_queue` bounds the weight that waits.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Sequence[Answer]],
        *,
        max_batch: int = 64,
        max_queue: int = 1024,
        name: str = "model",
        telemetry: Telemetry | None = None,
    ) -> None:
        self._run = run
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._queue: deque[_Waiting[Item, Answer]] = deque()
        self._queued_weight = 0
        self._seconds_per_unit = 0.0
        self._is_open = False
        self._worker: asyncio.Task[None] | None = None
        self._wakeup = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"batch-{name}")
        self._metrics = _Metrics(name, telemetry) if telemetry else None

    async def __aenter__(self) -> Self:
        self._is_open = True
        self._worker = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        self._wakeup.set()
        if self._worker is not None:
            await self._worker
        self._thread.shutdown()

    async def submit(
        self, item: Item, *, weight: int = 1, deadline_s: float | None = None
    ) -> Answer:
        """Return the model's answer to `item`.

        `weight` is how much of a batch it takes (its rows); `deadline_s` is how long it may wait
        to be run, in seconds. Raises `QueueFullError`, `DeadlineExceededError`,
        `BatcherClosedError`, or what `run` raised for this item.
        """
        if not self._is_open:
            raise BatcherClosedError("the model is not running")
        is_idle = not self._queue and not self._is_busy
        if is_idle and self._is_short(weight):
            return self._run_lone(item, weight)
        if self._queued_weight and self._queued_weight + weight > self._max_queue:
            if self._metrics:
                self._metrics.refused.inc()
            raise QueueFullError(len(self._queue), self._drain_s())
        loop = asyncio.get_running_loop()
        now = loop.time()
        give_up_at = None if deadline_s is None else now + deadline_s
        waiting = _Waiting(item, weight, loop.create_future(), now, give_up_at)
        self._queue.append(waiting)
        self._queued_weight += weight
        self._wakeup.set()
        return await waiting.future

    _is_busy = False

    def _is_short(self, weight: int) -> bool:
        """Whether so much work was measured to be short enough for the event loop."""
        return 0 < self._seconds_per_unit * weight < INLINE_BELOW_S

    def _drain_s(self) -> float:
        return max(self._seconds_per_unit * self._queued_weight, 0.05)

    def _run_lone(self, item: Item, weight: int) -> Answer:
        started = perf_counter()
        answer = self._run([item])[0]
        self._measure(weight, perf_counter() - started, wait_s=0.0)
        return answer

    async def _work(self) -> None:
        while self._is_open or self._queue:
            batch = self._next_batch()
            if not batch:
                self._wakeup.clear()
                if self._is_open and not self._queue:
                    await self._wakeup.wait()
                continue
            self._is_busy = True
            try:
                await self._run_batch(batch)
            finally:
                self._is_busy = False

    def _next_batch(self) -> list[_Waiting[Item, Answer]]:
        now = asyncio.get_running_loop().time()
        batch: list[_Waiting[Item, Answer]] = []
        weight = 0
        while self._queue:
            first = self._queue[0]
            if batch and weight + first.weight > self._max_batch:
                break
            self._queue.popleft()
            self._queued_weight -= first.weight
            if first.future.done():  # the caller left
                self._count_dropped()
            elif first.give_up_at is not None and now > first.give_up_at:
                waited_s = now - first.queued_at
                message = f"the model was busy for {waited_s:.2f} s, longer than the deadline"
                first.future.set_exception(DeadlineExceededError(message))
                self._count_dropped()
            else:
                batch.append(first)
                weight += first.weight
        return batch

    async def _run_batch(self, batch: list[_Waiting[Item, Answer]]) -> None:
        loop = asyncio.get_running_loop()
        weight = sum(waiting.weight for waiting in batch)
        wait_s = loop.time() - batch[0].queued_at
        items = [waiting.item for waiting in batch]
        started = perf_counter()
        try:
            answers = await self._call(items, weight)
            if len(answers) != len(items):
                raise ValueError(f"{len(items)} items went in, {len(answers)} answers came out")
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the callers
            await self._run_singly(batch, error)
            return
        self._measure(weight, perf_counter() - started, wait_s)
        for waiting, answer in zip(batch, answers, strict=True):
            if not waiting.future.done():
                waiting.future.set_result(answer)
        await asyncio.sleep(0)  # the callers first: what they ask next joins the next batch

    async def _call(self, items: Sequence[Item], weight: int) -> Sequence[Answer]:
        if self._is_short(weight):
            return self._run(items)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, items)

    async def _run_singly(self, batch: list[_Waiting[Item, Answer]], error: Exception) -> None:
        for waiting in batch:
            if waiting.future.done():
                continue
            failure: Exception = error
            if len(batch) > 1:
                try:
                    answer = (await self._call([waiting.item], waiting.weight))[0]
                except Exception as own:  # noqa: BLE001 - this caller's own
                    failure = own
                else:
                    if not waiting.future.done():
                        waiting.future.set_result(answer)
                    continue
            if not waiting.future.done():
                waiting.future.set_exception(failure)

    def _measure(self, weight: int, seconds: float, wait_s: float) -> None:
        per_unit = seconds / max(weight, 1)
        known = self._seconds_per_unit
        self._seconds_per_unit = known + SMOOTHING * (per_unit - known) if known else per_unit
        if self._metrics:
            self._metrics.batch_size.observe(weight)
            self._metrics.run_s.observe(seconds)
            self._metrics.wait_s.observe(wait_s)

    def _count_dropped(self) -> None:
        if self._metrics:
            self._metrics.dropped.inc()


class _Metrics:
    """The batcher's numbers for Prometheus, labelled by its name."""

    def __init__(self, name: str, telemetry: Telemetry) -> None:
        label = ("batcher",)
        self.batch_size = telemetry.histogram(
            "batch_size", "Rows in one call of the model.", BATCH_BUCKETS, label
        ).labels(name)
        self.run_s = telemetry.histogram(
            "batch_run_seconds", "Time of one call of the model.", labels=label
        ).labels(name)
        self.wait_s = telemetry.histogram(
            "batch_wait_seconds", "Time the first item of a batch waited.", labels=label
        ).labels(name)
        self.refused = telemetry.counter(
            "batch_refused_total", "Items refused because the queue was full.", label
        ).labels(name)
        self.dropped = telemetry.counter(
            "batch_dropped_total", "Items dropped: abandoned or past their deadline.", label
        ).labels(name)
