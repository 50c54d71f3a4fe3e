"""Asking a service whether it is ready, and in which version.

One place for the question that the supervisor, `roadmap status` and the doctor all ask. It knows
the routes every service has and nothing of any single one. Read next: `supervisor.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel, ConfigDict, ValidationError

MODEL_METRIC = "model_info"
READY_LINE = re.compile(r"\bready at (?P<url>https?://\S+)")
PROBE_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Readiness:
    """Whether a service takes requests, or why not."""

    is_ready: bool
    reason: str | None = None


class Version(BaseModel):
    """What `/version` tells of a service; it may tell more."""

    model_config = ConfigDict(extra="ignore")

    service: str | None = None
    version: str | None = None


class _Answer(BaseModel):
    """What `/readyz` tells when it refuses: a problem's detail."""

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


async def ask_models(client: httpx2.AsyncClient, url: str) -> tuple[str, ...]:
    """Ask `/metrics` which models a service answers with; none if it does not tell."""
    try:
        response = await client.get(f"{url.rstrip('/')}/metrics")
        return models_in(response.text)
    except (httpx2.HTTPError, ValueError):
        return ()


def models_in(metrics: str) -> tuple[str, ...]:
    """Read the served models from a Prometheus exposition, such as `churn 3`."""
    samples = (
        sample
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name.endswith(MODEL_METRIC) and sample.value
    )
    models = {(one.labels.get("model", "?"), one.labels.get("version", "?")) for one in samples}
    return tuple(f"{model} {version}" for model, version in sorted(models))
