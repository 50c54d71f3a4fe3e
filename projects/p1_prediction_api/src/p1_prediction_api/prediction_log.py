"""What was asked and what was answered: one row a request, off the hot path, kept for a while.

The texts are stored as they travelled, so that a prediction costs the log no encoding; SQL's own
JSON functions look into them. The queue is bounded by rows and by bytes: when the database does not
keep up, predictions are answered and not logged, and `/readyz`, the log and a metric say so.
"""

import asyncio
import contextlib
import time
from types import TracebackType
from typing import Self

import sqlalchemy as sa
import structlog
from common.request_ids import random_id
from common.store import BackgroundInserts, Store, StoreError
from common.telemetry import Telemetry

from p1_prediction_api.database import PREDICTIONS, SHADOW_ANSWERS, TRUTHS, Database
from p1_prediction_api.monitoring.contracts import LogState
from p1_prediction_api.settings import Settings

log = structlog.get_logger()

GATHER_S = 0.1
BATCH_ROWS = 2_000
SWEEP_S = 600.0
SWEPT_ROWS = 5_000
SECONDS_A_DAY = 86_400


class PredictionLog:
    """The log of one service; an async context manager. Leaving stores what waits."""

    def __init__(self, settings: Settings, telemetry: Telemetry, database: Database) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._database = database
        self._prefix = random_id(64)
        self._n_made = 0
        self._inserts: BackgroundInserts | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        chosen = self._settings
        if not chosen.log_predictions:
            return self
        store = self._database.store
        self._inserts = BackgroundInserts(
            store,
            PREDICTIONS,
            max_rows=chosen.max_log_waiting,
            max_bytes=chosen.max_log_waiting_bytes,
            batch_rows=BATCH_ROWS,
            linger_s=GATHER_S,
            telemetry=self._telemetry,
        )
        await self._inserts.__aenter__()
        self._sweeping = asyncio.create_task(self._sweep(store))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping
        if self._inserts is not None:
            await self._inserts.__aexit__(kind, error, traceback)

    def new_id(self) -> str:
        """Make the id of one request's predictions: unique, and in order within a process."""
        self._n_made += 1
        return f"{self._prefix}-{self._n_made:x}"

    def record(
        self, made: str, *, model: str, version: int, n_rows: int, request: bytes, answer: str
    ) -> None:
        """Take the answer to a request into the log; never waits and never fails."""
        if self._inserts is None:
            return
        keeps = self._settings.log_inputs and 0 < len(request) <= self._settings.max_logged_bytes
        row = {
            "id": made,
            "made_at": time.time(),
            "model": model,
            "version": version,
            "n_rows": n_rows,
            "request": request.decode("utf-8", "replace") if keeps else None,
            "answer": answer,
        }
        self._inserts.put(row, n_bytes=len(answer) + (len(request) if keeps else 0))

    async def flush(self) -> None:
        """Return when everything recorded before is committed; raises `StoreError`."""
        if self._inserts is not None:
            await self._inserts.flush()

    def ready_but(self) -> str | None:
        """Why predictions are answered and not logged; None while they are."""
        return self._inserts.not_ready() if self._inserts else None

    def state(self) -> LogState:
        """Say whether predictions are being stored, and how many were."""
        inserts = self._inserts
        if inserts is None:
            return LogState(is_on=False, n_stored=0, n_waiting=0, n_lost=0)
        return LogState(
            is_on=True,
            n_stored=inserts.n_stored,
            n_waiting=inserts.n_waiting,
            n_lost=inserts.n_refused + inserts.n_dropped,
            trouble=self.ready_but() or "",
        )

    async def _sweep(self, store: Store) -> None:
        """Remove what is older than the days to keep, a little at a time."""
        while True:
            before = time.time() - self._settings.log_days * SECONDS_A_DAY
            try:
                await asyncio.to_thread(_remove, store, before)
            except StoreError as error:
                log.warning("log_not_swept", reason=str(error))
            await asyncio.sleep(SWEEP_S)


def _remove(store: Store, before: float) -> None:
    moments = {PREDICTIONS: "made_at", TRUTHS: "told_at", SHADOW_ANSWERS: "made_at"}
    for table, moment in moments.items():
        keys = list(table.primary_key.columns)
        old = sa.select(*keys).where(table.c[moment] < before).limit(SWEPT_ROWS)
        statement = sa.delete(table).where(sa.tuple_(*keys).in_(old))
        while _run(store, statement) == SWEPT_ROWS:
            time.sleep(GATHER_S)  # others write between two transactions


def _run(store: Store, statement: sa.Delete) -> int:
    return store.run(lambda connection: connection.execute(statement)).rowcount
