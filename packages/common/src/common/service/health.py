"""Routes that machines ask: alive, ready, which version, metrics, what a problem means.

`/healthz` answers as long as the process can; `/readyz` says what a service waits for, so that a
balancer waits too. Source of the split: Kubernetes' liveness and readiness probes.
"""

import platform
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from common.errors import FieldError
from common.service.problems import NOT_READY, ProblemTable, problem_response

if TYPE_CHECKING:
    from common.service.app import Service

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Health(BaseModel):
    """The process runs."""

    status: str = "alive"


class Readiness(BaseModel):
    """The service can answer; `notes` say what is amiss all the same."""

    status: str = "ready"
    notes: list[str] | None = None


class Version(BaseModel):
    """What runs here."""

    service: str
    version: str
    code_revision: str
    python: str


def health_router(service: "Service", problems: ProblemTable) -> APIRouter:
    """Make the routes every service has."""
    router = APIRouter(tags=["service"])

    @router.get("/healthz")
    async def health() -> Health:
        """Say that the process runs."""
        return Health()

    @router.get("/readyz", response_model=Readiness, response_model_exclude_none=True)
    async def readiness(request: Request) -> Readiness | Response:
        """Say whether the service can answer, or what it waits for (503)."""
        reasons = service.waiting_for()
        if not reasons:
            return Readiness(notes=service.ready_but() or None)
        fields = [FieldError(field="readiness", message=reason) for reason in reasons]
        return problem_response(
            NOT_READY, "; ".join(reasons), instance=request.url.path, fields=fields
        )

    @router.get("/version")
    def version() -> Version:  # in a thread: the first call may ask git
        """Say what runs here."""
        return Version(
            service=service.name,
            version=service.app.version,
            code_revision=code_revision(),
            python=platform.python_version(),
        )

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(service.telemetry.exposition(), media_type=PROMETHEUS_TEXT)

    @router.get("/problems/{slug}", include_in_schema=False)
    async def problem_page(slug: str) -> Response:
        return problems.page(slug)

    return router


@lru_cache(maxsize=1)
def code_revision() -> str:
    """Return the Git revision of the checkout this runs from; empty in an installation."""
    here = Path(__file__).resolve().parent
    roots = (parent for parent in here.parents if (parent / ".git").exists())
    if not any((root / "roadmap.toml").exists() for root in roots):
        return ""
    command = ["git", "-C", str(here), "rev-parse", "--short=12", "HEAD"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, capture_output=True, text=True, timeout=2, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
