"""Live scores kept fresh for Prometheus, however truths arrive.

They are computed soon after truths are told here, and every minute for what other replicas were
told. Knows no HTTP. Read next: `live_scores.py`.
"""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

import structlog
from common.store import StoreError
from common.telemetry import Telemetry

from p1_prediction_api.database import Database
from p1_prediction_api.live import LiveModel
from p1_prediction_api.live_scores import live_scores
from p1_prediction_api.monitoring.contracts import LiveScores

log = structlog.get_logger()

EVERY_S = 60.0
GATHER_S = 1.0


class Scoreboard:
    """Scores the version that answers; an async context manager that keeps the gauges fresh."""

    def __init__(self, telemetry: Telemetry, live: LiveModel, database: Database) -> None:
        self._live = live
        self._database = database
        self._told = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._scores = telemetry.gauge(
            "live_score", "A metric of the version that answers, by truths told.", ("metric",)
        )
        self._truths = telemetry.gauge(
            "live_truths", "Truths known of the version that answers.", ("state",)
        )

    async def __aenter__(self) -> Self:
        self._live.on_swap.append(self.refresh)
        self._task = asyncio.create_task(self._keep_fresh())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def refresh(self) -> None:
        """Have the gauges computed again soon."""
        self._told.set()

    async def now(self, *, since: float = 0.0) -> LiveScores | None:
        """Score the version that answers now; see `live_scores`."""
        return await asyncio.to_thread(
            live_scores, self._database.store, self._live.current, since=since
        )

    async def _keep_fresh(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), EVERY_S)
            await asyncio.sleep(GATHER_S)
            self._told.clear()
            if self._live.is_ready():
                try:
                    self._show(await self.now())
                except StoreError as error:
                    log.warning("live_scores_not_computed", reason=str(error))

    def _show(self, found: LiveScores | None) -> None:
        self._scores.clear()
        self._truths.labels("scored").set(found.n_truths if found else 0)
        self._truths.labels("pending").set(found.n_pending if found else 0)
        if found is None:
            return
        for name, figure in found.metrics.items():
            self._scores.labels(name).set(figure.value)
        if found.coverage is not None:
            self._scores.labels("coverage").set(found.coverage.value)
