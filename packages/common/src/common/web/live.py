"""The live services as the home page shows them: asked over HTTP, never trusted to answer.

Who runs is told by the caller (a supervisor, or nobody); whether it answers, with which model, is
asked of ``/readyz``, ``/version`` and ``/metrics``, all services at once. Knows no process and no page. Next: ``home.py``.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Protocol, Self

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from common.platform.services import SERVICES, ServiceInfo, installed
from common.web.contracts import ModelView, ServiceCondition, ServicesView, ServiceView

ASK_TIMEOUT_S = 1.5
FRESH_FOR_S = 1.0
MODEL_METRIC = "model_info"


class RunningService(Protocol):
    """What the page must be told of a service: its short name (``p1``) and where it listens."""

    @property
    def name(self) -> str:
        """Its short name in the table of services."""
        ...

    @property
    def url(self) -> str | None:
        """Where it listens; None while it does not."""
        ...


class LiveServices:
    """Asks every running service how it is; several readers within a second share one round."""

    def __init__(
        self,
        running: Callable[[], Sequence[RunningService]],
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._running = running
        self._transport = transport
        self._clock = clock
        self._lock = asyncio.Lock()
        self._round: tuple[float, ServicesView] | None = None
        self._stack = AsyncExitStack()
        self._http: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        self._http = await self._stack.enter_async_context(
            httpx2.AsyncClient(timeout=ASK_TIMEOUT_S, transport=self._transport)
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def look(self) -> ServicesView:
        """Return every service's state; at most one round of questions a second."""
        async with self._lock:
            now = self._clock()
            if self._round is None or now - self._round[0] >= FRESH_FOR_S:
                self._round = (now, await self._ask_all())
            return self._round[1]

    async def _ask_all(self) -> ServicesView:
        urls = {service.name: service.url for service in self._running() if service.url}
        here = installed()
        views = await asyncio.gather(
            *(self._ask(info, urls.get(info.name), info.name in here) for info in SERVICES.values())
        )
        return ServicesView(checked_at=datetime.now(UTC), services=tuple(views))

    async def _ask(self, info: ServiceInfo, url: str | None, is_installed: bool) -> ServiceView:
        if url is None:
            return view_of(info, "off" if is_installed else "planned")
        base = url.rstrip("/")
        try:
            ready = await self._get(f"{base}/readyz")
        except httpx2.HTTPError as error:
            detail = (
                "It took too long to answer." if isinstance(error, httpx2.TimeoutException) else ""
            )
            return view_of(info, "gone", url=base, detail=detail)
        if not ready.is_success:
            return view_of(info, "waiting", url=base, detail=reason_of(ready))
        version, models = await asyncio.gather(self._version(base), self._models(base))
        return view_of(info, "ready", url=base, version=version, models=models)

    async def _get(self, url: str) -> httpx2.Response:
        if self._http is None:
            raise RuntimeError("LiveServices is used before it is entered")
        return await self._http.get(url)

    async def _version(self, base: str) -> str | None:
        try:
            answer = (await self._get(f"{base}/version")).json()
        except (httpx2.HTTPError, ValueError):
            return None
        return str(answer["version"]) if isinstance(answer, dict) and "version" in answer else None

    async def _models(self, base: str) -> tuple[ModelView, ...]:
        try:
            return models_in((await self._get(f"{base}/metrics")).text)
        except (httpx2.HTTPError, ValueError):
            return ()


def view_of(
    info: ServiceInfo,
    state: ServiceCondition,
    *,
    url: str | None = None,
    detail: str = "",
    version: str | None = None,
    models: tuple[ModelView, ...] = (),
) -> ServiceView:
    """Put what is known of a service and what it answered into one value."""
    return ServiceView(
        name=info.name,
        phase=info.phase,
        title=info.title,
        script=info.script,
        state=state,
        detail=detail,
        url=url,
        page=f"{url}/" if url else None,
        docs=f"{url}/docs" if url else None,
        version=version,
        models=models,
    )


def reason_of(answer: httpx2.Response) -> str:
    """Return why a service says that it is not ready, in its own words."""
    try:
        body = answer.json()
    except ValueError:
        return f"HTTP {answer.status_code}"
    return str(body.get("detail") or body.get("title") or "") if isinstance(body, dict) else ""


def models_in(metrics: str) -> tuple[ModelView, ...]:
    """Read which models a service answers with from its Prometheus exposition."""
    found = {
        ModelView(name=labels["model"], version=labels["version"])
        for labels in _labels(metrics, MODEL_METRIC)
        if "model" in labels and "version" in labels
    }
    return tuple(sorted(found, key=lambda model: model.name))


def _labels(metrics: str, ending: str) -> Iterable[Mapping[str, str]]:
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name.endswith(ending) and sample.value:
                yield sample.labels
