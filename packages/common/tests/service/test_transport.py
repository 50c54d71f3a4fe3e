"""What the in-process transport alone promises: back-pressure, lifetimes, isolation, scopes."""

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncGenerator

import httpx2
import pytest
from common.service.transport import LifespanError, StreamingASGITransport
from starlette.applications import Starlette

pytestmark = pytest.mark.anyio

PATIENCE_S = 20.0
START = {"type": "http.response.start", "status": 200, "headers": []}


def client_of(transport: StreamingASGITransport, **options: object) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=transport, base_url="http://service.test:8101", **options)


def http_only(handle):
    """An ASGI app without a lifespan: it refuses that scope, as the specification allows."""

    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        await handle(scope, receive, send)

    return app


async def test_an_app_without_a_reader_waits_instead_of_filling_memory() -> None:
    n_sent = 0

    async def flood(scope, receive, send):
        nonlocal n_sent
        await send(START)
        while n_sent < 100:
            n_sent += 1
            last = n_sent == 100
            await send({"type": "http.response.body", "body": b"x" * 1024, "more_body": not last})

    transport = StreamingASGITransport(http_only(flood), max_buffered_bytes=4 * 1024)
    async with client_of(transport) as client, client.stream("GET", "/") as response:
        for _ in range(50):
            await asyncio.sleep(0)  # every chance to run ahead
        assert n_sent == 4
        assert len(await response.aread()) == 100 * 1024


async def test_an_app_that_ignores_the_disconnect_is_cancelled_after_the_grace() -> None:
    cancelled = asyncio.Event()

    async def stubborn(scope, receive, send):
        await send(START)
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    transport = StreamingASGITransport(http_only(stubborn), disconnect_grace_s=0.01)
    async with client_of(transport) as client:
        async with client.stream("GET", "/"):
            pass
        async with asyncio.timeout(PATIENCE_S):
            await cancelled.wait()


async def test_closing_lets_what_runs_after_the_answer_finish_before_the_shutdown() -> None:
    order = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        yield
        order.append("shutdown")

    async def answer_then_work(scope, receive, send):
        await send(START)
        await send({"type": "http.response.body", "body": b"done"})
        await asyncio.sleep(0)
        order.append("background work")

    inner = Starlette(lifespan=lifespan)

    async def app(scope, receive, send):
        await (inner if scope["type"] == "lifespan" else answer_then_work)(scope, receive, send)

    async with client_of(StreamingASGITransport(app)) as client:
        assert (await client.get("/")).text == "done"
    assert order == ["background work", "shutdown"]


async def test_a_failing_startup_names_its_cause_and_stays_failed() -> None:
    n_starts = 0

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        nonlocal n_starts
        n_starts += 1
        raise PermissionError("the data directory is read-only")
        yield

    client = client_of(StreamingASGITransport(Starlette(lifespan=lifespan)))
    for _ in range(2):
        with pytest.raises(LifespanError, match=r"PermissionError: the data directory") as failed:
            await client.get("/")
    assert isinstance(failed.value.__cause__, PermissionError)
    assert n_starts == 1


async def test_a_startup_that_hangs_is_given_up() -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        await asyncio.Event().wait()
        yield

    transport = StreamingASGITransport(Starlette(lifespan=lifespan), lifespan_timeout_s=0.01)
    with pytest.raises(LifespanError, match=r"not ready within 0.01 s"):
        async with client_of(transport):
            pass


async def test_concurrent_first_calls_start_the_app_once() -> None:
    n_starts = 0

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        nonlocal n_starts
        n_starts += 1
        await asyncio.sleep(0)
        yield

    client = client_of(StreamingASGITransport(Starlette(lifespan=lifespan)))
    answers = await asyncio.gather(*(client.get("/") for _ in range(10)))
    await client.aclose()
    assert {answer.status_code for answer in answers} == {404}
    assert n_starts == 1


async def test_a_closed_transport_says_so() -> None:
    client = client_of(StreamingASGITransport(Starlette()))
    transport = client._transport
    await client.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await transport.handle_async_request(httpx2.Request("GET", "http://service.test/"))


async def test_the_scope_is_what_a_server_would_give() -> None:
    scopes = []

    async def keep(scope, receive, send):
        scopes.append(scope)
        await send(START)
        await send({"type": "http.response.body"})

    transport = StreamingASGITransport(http_only(keep), root_path="/p1", client=("10.0.0.9", 4711))
    async with client_of(transport) as client:
        await client.get("/caf%C3%A9/a%2Fb", params={"q": "x y"}, headers={"X-Mixed-Case": "1"})
    scope = scopes[0]
    assert (scope["http_version"], scope["scheme"], scope["method"]) == ("1.1", "http", "GET")
    assert scope["server"] == ("service.test", 8101)
    assert scope["client"] == ("10.0.0.9", 4711)
    assert scope["root_path"] == "/p1"
    assert scope["path"] == "/p1/café/a/b"
    assert scope["raw_path"] == b"/p1/caf%C3%A9/a%2Fb"
    assert scope["query_string"] == b"q=x+y"
    assert (b"x-mixed-case", b"1") in scope["headers"]
    assert scope["extensions"] == {}


async def test_the_app_does_not_inherit_the_callers_context() -> None:
    caller = contextvars.ContextVar("caller", default="nobody")
    seen = []

    async def look(scope, receive, send):
        seen.append(caller.get())
        await send(START)
        await send({"type": "http.response.body"})

    async with client_of(StreamingASGITransport(http_only(look))) as client:
        caller.set("somebody")
        await client.get("/")
    assert seen == ["nobody"]


async def test_a_body_that_is_not_as_long_as_promised_breaks_the_answer() -> None:
    async def short(scope, receive, send):
        await send({**START, "headers": [(b"content-length", b"10")]})
        await send({"type": "http.response.body", "body": b"short"})

    async with client_of(StreamingASGITransport(http_only(short))) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get("/")


async def test_an_app_that_returns_without_an_answer_is_a_500() -> None:
    async def silent(scope, receive, send):
        return

    async with client_of(StreamingASGITransport(http_only(silent))) as client:
        assert (await client.get("/")).status_code == 500


async def test_an_answer_may_come_before_the_upload_was_read() -> None:
    async def refuse(scope, receive, send):
        await send({**START, "status": 413})
        await send({"type": "http.response.body", "body": b"too large"})

    async def endless() -> AsyncGenerator[bytes]:
        while True:
            yield b"x" * 1024

    async with client_of(StreamingASGITransport(http_only(refuse))) as client:
        response = await client.post("/", content=endless())
    assert (response.status_code, response.text) == (413, "too large")


async def test_a_caller_that_is_cancelled_while_it_waits_leaves_a_disconnect_behind() -> None:
    entered, disconnected = asyncio.Event(), asyncio.Event()

    async def wait(scope, receive, send):
        entered.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        disconnected.set()

    async with client_of(StreamingASGITransport(http_only(wait))) as client:
        call = asyncio.create_task(client.get("/"))
        async with asyncio.timeout(PATIENCE_S):
            await entered.wait()
            call.cancel()
            await disconnected.wait()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_chunks_that_the_app_sends_after_the_reader_left_do_not_stop_the_loop() -> None:
    stop = asyncio.Event()

    async def chatter(scope, receive, send):
        await send(START)
        while not stop.is_set():
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    async with client_of(StreamingASGITransport(http_only(chatter))) as client:
        async with client.stream("GET", "/"):
            pass
        stop.set()
