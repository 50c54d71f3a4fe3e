"""The live services as the home page shows them: asked over HTTP, never trusted to answer.

Who runs is told by the caller (a supervisor, or nobody); whether it answers, with which model, is
asked of `/readyz`, `/version` and `/metrics`, all services at once. Knows no process and no
page. Next: `home.py`.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Self

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from common.platform.services import SERVICES, ServiceInfo, installed
from common.platform.states import ServiceState, State
from common.web.contracts import ModelView, ServiceCondition, ServicesView, ServiceView

ASK_TIMEOUT_S = 1.5
FRESH_FOR_S = 1.0
MODEL_METRIC = "model_info"


CONDITIONS: Mapping[State, ServiceCondition] = {
    State.STARTING: "waiting",
    State.RESTARTING: "waiting",
    State.FAILED: "failed",
    State.STOPPED: "off",
}
"""What the supervisor alone knows; everything else is asked of the service itself."""


class LiveServices:
    """Asks every running service how it is; several readers within a second share one round."""

    def __init__(
        self,
        running: Callable[[], Sequence[ServiceState]],
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._running = running
        self._transport = transport
        self._clock = clock
        self._lock = asyncio.Lock()
        self._round: tuple[float, ServicesView] | None = None
        self._http: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        # trust_env off: a proxy of the user's shell has no way to this machine's own services.
        self._http = httpx2.AsyncClient(
            timeout=ASK_TIMEOUT_S, transport=self._transport, trust_env=False
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def look(self) -> ServicesView:
        """Return every service's state; at most one round of questions a second."""
        async with self._lock:
            now = self._clock()
            if self._round is None or now - self._round[0] >= FRESH_FOR_S:
                self._round = (now, await self._ask_all())
            return self._round[1]

    async def _ask_all(self) -> ServicesView:
        running = {service.name: service for service in self._running()}
        here = installed()
        views = await asyncio.gather(
            *(
                self._ask(info, running[info.name])
                if info.name in running
                else _at_rest(info, is_installed=info.name in here)
                for info in SERVICES.values()
            )
        )
        return ServicesView(checked_at=datetime.now(UTC), services=tuple(views))

    async def _ask(self, info: ServiceInfo, known: ServiceState) -> ServiceView:
        view = view_of(info, CONDITIONS.get(known.state, "gone")).model_copy(
            update={"n_restarts": known.n_restarts, "detail": known.reason or ""}
        )
        if known.url is None or known.state in CONDITIONS:
            return view
        return view.model_copy(update=await self._answers(known.url.rstrip("/")))

    async def _answers(self, base: str) -> dict[str, object]:
        """Ask one service for all that the page shows of it, as changes to its view."""
        found: dict[str, object] = {"url": base, "page": f"{base}/", "docs": f"{base}/docs"}
        try:
            ready = await self._get(f"{base}/readyz")
        except httpx2.HTTPError as error:
            is_slow = isinstance(error, httpx2.TimeoutException)
            return {**found, "state": "gone", "detail": "It took too long." if is_slow else ""}
        if not ready.is_success:
            return {**found, "state": "waiting", "detail": reason_of(ready)}
        version, models = await asyncio.gather(self._version(base), self._models(base))
        return {**found, "state": "ready", "detail": "", "version": version, "models": models}

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


def view_of(info: ServiceInfo, state: ServiceCondition) -> ServiceView:
    """Show what the table of services knows of one, in this condition."""
    return ServiceView(
        name=info.name, phase=info.phase, title=info.title, script=info.script, state=state
    )


async def _at_rest(info: ServiceInfo, *, is_installed: bool) -> ServiceView:
    return view_of(info, "off" if is_installed else "planned")


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
