"""The client's contract: every case runs over a real socket and against the app in this process."""

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import pytest
import structlog
import uvicorn
from common.errors import ProblemError
from common.service.client import (
    AnswerTimeoutError,
    BadAnswerError,
    ServiceClient,
    UnreachableError,
    connect,
    connect_app,
)
from pydantic import BaseModel, SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

pytestmark = pytest.mark.anyio

PATIENCE_S = 20.0
MEBIBYTE = 1024 * 1024


@dataclass
class Probe:
    """What the app saw, and the gates that hold its answers back."""

    starts: int = 0
    stops: int = 0
    calls: list[str] = field(default_factory=list)
    gates: dict[int, asyncio.Event] = field(
        default_factory=lambda: {n: asyncio.Event() for n in range(3)}
    )
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)


class Digest(BaseModel):
    sha256: str
    n_bytes: int


def gated_parts(probe: Probe) -> AsyncIterator[bytes]:
    async def parts() -> AsyncGenerator[bytes]:
        for number, gate in probe.gates.items():
            yield f"part {number}\n".encode()
            await gate.wait()

    return parts()


async def ticks(request: Request) -> Response:
    return StreamingResponse(gated_parts(request.state.probe))


async def events(request: Request) -> Response:
    problem = {"type": "/problems/full", "title": "Full", "status": 503, "detail": "no room"}

    async def parts() -> AsyncGenerator[str]:
        yield "event: token\ndata: one\n\n"
        yield ": keep-alive\n\ndata: two\ndata: lines\n\n"
        yield f"event: error\ndata: {json.dumps(problem)}\n\n"

    return StreamingResponse(parts(), media_type="text/event-stream")


async def wait_for_disconnect(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass
    scope["state"]["probe"].disconnected.set()


async def never_answer(request: Request) -> Response:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    request.state.probe.disconnected.set()
    return Response()


async def flaky(request: Request) -> Response:
    calls = request.state.probe.calls
    calls.append(request.headers.get("idempotency-key", request.method))
    retry_after = request.query_params.get("retry_after", "0")
    if len(calls) < 3:
        return Response(status_code=503, headers={"retry-after": retry_after})
    return JSONResponse({"n_calls": len(calls)})


async def refuse(request: Request) -> Response:
    problem = {
        "type": "/problems/unknown-column",
        "title": "Unknown column",
        "status": 422,
        "detail": "There is no column 'agee'.",
        "errors": [{"field": "rows.0.agee", "message": "unknown", "accepted": "age"}],
    }
    return JSONResponse(problem, 422, media_type="application/problem+json")


async def digest(request: Request) -> Response:
    sha256, n_bytes = hashlib.sha256(), 0
    async for part in request.stream():
        sha256.update(part)
        n_bytes += len(part)
    return JSONResponse({"sha256": sha256.hexdigest(), "n_bytes": n_bytes})


async def big(request: Request) -> Response:
    return Response(b"x" * (8 * MEBIBYTE))


async def show(request: Request) -> Response:
    return JSONResponse({"headers": dict(request.headers), "query": dict(request.query_params)})


async def crash(request: Request) -> Response:
    raise LookupError("a secret of the app")


async def crash_midway(request: Request) -> Response:
    async def parts() -> AsyncGenerator[bytes]:
        yield b"half"
        raise LookupError("a secret of the app")

    return StreamingResponse(parts())


async def proxy_page(request: Request) -> Response:
    return PlainTextResponse("upstream is gone", 500)


def build_app(probe: Probe) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[dict[str, Probe]]:
        probe.starts += 1
        yield {"probe": probe}
        probe.stops += 1

    endpoints = (ticks, events, never_answer, refuse, big, show, crash, crash_midway, proxy_page)
    routes = [Route(f"/{endpoint.__name__}", endpoint) for endpoint in endpoints]
    routes.append(Route("/flaky", flaky, methods=["GET", "POST", "PUT"]))
    routes.append(Route("/digest", digest, methods=["POST"]))
    routes.append(Route("/wait_for_disconnect", wait_for_disconnect_app()))
    return Starlette(routes=routes, lifespan=lifespan)


def wait_for_disconnect_app() -> object:
    class Endpoint:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await wait_for_disconnect(scope, receive, send)

    return Endpoint()


class QuietServer(uvicorn.Server):
    """A server inside the test's loop, which leaves the test runner's signals alone."""

    @contextmanager
    def capture_signals(self):
        yield


@asynccontextmanager
async def serving(app: Starlette) -> AsyncGenerator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # a call made before the server is up waits instead of being refused
        server = QuietServer(uvicorn.Config(app, log_config=None, lifespan="on", ws="none"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


class Edge:
    """One of the two ways to the same app."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.probe = Probe()

    @asynccontextmanager
    async def open(self, **options: object) -> AsyncGenerator[ServiceClient]:
        app = build_app(self.probe)
        if self.kind == "in process":
            async with connect_app(app, **options) as client:
                yield client
        else:
            async with serving(app) as url, connect(url, **options) as client:
                yield client


@pytest.fixture(params=["over a socket", "in process"])
def edge(request: pytest.FixtureRequest) -> Edge:
    return Edge(request.param)


async def test_a_stream_arrives_part_by_part_while_the_service_still_makes_it(edge: Edge) -> None:
    async with edge.open() as client, client.stream("GET", "/ticks") as answer:
        parts = answer.parts()
        for number, gate in edge.probe.gates.items():
            assert await anext(parts) == f"part {number}\n".encode()
            gate.set()  # only now may the app make the next part
        assert [part async for part in parts] == []


async def test_lines_of_a_stream_come_without_their_ends(edge: Edge) -> None:
    async with edge.open() as client, client.stream("GET", "/ticks") as answer:
        for gate in edge.probe.gates.values():
            gate.set()
        assert [line async for line in answer.lines()] == ["part 0", "part 1", "part 2"]


async def test_events_are_decoded_and_a_final_error_event_is_raised(edge: Edge) -> None:
    async with edge.open() as client, client.stream("GET", "/events") as answer:
        events = answer.events()
        first, second = await anext(events), await anext(events)
        with pytest.raises(ProblemError) as refused:
            await anext(events)
    assert (first.event, first.data) == ("token", "one")
    assert (second.event, second.data) == ("message", "two\nlines")
    assert refused.value.problem.detail == "no room"


async def test_leaving_a_stream_early_reaches_the_app_as_a_disconnect(edge: Edge) -> None:
    async with edge.open() as client:
        async with client.stream("GET", "/wait_for_disconnect") as answer:
            assert await anext(answer.parts()) == b"hello"
        async with asyncio.timeout(PATIENCE_S):
            await edge.probe.disconnected.wait()


async def test_a_call_past_its_deadline_is_given_up_and_the_app_learns_of_it(edge: Edge) -> None:
    async with edge.open(timeout_s=0.2) as client:
        with pytest.raises(AnswerTimeoutError):
            await client.get("/never_answer")
        async with asyncio.timeout(PATIENCE_S):
            await edge.probe.disconnected.wait()


async def test_the_lifespan_runs_once_around_all_calls(edge: Edge) -> None:
    async with edge.open() as client:
        await client.get("/show")
        await client.get("/show")
        assert (edge.probe.starts, edge.probe.stops) == (1, 0)
    assert (edge.probe.starts, edge.probe.stops) == (1, 1)


async def test_problem_details_become_a_typed_error(edge: Edge) -> None:
    async with edge.open() as client:
        with pytest.raises(ProblemError) as refused:
            await client.get("/refuse")
    problem = refused.value.problem
    assert (problem.status, problem.title) == (422, "Unknown column")
    assert problem.errors[0].field == "rows.0.agee"


async def test_an_error_that_is_no_problem_document_is_quoted_in_one(edge: Edge) -> None:
    async with edge.open() as client:
        with pytest.raises(ProblemError) as refused:
            await client.get("/proxy_page")
    assert refused.value.problem.detail == "upstream is gone"


async def test_a_crash_of_the_app_is_a_500_that_tells_nothing(edge: Edge) -> None:
    async with edge.open() as client:
        with pytest.raises(ProblemError) as refused:
            await client.get("/crash")
    assert refused.value.problem.status == 500
    assert "secret" not in str(refused.value.problem)


async def test_a_crash_in_mid_stream_is_a_broken_answer(edge: Edge) -> None:
    async with edge.open() as client, client.stream("GET", "/crash_midway") as answer:
        parts = answer.parts()
        assert await anext(parts) == b"half"
        with pytest.raises(BadAnswerError):
            await anext(parts)


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_an_idempotent_call_is_repeated_until_it_succeeds(edge: Edge, method: str) -> None:
    async with edge.open() as client:
        assert json.loads(await client.request(method, "/flaky")) == {"n_calls": 3}


async def test_a_plain_post_is_sent_once(edge: Edge) -> None:
    async with edge.open() as client:
        with pytest.raises(ProblemError):
            await client.post("/flaky", {})
    assert edge.probe.calls == ["POST"]


async def test_a_post_with_an_idempotency_key_is_repeated_with_the_same_key(edge: Edge) -> None:
    async with edge.open() as client:
        await client.post("/flaky", {}, idempotency_key="order-7")
    assert edge.probe.calls == ["order-7"] * 3


async def test_retries_end_after_the_agreed_number(edge: Edge) -> None:
    async with edge.open(retries=1) as client:
        with pytest.raises(ProblemError) as refused:
            await client.get("/flaky")
    assert refused.value.problem.status == 503
    assert len(edge.probe.calls) == 2


async def test_a_retry_after_beyond_the_deadline_is_not_waited_for(edge: Edge) -> None:
    async with edge.open(timeout_s=PATIENCE_S) as client:
        with pytest.raises(ProblemError):
            await client.get("/flaky", parameters={"retry_after": "3600"})
    assert len(edge.probe.calls) == 1


async def test_the_trace_of_the_caller_reaches_the_service(edge: Edge) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    async with edge.open() as client:
        with structlog.contextvars.bound_contextvars(trace_id=trace_id):
            shown = await client.get("/show")
    assert shown["headers"]["traceparent"].split("-")[1] == trace_id


async def test_the_api_key_and_the_query_arrive(edge: Edge) -> None:
    async with edge.open(api_key=SecretStr("k")) as client:
        shown = await client.get("/show", parameters={"limit": 3, "label": "a b&c"})
    assert shown["headers"]["authorization"] == "Bearer k"
    assert shown["query"] == {"limit": "3", "label": "a b&c"}


async def test_large_bodies_pass_whole_both_ways(edge: Edge) -> None:
    body = bytes(range(256)) * (8 * MEBIBYTE // 256)
    async with edge.open() as client:
        received = await client.post("/digest", body, answer=Digest)
        assert received == Digest(sha256=hashlib.sha256(body).hexdigest(), n_bytes=len(body))
        assert len(await client.request("GET", "/big")) == 8 * MEBIBYTE


async def test_a_streamed_upload_arrives_whole(edge: Edge) -> None:
    async def parts() -> AsyncGenerator[bytes]:
        for number in range(100):
            yield str(number).encode() * 1000

    whole = b"".join([part async for part in parts()])
    async with edge.open() as client:
        received = await client.post("/digest", parts(), answer=Digest)
    assert received == Digest(sha256=hashlib.sha256(whole).hexdigest(), n_bytes=len(whole))


async def test_an_upload_that_fails_is_raised_to_the_caller(edge: Edge) -> None:
    class DiskError(Exception):
        pass

    async def parts() -> AsyncGenerator[bytes]:
        yield b"some"
        raise DiskError

    async with edge.open() as client:
        with pytest.raises(DiskError):
            await client.post("/digest", parts())


async def test_concurrent_calls_do_not_mix(edge: Edge) -> None:
    async with edge.open() as client:
        shown = await asyncio.gather(
            *(client.get("/show", parameters={"n": number}) for number in range(50))
        )
    assert [answer["query"]["n"] for answer in shown] == [str(number) for number in range(50)]


async def test_an_answer_of_the_wrong_shape_says_what_is_wrong(edge: Edge) -> None:
    async with edge.open() as client:
        with pytest.raises(BadAnswerError, match=r"not a valid Digest: sha256: Field required"):
            await client.get("/show", answer=Digest)


async def test_a_path_has_an_absolute_address_for_other_clients(edge: Edge) -> None:
    async with edge.open() as client:
        response = await client.http.get(client.url("/show"))
    assert response.json()["query"] == {}


async def test_head_has_headers_and_no_body(edge: Edge) -> None:
    async with edge.open() as client:
        response = await client.http.head("/big")
    assert response.headers["content-length"] == str(8 * MEBIBYTE)
    assert response.content == b""


async def test_nobody_listening_is_named_after_the_retries() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        async with connect(f"http://127.0.0.1:{reserved.getsockname()[1]}", retries=1) as client:
            with pytest.raises(UnreachableError, match=r"cannot be reached"):
                await client.get("/show")
