"""The live services: asked, never trusted; each state of a service as the page shows it."""

from datetime import UTC, datetime

import httpx2
import pytest
from common.platform.services import installed
from common.platform.states import ServiceState, State
from common.web.contracts import ModelView, ServiceView
from common.web.live import LiveServices, models_in

METRICS = '# TYPE model_info gauge\nmodel_info{model="diabetes",version="3"} 1.0\n'
URL = "http://p1.test"


def p1(state: State = State.READY, url: str | None = URL, **more: object) -> ServiceState:
    values = {"name": "p1", "title": "Prediction API", "since": datetime(2026, 1, 1, tzinfo=UTC)}
    return ServiceState.model_validate({**values, "state": state, "url": url, **more})


def healthy(request: httpx2.Request) -> httpx2.Response:
    answers = {
        "/readyz": httpx2.Response(200, json={"status": "ready"}),
        "/version": httpx2.Response(200, json={"version": "1.2.3"}),
        "/metrics": httpx2.Response(200, text=METRICS),
    }
    return answers[request.url.path]


async def look(state: ServiceState | None, handler: object = healthy) -> ServiceView:
    """Look once with this state told and this service answering; return p1's view."""
    transport = httpx2.MockTransport(handler)  # pyrefly: ignore - a handler of the test's own
    async with LiveServices(lambda: [state] if state else [], transport=transport) as live:
        views = await live.look()
    return next(view for view in views.services if view.name == "p1")


@pytest.mark.anyio
async def test_a_ready_service_shows_its_page_docs_version_and_model() -> None:
    view = await look(p1())
    assert (view.state, view.version) == ("ready", "1.2.3")
    assert (view.page, view.docs) == (f"{URL}/", f"{URL}/docs")
    assert view.models == (ModelView(name="diabetes", version="3"),)


@pytest.mark.anyio
async def test_a_service_that_is_not_ready_says_why_in_its_own_words() -> None:
    def waiting(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(503, json={"title": "Not ready", "detail": "no model yet"})

    view = await look(p1(), waiting)
    assert (view.state, view.detail) == ("waiting", "no model yet")


@pytest.mark.anyio
async def test_a_service_that_refuses_the_connection_is_gone_and_keeps_its_address() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    view = await look(p1(), refuse)
    assert (view.state, view.url) == ("gone", URL)


@pytest.mark.anyio
async def test_a_service_that_hangs_is_gone_and_says_that_it_was_slow() -> None:
    def hang(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("slow")

    assert (await look(p1(), hang)).detail == "It took too long."


@pytest.mark.anyio
async def test_nonsense_from_a_service_is_no_reason_to_fail() -> None:
    def nonsense(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, text="<<<not json or metrics 1 2 3>>>{")

    view = await look(p1(), nonsense)
    assert (view.state, view.version, view.models) == ("ready", None, ())


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("told", "shown"),
    [(State.FAILED, "failed"), (State.RESTARTING, "waiting"), (State.STOPPED, "off")],
)
async def test_what_only_the_supervisor_knows_is_shown_without_asking(
    told: State, shown: str
) -> None:
    def never(request: httpx2.Request) -> httpx2.Response:
        raise AssertionError(f"asked {request.url}")

    view = await look(p1(told, reason="exit code 1", n_restarts=5), never)
    assert (view.state, view.detail, view.n_restarts) == (shown, "exit code 1", 5)


@pytest.mark.anyio
async def test_a_service_that_nobody_started_is_off_when_installed_and_planned_when_not() -> None:
    async with LiveServices(tuple) as live:
        states = {view.name: view.state for view in (await live.look()).services}
    assert states == {f"p{n}": "off" if f"p{n}" in installed() else "planned" for n in range(6)}


@pytest.mark.anyio
async def test_several_readers_within_a_second_share_one_round_of_questions() -> None:
    asked: list[str] = []
    now = [0.0]

    def count(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return healthy(request)

    async with LiveServices(
        lambda: [p1()], transport=httpx2.MockTransport(count), clock=lambda: now[0]
    ) as live:
        await live.look()
        now[0] = 0.9
        await live.look()
        assert asked.count("/readyz") == 1
        now[0] = 1.1
        await live.look()
    assert asked.count("/readyz") == 2


def test_models_are_read_from_the_exposition_by_their_labels() -> None:
    text = METRICS + '# TYPE other gauge\nother{model="x",version="1"} 1\n'
    assert models_in(text) == (ModelView(name="diabetes", version="3"),)
    assert models_in("") == ()
