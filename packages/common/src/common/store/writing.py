"""Inserts off the hot path: a bounded queue, batches in a worker thread.

The caller never waits for the database. When the queue is full the row is refused, counted and
logged (once until it has caught up): an answer matters more than its log line. A database that is
away is tried again, and rows keep their order; a row that the database will not have (a constraint,
a wrong type) is dropped, counted and logged, and holds up no other. `flush` returns when everything
taken before it is committed; what it acknowledged survives kill -9.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import sqlalchemy as sa
import structlog

from common.store.opening import Store, StoreError
from common.telemetry import Telemetry

log = structlog.get_logger()

Row = Mapping[str, object]
RETRY_S = 1.0


class BackgroundInserts:
    """Inserts rows into one table in the background; an async context manager.

    `max_rows` bounds what waits, `batch_rows` one transaction. `n_refused` counts the rows that
    `put` refused, `n_dropped` those it took that could not be stored.
    """

    def __init__(
        self,
        store: Store,
        table: sa.Table,
        *,
        max_rows: int = 10_000,
        batch_rows: int = 500,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._store = store
        self._table = table
        self._max_rows = max_rows
        self._batch_rows = batch_rows
        self._waiting: deque[Row] = deque()
        self._n_taken = 0
        self._n_settled = 0
        self._flushes: deque[tuple[int, int, asyncio.Future[None]]] = deque()
        self._is_behind = False
        self._is_closing = False
        self._wakeup = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.n_refused = 0
        self.n_dropped = 0
        self._lost = (
            telemetry.counter(
                "store_rows_lost_total", "Rows not stored, by why.", ("table", "reason")
            )
            if telemetry
            else None
        )

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_closing = True
        self._wakeup.set()
        if self._task is not None:
            await self._task

    def put(self, row: Row) -> bool:
        """Take a row to be stored, or say that it was refused; never waits."""
        if self._is_closing or self._n_taken - self._n_settled >= self._max_rows:
            self.n_refused += 1
            self._count("queue full", 1)
            if not self._is_behind:
                self._is_behind = True
                log.warning("store_behind", table=self._table.name, n_waiting=len(self._waiting))
            return False
        self._waiting.append(row)
        self._n_taken += 1
        self._wakeup.set()
        return True

    async def flush(self) -> None:
        """Wait until every row taken so far is committed; raise if one of them was dropped.

        Rows taken meanwhile do not prolong the wait.
        """
        if self._n_settled == self._n_taken:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushes.append((self._n_taken, self.n_dropped, done))
        await done

    def not_ready(self) -> str | None:
        """Why rows are being refused; None while they are not."""
        if self._is_behind:
            return f"rows of {self._table.name} are not being stored fast enough"
        return None

    async def _work(self) -> None:
        while self._waiting or not self._is_closing:
            if not self._waiting:
                self._wakeup.clear()
                await self._wakeup.wait()
                continue
            n_rows = min(len(self._waiting), self._batch_rows)
            await self._write([self._waiting.popleft() for _ in range(n_rows)])

    async def _write(self, batch: list[Row]) -> None:
        """Store a batch; keep it while the database is away, split it to find a bad row."""
        try:
            await asyncio.to_thread(self._insert, batch)
        except StoreError as error:
            if error.is_transient and not self._is_closing:
                await self._wait_to_retry(batch, error)
                return
            if not error.is_transient and len(batch) > 1:
                middle = len(batch) // 2
                await self._write(batch[:middle])
                await self._write(batch[middle:])
                return
            self.n_dropped += len(batch)
            self._count("failed", len(batch))
            log.error(  # noqa: TRY400 - the reason says it; a traceback would show the row
                "rows_not_stored", table=self._table.name, reason=str(error), n_rows=len(batch)
            )
        self._settle(len(batch))

    async def _wait_to_retry(self, batch: list[Row], error: StoreError) -> None:
        log.warning("store_failed", table=self._table.name, reason=str(error), n_rows=len(batch))
        self._waiting.extendleft(reversed(batch))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing(), RETRY_S)

    def _settle(self, n_rows: int) -> None:
        self._n_settled += n_rows
        while self._flushes and self._flushes[0][0] <= self._n_settled:
            _, n_dropped_before, done = self._flushes.popleft()
            n_dropped = self.n_dropped - n_dropped_before
            if done.cancelled():
                continue
            if n_dropped:
                message = f"{n_dropped} row(s) of {self._table.name} could not be stored"
                done.set_exception(StoreError(message))
            else:
                done.set_result(None)
        if self._is_behind and self._n_taken - self._n_settled < self._max_rows / 2:
            self._is_behind = False
            log.info("store_caught_up", table=self._table.name, n_refused=self.n_refused)

    def _count(self, reason: str, n_rows: int) -> None:
        if self._lost:
            self._lost.labels(self._table.name, reason).inc(n_rows)

    async def _closing(self) -> None:
        while not self._is_closing:
            self._wakeup.clear()
            await self._wakeup.wait()

    def _insert(self, batch: list[Row]) -> None:
        self._store.run(lambda connection: connection.execute(sa.insert(self._table), batch))
