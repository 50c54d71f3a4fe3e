"""Inserts off the hot path: a bounded queue, batches in a worker thread.

The caller never waits for the database. When the queue is full the row is refused, counted and
logged (once until it has caught up): an answer matters more than its log line. `flush` returns when
everything taken so far is committed; what it acknowledged survives kill -9.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import sqlalchemy as sa
import structlog
from prometheus_client import Counter

from common.store.opening import Store, StoreError
from common.telemetry import Telemetry

log = structlog.get_logger()

Row = Mapping[str, object]
RETRY_S = 1.0


class BackgroundInserts:
    """Inserts rows into one table in the background; an async context manager.

    `max_rows` bounds what waits, `batch_rows` one transaction.
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
        self._n_writing = 0
        self._is_behind = False
        self._is_closing = False
        self._wakeup = asyncio.Event()
        self._is_flushed = asyncio.Event()
        self._is_flushed.set()
        self._task: asyncio.Task[None] | None = None
        self.n_refused = 0
        self._refused = _refused_counter(telemetry, table.name) if telemetry else None

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
        if len(self._waiting) + self._n_writing >= self._max_rows:
            self.n_refused += 1
            if self._refused:
                self._refused.inc()
            if not self._is_behind:
                self._is_behind = True
                log.warning("store_behind", table=self._table.name, n_waiting=len(self._waiting))
            return False
        self._waiting.append(row)
        self._is_flushed.clear()
        self._wakeup.set()
        return True

    async def flush(self) -> None:
        """Wait until every row taken so far is committed."""
        await self._is_flushed.wait()

    def not_ready(self) -> str | None:
        """Why rows are being refused; None while they are not."""
        if self._is_behind:
            return f"rows of {self._table.name} are not being stored fast enough"
        return None

    async def _work(self) -> None:
        while not (self._is_closing and not self._waiting):
            if not self._waiting:
                self._wakeup.clear()
                self._is_flushed.set()
                if not self._is_closing:
                    await self._wakeup.wait()
                continue
            await self._write_batch()
        self._is_flushed.set()

    async def _write_batch(self) -> None:
        n_rows = min(len(self._waiting), self._batch_rows)
        batch = [self._waiting.popleft() for _ in range(n_rows)]
        self._n_writing = n_rows
        try:
            await asyncio.to_thread(self._insert, batch)
        except StoreError as error:
            log.warning("store_failed", table=self._table.name, reason=str(error), n_rows=n_rows)
            if self._is_closing:
                self.n_refused += n_rows
                return
            self._waiting.extendleft(reversed(batch))  # nothing taken is lost: later, in order
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing(), RETRY_S)
        finally:
            self._n_writing = 0
        if self._is_behind and len(self._waiting) < self._max_rows // 2:
            self._is_behind = False
            log.info("store_caught_up", table=self._table.name, n_refused=self.n_refused)

    async def _closing(self) -> None:
        while not self._is_closing:
            self._wakeup.clear()
            await self._wakeup.wait()

    def _insert(self, batch: list[Row]) -> None:
        self._store.run(lambda connection: connection.execute(sa.insert(self._table), batch))


def _refused_counter(telemetry: Telemetry, table: str) -> Counter:
    counter = telemetry.counter(
        "store_rows_refused_total", "Rows not stored because the queue was full.", ("table",)
    )
    return counter.labels(table)
