"""`GET /v1/monitoring`: how the served version does, over HTTP. Thin. Read next: `monitoring/`."""

from typing import Annotated

from fastapi import APIRouter, Query

from p1_prediction_api.monitoring.contracts import Monitoring
from p1_prediction_api.monitoring.monitor import Monitor
from p1_prediction_api.settings import Settings

LEAST_HOURS = 0.01
MAX_MOMENTS = 500
MIN_HOURS = 0.01
"""Thirty-six seconds: a few windows."""


def monitoring_router(monitor: Monitor, settings: Settings) -> APIRouter:
    """Make the route; no further back than what is kept can be asked."""
    router = APIRouter(prefix="/v1", tags=["monitoring"])
    most_hours = settings.log_days * 24

    @router.get("/monitoring")
    async def monitoring(
        hours: Annotated[
            float, Query(ge=LEAST_HOURS, le=most_hours, description="How far to look back.")
        ] = (min(settings.watch_hours, most_hours)),
        moments: Annotated[
            int, Query(ge=1, le=MAX_MOMENTS, description="Stretches on the timeline.")
        ] = 48,
    ) -> Monitoring:
        """Say what moved since training: inputs, answers, missing and strange values, alerts.

        Of every replica, over the last hours. Windows are ten seconds long, after an hour ten
        minutes, after a day an hour: moments shorter than that are uneven.
        """
        return await monitor.tell(hours, n_moments=moments)

    return router
