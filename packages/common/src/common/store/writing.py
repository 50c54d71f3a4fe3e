"""Inserts off the hot path: a bounded queue, batches in a worker thread.

The caller never waits for the database. When the queue is full, by rows or by bytes, the row is
refused, counted and logged (once until it has caught up): an answer matters more than its log line.
A database that is away is tried again, and rows keep their order; a row that the database will not
have (a constraint, a wrong type) is dropped, counted and logged, and holds up no other. `flush`
returns when everything taken before it is committed; what it acknowledged survives kill -9.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import sqlalchemy as sa
import structlog

from common.store.bulk import insert_rows
from common.store.opening import Store, StoreError
from common.telemetry import Telemetry

log = structlog.get_logger()

Row = Mapping[str, object]
_Waiting = tuple[Row, int]
"""A row and about how many bytes it holds."""
RETRY_S = 1.0


class BackgroundInserts:
    """Inserts rows into one table in the background; an async context manager.

    `max_rows` and `max_bytes` bound what waits, `batch_rows` one transaction; rows are gathered for
    `linger_s` before they are written. `n_refused` counts the rows that `put` refused, `n_dropped`
    those it took that could not be stored, `n_stored` those that are committed.
    """

    def __init__(
        self,
        store: Store,
        table: sa.Table,
        *,
        max_rows: int = 10_000,
        max_bytes: int = 64_000_000,
        batch_rows: int = 500,
        linger_s: float = 0.0,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._store = store
        self._table = table
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._batch_rows = batch_rows
        self._linger_s = linger_s
        self._waiting: deque[_Waiting] = deque()
        self._n_bytes = 0
        self._is_urgent = asyncio.Event()
        self._n_taken = 0
        self._n_settled = 0
        self.n_stored = 0
        self._flushes: deque[tuple[int, int, asyncio.Future[None]]] = deque()
        self._is_behind = False
        self._is_closing = False
        self._wakeup = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.n_refused = 0
        self.n_dropped = 0
        self._stored = (
            telemetry.counter("store_rows_stored_total", "Rows committed.", ("table",)).labels(
                table.name
            )
            if telemetry
            else None
        )
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
        self._is_urgent.set()
        if self._task is not None:
            await self._task

    @property
    def n_waiting(self) -> int:
        """Rows taken and neither stored nor dropped yet."""
        return self._n_taken - self._n_settled

    def put(self, row: Row, *, n_bytes: int = 0) -> bool:
        """Take a row of about `n_bytes` to be stored, or say that it was refused; never waits."""
        is_full = (
            self._n_taken - self._n_settled >= self._max_rows
            or self._n_bytes + n_bytes > self._max_bytes
        )
        if is_full or self._is_closing:
            self.n_refused += 1
            self._count("queue full", 1)
            if not self._is_behind:
                self._is_behind = True
                log.warning("store_behind", table=self._table.name, n_waiting=len(self._waiting))
            return False
        self._waiting.append((row, n_bytes))
        self._n_bytes += n_bytes
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
        self._is_urgent.set()
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
            await self._linger()
            n_rows = min(len(self._waiting), self._batch_rows)
            await self._write([self._waiting.popleft() for _ in range(n_rows)])

    async def _linger(self) -> None:
        """Gather more rows, unless somebody waits for them."""
        is_full = len(self._waiting) >= self._batch_rows
        if self._linger_s and not (is_full or self._flushes or self._is_closing):
            self._is_urgent.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_urgent.wait(), self._linger_s)

    async def _write(self, batch: list[_Waiting]) -> None:
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
        else:
            self.n_stored += len(batch)
            if self._stored:
                self._stored.inc(len(batch))
        self._settle(batch)

    async def _wait_to_retry(self, batch: list[_Waiting], error: StoreError) -> None:
        log.warning("store_failed", table=self._table.name, reason=str(error), n_rows=len(batch))
        self._waiting.extendleft(reversed(batch))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing(), RETRY_S)

    def _settle(self, batch: list[_Waiting]) -> None:
        self._n_settled += len(batch)
        self._n_bytes -= sum(n_bytes for _, n_bytes in batch)
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
        is_half_empty = self.n_waiting < self._max_rows / 2 and self._n_bytes < self._max_bytes / 2
        if self._is_behind and is_half_empty:
            self._is_behind = False
            log.info("store_caught_up", table=self._table.name, n_refused=self.n_refused)

    def _count(self, reason: str, n_rows: int) -> None:
        if self._lost:
            self._lost.labels(self._table.name, reason).inc(n_rows)

    async def _closing(self) -> None:
        while not self._is_closing:
            self._wakeup.clear()
            await self._wakeup.wait()

    def _insert(self, batch: list[_Waiting]) -> None:
        rows = [row for row, _ in batch]
        n_bytes = sum(n_bytes for _, n_bytes in batch)
        self._store.run(
            lambda connection: insert_rows(connection, self._table, rows, n_bytes=n_bytes)
        )
