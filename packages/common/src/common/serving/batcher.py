"""An adaptive micro-batcher: batches form while the model is busy, never by waiting.

A lone request runs at once. What arrives while a batch runs queues up and is the next batch, so
the batch size follows the load by itself and no delay has to be chosen (compare the fixed
`max_queue_delay` of Triton or the adaptive window of Clipper, Crankshaw et al., NSDI 2017,
section 4.3). The queue is bounded, each item may have a deadline, and what the caller abandoned is
dropped before it is run. Knows no HTTP and no model. Read next: `batching_metrics.py`.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from time import perf_counter
from types import TracebackType
from typing import Generic, Self, TypeVar

from common.errors import DomainError
from common.serving.batching_metrics import BatchMetrics, RunTimes
from common.telemetry import Telemetry

Item = TypeVar("Item")
Answer = TypeVar("Answer")

INLINE_BELOW_S = 0.001
"""A batch whose size was measured to run shorter than this is run on the event loop: two hops
between threads cost more than they free. Any other goes to the batcher's own thread."""


class QueueFullError(DomainError):
    """The queue is full; `retry_after_s` is when, by measured throughput, it should not be."""

    def __init__(self, n_queued: int, retry_after_s: float) -> None:
        self.n_queued, self.retry_after_s = n_queued, retry_after_s
        self.headers = {"Retry-After": str(max(1, math.ceil(retry_after_s)))}
        super().__init__(
            f"{n_queued} items wait for the model already; try again in {retry_after_s:.1f} s"
        )


class DeadlineExceededError(DomainError):
    """The item's deadline passed before the model could run it."""

    def __init__(self, waited_s: float) -> None:
        self.waited_s = waited_s
        super().__init__(f"the model was busy for {waited_s:.2f} s, longer than the deadline")


class BatcherClosedError(DomainError):
    """The batcher is not running."""


class ModelCrashError(RuntimeError):
    """The model ended in something that is no ordinary exception, such as a native panic."""


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Item, Answer]):
    item: Item
    weight: int
    future: asyncio.Future[Answer]
    queued_at: float
    give_up_at: float = math.inf
    timer: asyncio.TimerHandle | None = None


@dataclass(frozen=True, slots=True)
class _Ran(Generic[Answer]):
    """How one call of the model ended."""

    answers: Sequence[Answer] = ()
    error: Exception | None = None
    seconds: float = 0.0


@dataclass(slots=True, eq=False)
class _Batch(Generic[Item, Answer]):
    entries: list[_Waiting[Item, Answer]] = field(default_factory=list)
    weight: int = 0


class MicroBatcher(Generic[Item, Answer]):
    """Groups concurrent `submit` calls into calls of `run`; an async context manager.

    `run` takes at most `max_batch` units of weight in one list (an item heavier than that runs
    alone) and returns one answer an item, in order; it is never called twice at a time. When it
    raises for several items they are run again by halves, so that a bad item fails alone: at most
    2n - 1 calls for n items, about 2·log2(n) when one of them is bad. `max_queue` bounds the weight
    that waits; an item heavier than that may wait when nothing else does.
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
        self._queue: OrderedDict[_Waiting[Item, Answer], None] = OrderedDict()
        self._queued_weight = 0
        self._halves: list[list[_Waiting[Item, Answer]]] = []
        self._times = RunTimes()
        self._is_open = False
        self._is_busy = False  # a batch runs, or `_next` is due; never idle while something waits
        # Whether the batch before held several: then the first of a turn waits for the turn's end,
        # so that it shares a batch with the others that the same turn brings.
        self._has_company = False
        self._drained: asyncio.Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"batch-{name}")
        self._metrics = BatchMetrics(name, telemetry) if telemetry else None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._context: Context = copy_context()  # a batch belongs to no one caller's trace
        self._is_open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish what was asked; when cancelled meanwhile, refuse what still waits."""
        self._is_open = False
        try:
            if self._is_busy:
                self._drained = self._loop.create_future()
                await self._drained
        finally:
            self._halves.clear()
            for waiting in list(self._queue):
                self._leave(waiting, BatcherClosedError("the model was stopped"))
            self._thread.shutdown(wait=False)

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
        if not self._is_busy:
            self._is_busy = True
            self._loop.call_soon(self._next, context=self._context)
            if not self._has_company and self._times.of(weight) < INLINE_BELOW_S:
                return self._run_lone(item, weight)
        waiting = self._enqueue(item, weight, deadline_s)
        try:
            return await waiting.future
        except asyncio.CancelledError:
            self._leave(waiting)
            raise

    def _run_lone(self, item: Item, weight: int) -> Answer:
        """Answer now; whoever asks before the loop's next turn is in the batch after this one."""
        ran = self._timed([item])
        if ran.error is not None:
            raise ran.error
        self._measure(weight, ran.seconds, wait_s=0.0)
        return ran.answers[0]

    def _enqueue(self, item: Item, weight: int, deadline_s: float | None) -> _Waiting[Item, Answer]:
        if self._queued_weight and self._queued_weight + weight > self._max_queue:
            if self._metrics:
                self._metrics.refused.inc()
            retry_after_s = max(self._times.per_unit_s * self._queued_weight, 0.05)
            raise QueueFullError(len(self._queue), retry_after_s)
        now = self._loop.time()
        waiting: _Waiting[Item, Answer] = _Waiting(item, weight, self._loop.create_future(), now)
        if deadline_s is not None:
            waiting.give_up_at = now + deadline_s
            waiting.timer = self._loop.call_at(waiting.give_up_at, self._give_up, waiting)
        self._queue[waiting] = None
        self._queued_weight += weight
        if self._metrics:
            self._metrics.queued.inc(weight)
        return waiting

    def _give_up(self, waiting: _Waiting[Item, Answer]) -> None:
        self._leave(waiting, DeadlineExceededError(self._loop.time() - waiting.queued_at))

    def _leave(self, waiting: _Waiting[Item, Answer], error: Exception | None = None) -> None:
        """Take an item out of the queue unrun; nothing happens when it is not there any more."""
        if waiting not in self._queue:
            return
        del self._queue[waiting]
        self._left_queue(waiting.weight)
        if waiting.timer is not None:
            waiting.timer.cancel()
        if error is not None and not waiting.future.done():
            waiting.future.set_exception(error)
        if self._metrics:
            self._metrics.dropped.inc()

    def _left_queue(self, weight: int) -> None:
        self._queued_weight -= weight
        if self._metrics:
            self._metrics.queued.dec(weight)

    def _next(self) -> None:
        """Run what waits, or be idle. Called by the loop, when nothing runs."""
        batch = self._take()
        if not batch.entries:
            self._is_busy = False
            if self._drained is not None and not self._drained.done():
                self._drained.set_result(None)
            return
        self._has_company = len(batch.entries) > 1
        items = [waiting.item for waiting in batch.entries]
        if self._times.of(batch.weight) < INLINE_BELOW_S:
            self._finish(batch, self._timed(items))
            return
        running = self._loop.run_in_executor(self._thread, self._timed, items)
        running.add_done_callback(
            lambda done: self._finish(batch, done.result()), context=self._context
        )

    def _take(self) -> _Batch[Item, Answer]:
        while self._halves:
            stayed = [waiting for waiting in self._halves.pop() if not waiting.future.done()]
            if stayed:
                return _Batch(stayed, sum(waiting.weight for waiting in stayed))
        batch: _Batch[Item, Answer] = _Batch()
        now = self._loop.time()
        while self._queue:
            first = next(iter(self._queue))
            if first.future.done():  # cancelled, but its caller has not had its turn yet
                self._leave(first)
            elif now > first.give_up_at:
                self._give_up(first)
            elif batch.entries and batch.weight + first.weight > self._max_batch:
                break
            else:
                self._queue.popitem(last=False)
                if first.timer is not None:
                    first.timer.cancel()
                batch.entries.append(first)
                batch.weight += first.weight
        self._left_queue(batch.weight)
        return batch

    def _timed(self, items: Sequence[Item]) -> _Ran[Answer]:
        """Call the model; whatever it raises belongs to the callers and ends nothing here."""
        started = perf_counter()
        try:
            answers = self._run(items)
            if len(answers) != len(items):
                raise ValueError(f"{len(items)} items went in, {len(answers)} answers came out")
        except StopIteration as error:  # a future refuses to carry it
            return _Ran(error=ModelCrashError(f"the model raised {error!r}"))
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the callers
            return _Ran(error=error)
        except BaseException as error:  # noqa: BLE001 - a panic in native code must not hang callers
            return _Ran(error=ModelCrashError(f"the model raised {error!r}"))
        return _Ran(answers, seconds=perf_counter() - started)

    def _finish(self, batch: _Batch[Item, Answer], ran: _Ran[Answer]) -> None:
        entries = batch.entries
        if ran.error is None:
            wait_s = self._loop.time() - entries[0].queued_at - ran.seconds
            self._measure(batch.weight, ran.seconds, max(wait_s, 0.0))
            for waiting, answer in zip(entries, ran.answers, strict=True):
                if not waiting.future.done():
                    waiting.future.set_result(answer)
        elif len(entries) > 1:
            middle = len(entries) // 2
            self._halves += [entries[middle:], entries[:middle]]
        elif not entries[0].future.done():
            entries[0].future.set_exception(ran.error)
        # The callers first: what they ask next joins the next batch.
        self._loop.call_soon(self._next, context=self._context)

    def _measure(self, weight: int, seconds: float, wait_s: float) -> None:
        self._times.learn(weight, seconds)
        if self._metrics:
            self._metrics.observe(weight, seconds, wait_s)
