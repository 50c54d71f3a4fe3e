"""Asking a service whether it is ready, and in which version.

One place for the question that the supervisor, `roadmap status` and the doctor all ask. It knows
the routes every service has and nothing of any single one. Read next: `supervisor.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

READY_LINE = re.compile(r"\bready at (?P<url>https?://\S+)")
PROBE_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Readiness:
    """Whether a service takes requests, or why not."""

    is_ready: bool
    reason: str | None = None


class Version(BaseModel):
    """What `/version` tells; services may tell more."""

    model_config = ConfigDict(extra="ignore")

    version: str | None = None
    model: str | None = None
    model_version: str | int | None = None


class _Answer(BaseModel):
    """What `/readyz` tells when it refuses: a problem's detail, or reasons by part."""

    model_config = ConfigDict(extra="ignore")

    detail: str | None = None
    title: str | None = None


def find_url(line: str) -> str | None:
    """Find the address in the one line that a service prints when it is ready."""
    found = READY_LINE.search(line)
    return found["url"].rstrip(".,") if found else None


def probe_client() -> httpx2.AsyncClient:
    """Open a client for short questions to this machine, past any proxy of the environment."""
    return httpx2.AsyncClient(timeout=PROBE_TIMEOUT_S, trust_env=False)


async def ask_readiness(client: httpx2.AsyncClient, url: str) -> Readiness:
    """Ask `/readyz` once; an unreachable service is not ready, and says so."""
    try:
        response = await client.get(f"{url.rstrip('/')}/readyz")
    except httpx2.ConnectError:
        return Readiness(is_ready=False, reason="nothing answers at its address")
    except httpx2.HTTPError as error:
        return Readiness(is_ready=False, reason=str(error) or type(error).__name__)
    if response.is_success:
        return Readiness(is_ready=True)
    try:
        answer = _Answer.model_validate_json(response.content)
    except ValidationError:
        return Readiness(is_ready=False, reason=f"/readyz answers {response.status_code}")
    return Readiness(is_ready=False, reason=answer.detail or answer.title)


async def ask_version(client: httpx2.AsyncClient, url: str) -> Version:
    """Ask `/version`; a service that does not tell has no version rather than an error."""
    try:
        response = await client.get(f"{url.rstrip('/')}/version")
        return Version.model_validate_json(response.content)
    except (httpx2.HTTPError, ValidationError):
        return Version()
