"""`roadmap status`: every service of the house, asked where the state file says it is.

A service started alone is found at its default port. It starts nothing. Read next: `readiness.py`
for the questions, `states.py` for the file.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from common.platform.lock import is_supervised
from common.platform.readiness import ask_models, ask_readiness, ask_version, probe_client
from common.platform.services import SERVICES, installed
from common.platform.states import ServiceState, read_state, state_file
from common.terminal import print_table

NOT_STARTED = "not started"
NOT_INSTALLED = "not installed"
ORPHANED = "its `roadmap up` is gone"


class ServiceReport(BaseModel):
    """One line of the table."""

    name: str
    title: str
    phase: int | None
    url: str | None
    is_expected: bool
    is_ready: bool
    reason: str | None = None
    version: str | None = None
    model: str | None = None
    pid: int | None = None
    n_restarts: int = 0


class StatusReport(BaseModel):
    """The house at one moment; `is_ok` when all that should run takes requests."""

    is_ok: bool
    supervisor_pid: int | None
    services: tuple[ServiceReport, ...]


async def look(data_dir: Path) -> StatusReport:
    """Ask every service at once how it is."""
    house = read_state(state_file(data_dir))
    states: tuple[ServiceState, ...] = house.services if house else ()
    is_orphaned = house is not None and not is_supervised(data_dir)
    async with probe_client() as client:
        supervised = await asyncio.gather(*(_ask(client, one, is_orphaned) for one in states))
        known = {report.name for report in supervised}
        others = [name for name in SERVICES if name not in known]
        alone = await asyncio.gather(*(_ask_default(client, name) for name in others))
    reports = sorted([*supervised, *alone], key=lambda one: -1 if one.phase is None else one.phase)
    return StatusReport(
        is_ok=all(report.is_ready for report in reports if report.is_expected),
        supervisor_pid=house.supervisor_pid if house else None,
        services=tuple(reports),
    )


async def _ask(client: httpx2.AsyncClient, state: ServiceState, is_orphaned: bool) -> ServiceReport:
    report = ServiceReport(
        name=state.name,
        title=state.title,
        phase=state.phase,
        url=state.url,
        is_expected=True,
        is_ready=False,
        reason=state.reason or state.state.value,
        pid=state.pid,
        n_restarts=state.n_restarts,
    )
    if state.url is not None and state.pid is not None:
        report = await _answered(client, report, state.url)
    if not report.is_ready and is_orphaned:
        report.reason = ORPHANED
    return report


async def _ask_default(client: httpx2.AsyncClient, name: str) -> ServiceReport:
    service = SERVICES[name]
    is_installed = name in installed()
    report = ServiceReport(
        name=name,
        title=service.title,
        phase=service.phase,
        url=None,
        is_expected=False,
        is_ready=False,
        reason=NOT_STARTED if is_installed else NOT_INSTALLED,
    )
    url = f"http://127.0.0.1:{service.default_port}"
    if not is_installed or (await ask_version(client, url)).service != service.script:
        return report
    return await _answered(client, report, url)


async def _answered(client: httpx2.AsyncClient, report: ServiceReport, url: str) -> ServiceReport:
    readiness, version, models = await asyncio.gather(
        ask_readiness(client, url), ask_version(client, url), ask_models(client, url)
    )
    return report.model_copy(
        update={
            "url": url,
            "is_ready": readiness.is_ready,
            "reason": readiness.reason,
            "version": version.version,
            "model": ", ".join(models) or None,
        }
    )


def show(report: StatusReport, console: Console) -> None:
    """Print the table of what is here, and name what is not."""
    here = [one for one in report.services if one.reason != NOT_INSTALLED]
    rows = [(_mark(one), *(cell or "" for cell in _cells(one))) for one in here]
    titles = ("", "service", "url", "state", "version", "model")
    print_table(titles, rows, whole={"", "service", "url", "version"}, to=console)
    if absent := [one.name for one in report.services if one.reason == NOT_INSTALLED]:
        console.print(Text(f"{NOT_INSTALLED}: {', '.join(absent)}", style="dim"))


def _mark(one: ServiceReport) -> Text:
    if one.is_ready:
        return Text("●", style="green")
    return Text("●", style="red") if one.is_expected else Text("○", style="dim")


def _cells(one: ServiceReport) -> tuple[str | None, ...]:
    state = "ready" if one.is_ready else one.reason or "not ready"
    restarts = f" ({one.n_restarts} restarts)" if one.n_restarts else ""
    service = f"{one.name:<4} {one.title}"  # the short name of a service tells its phase
    return (service, one.url, state + restarts, one.version, one.model)
