"""Watches the served version: counts in the background, tells on demand.

Counting, storing and telling are done in threads, off the event loop. What is told is of every
replica's windows and of what this one has not stored yet. Read in this order: `sightings.py`,
`counting.py`, `collecting.py`, `windows.py`, `assessing.py`, `alerting.py`.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, Self

import structlog
from common.models.following import NoModelError
from common.store import StoreError
from common.telemetry import Telemetry

from p1_prediction_api.database import Database
from p1_prediction_api.live import LiveModel
from p1_prediction_api.monitoring.alerting import (
    drift_alerts,
    most_severe_first,
    refusals,
    service_alerts,
    share_alerts,
    truth_alerts,
    verdict,
)
from p1_prediction_api.monitoring.assessing import Assessment, Thresholds, assess
from p1_prediction_api.monitoring.collecting import Collector, VersionWatch
from p1_prediction_api.monitoring.contracts import (
    Alert,
    LiveScores,
    LogState,
    Moment,
    Monitoring,
    ShadowComparison,
)
from p1_prediction_api.monitoring.counting import Counts
from p1_prediction_api.monitoring.gauges import Gauges
from p1_prediction_api.monitoring.timeline import timeline, total
from p1_prediction_api.monitoring.windows import Window
from p1_prediction_api.prediction_log import PredictionLog
from p1_prediction_api.settings import Settings

log = structlog.get_logger()

COUNT_EVERY_S = 1.0
BURST_HOURS = 1.0
SECONDS_AN_HOUR = 3_600

Truth = Callable[[], Awaitable[LiveScores | None]]
Shadow = Callable[[], Awaitable[ShadowComparison | None]]


async def _nothing() -> None:
    """Tell nothing."""


class _Watched(NamedTuple):
    """What the windows of a span of time say."""

    counts: Counts
    assessment: Assessment | None
    alerts: list[Alert]
    moments: list[Moment]


class Monitor:
    """Watches what a live model is asked and answers; an async context manager.

    `truth` and `shadow` tell what later truths, and a candidate, say of the served version.
    """

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        database: Database,
        live: LiveModel,
        predictions: PredictionLog,
        *,
        truth: Truth = _nothing,
        shadow: Shadow = _nothing,
    ) -> None:
        self._settings = settings
        self._thresholds = Thresholds.of(settings)
        self._database = database
        self._live = live
        self._predictions = predictions
        self._truth, self._shadow = truth, shadow
        self._gauges = Gauges(telemetry)
        self._collector: Collector | None = None
        self._work: list[asyncio.Task[None]] = []
        self._is_closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        chosen = self._settings
        self._is_closing.clear()
        self._collector = Collector(
            self._database.store, window_s=chosen.watch_window_s, keep_days=chosen.log_days
        )
        self._live.on_swap.append(self._follow)
        if self._live.is_ready():
            self._follow()
        self._work = [
            asyncio.create_task(self._every(COUNT_EVERY_S, self._count)),
            asyncio.create_task(self._every(chosen.watch_refresh_s, self._show)),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.on_swap.remove(self._follow)
        self._is_closing.set()
        await asyncio.gather(*self._work)
        if self._collector is not None:
            await self._count()
            await asyncio.to_thread(self._collector.flush)

    def _follow(self) -> None:
        if self._collector is not None:
            self._collector.begin(self._live.current)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while not await self._closes_within(seconds):
            try:
                await work()
            except NoModelError:
                continue
            except StoreError as error:
                log.warning("not_monitored", reason=str(error))
            except Exception:
                log.exception("not_monitored")  # the next round may be well

    async def _count(self) -> None:
        if self._collector is not None:
            await asyncio.to_thread(self._round, self._collector)

    async def _show(self) -> None:
        self._gauges.show(await self.tell(self._settings.watch_hours, n_moments=1))

    async def _closes_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_closing.wait(), seconds)
        return self._is_closing.is_set()

    def _round(self, collector: Collector) -> None:
        self._gauges.count(collector.count())
        collector.keep_up()

    async def tell(self, hours: float, *, n_moments: int) -> Monitoring:
        """Say how the served version did over the last hours.

        Raises `NoModelError` while none is served, `StoreError` when counts cannot be read.
        """
        served = self._live.served
        watch = self._collector.current if self._collector else None
        if self._collector is None or watch is None:
            raise NoModelError("no model is watched yet")
        until = time.time()
        since = max(0.0, until - hours * SECONDS_AN_HOUR)
        seen = await asyncio.to_thread(
            self._look, self._collector, watch, (since, until), n_moments
        )
        state = self._predictions.state()
        truth = await self._truth()
        service = self._about_service(self._collector, watch, seen.counts, state)
        alerts = most_severe_first([*truth_alerts(truth), *seen.alerts, *service])
        counts, found = seen.counts, seen.assessment
        return Monitoring(
            model=served,
            verdict=verdict(
                alerts, counts.n_rows, counts.n_looked_at, self._thresholds, _span(hours)
            ),
            since=datetime.fromtimestamp(since, UTC),
            until=datetime.fromtimestamp(until, UTC),
            n_rows=counts.n_rows,
            alerts=alerts,
            features=found.features if found else [],
            prediction=found.prediction if found else None,
            out_of_distribution=found.out_of_distribution if found else None,
            refused=counts.n_refused,
            timeline=seen.moments,
            truth=truth,
            shadow=await self._shadow(),
            log=state,
        )

    def _look(
        self,
        collector: Collector,
        watch: VersionWatch,
        span: tuple[float, float],
        n_moments: int,
    ) -> _Watched:
        """Read windows and judge them; in a thread."""
        since, until = span
        self._gauges.count(collector.count())
        windows = collector.windows(watch.owner, since)
        counts = total(windows)
        reference, thresholds = watch.reference, self._thresholds
        stretches = _stretches(windows, since, until)
        moments = timeline(windows, reference, span, n_moments, thresholds.min_rows)
        if reference is None:
            alerts = [a for one, when in stretches for a in refusals(one, when)]
            return _Watched(counts, None, alerts, moments)
        found = assess(reference, counts, thresholds)
        alerts = list(drift_alerts(found))
        moved = {alert.subject for alert in alerts}
        for stretch, when in stretches:
            alerts += share_alerts(reference, stretch, thresholds, moved, when)
        return _Watched(counts, found, alerts, moments)

    def _about_service(
        self, collector: Collector, watch: VersionWatch, counts: Counts, state: LogState
    ) -> list[Alert]:
        n_uncounted = counts.n_rows - counts.n_looked_at if watch.reference else 0
        trouble = self._live.ready_but() or ""
        return list(service_alerts(trouble, state, collector.trouble, watch.trouble, n_uncounted))


def _stretches(windows: list[Window], since: float, until: float) -> list[tuple[Counts, str]]:
    """Return the whole span, and the last hour of a longer one: a burst would drown in a day."""
    whole = total(windows), f"in {_span((until - since) / SECONDS_AN_HOUR)}"
    burst_from = until - BURST_HOURS * SECONDS_AN_HOUR
    if burst_from <= since:
        return [whole]
    recent = [window for window in windows if window.started_at >= burst_from]
    return [whole, (total(recent), f"in {_span(BURST_HOURS)}")]


def _span(hours: float) -> str:
    if hours < 1:
        return f"the last {hours * 60:.3g} minutes"
    return "the last hour" if hours == 1 else f"the last {hours:.4g} hours"
