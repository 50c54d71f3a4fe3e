"""Plain functions as MCP tools, called by the official client over a socket and in this process."""

import asyncio
import hashlib
import socket
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, contextmanager

import pytest
import uvicorn
from common.errors import DomainError
from common.service import Service, create_service
from common.service.client import ServiceClient, connect, connect_app
from common.settings import Settings
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic import BaseModel, Field, SecretStr

pytestmark = pytest.mark.anyio

PATIENCE_S = 20.0
KEY = "open-sesame"


class UnknownColumnError(DomainError):
    """A domain error of the toy service."""


class Row(BaseModel):
    age: int = Field(ge=0)
    city: str = "Ulm"


class Prediction(BaseModel):
    label: str
    probability: float


def predict(row: Row, threshold: float = 0.5) -> Prediction:
    """Predict whether a customer leaves.

    The threshold decides the label.
    """
    if row.city == "Nowhere":
        raise UnknownColumnError("There is no city 'Nowhere'; use one of Ulm, Jena.")
    if row.city == "Crash":
        raise RuntimeError("a secret of the service")
    return Prediction(label="stays" if row.age / 100 < threshold else "leaves", probability=0.7)


async def describe() -> dict[str, str]:
    """Describe the model."""
    return {"model": "toy"}


def thread_name() -> str:
    """Tell where a sync tool runs."""
    return threading.current_thread().name


class Slow:
    """A tool that waits, and learns when its caller has gone."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def wait(self) -> str:
        """Wait for ever."""
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        return "never"


class QuietServer(uvicorn.Server):
    """A server inside the test's loop, which leaves the test runner's signals alone."""

    @contextmanager
    def capture_signals(self):
        yield


@asynccontextmanager
async def opened(kind: str, service: Service, **options: object) -> AsyncGenerator[ServiceClient]:
    if kind == "in process":
        async with connect_app(service.app, **options) as client:
            yield client
        return
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(service.app, log_config=None, lifespan="on", ws="none")
        server = QuietServer(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with connect(url, **options) as client:
                yield client
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def calling(client: ServiceClient, mode: str = "auto") -> AsyncGenerator[Client]:
    transport = streamable_http_client(client.url("/mcp"), http_client=client.http)
    async with Client(transport, mode=mode) as tools:
        yield tools


def toy_service(settings: Settings | None = None, *more: object) -> Service:
    service = create_service(
        "toy", settings or Settings(), title="Toy", summary="A toy.", version="1.2.3"
    )
    service.tools(predict, describe, thread_name, *more)
    return service


@pytest.fixture(params=["over a socket", "in process"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> str:
    """The protocol of 2026 as negotiated, and the initialize handshake of the years before."""
    return request.param


async def test_tools_are_listed_with_description_and_schemas(kind: str, mode: str) -> None:
    async with opened(kind, toy_service()) as client, calling(client, mode) as tools:
        listed = {tool.name: tool for tool in (await tools.list_tools()).tools}
    assert set(listed) == {"predict", "describe", "thread_name"}
    tool = listed["predict"]
    assert tool.description == (
        "Predict whether a customer leaves.\n\nThe threshold decides the label."
    )
    assert tool.input_schema["required"] == ["row"]
    assert tool.output_schema["properties"]["probability"]["type"] == "number"


async def test_a_call_takes_models_and_answers_structured(kind: str, mode: str) -> None:
    async with opened(kind, toy_service()) as client, calling(client, mode) as tools:
        result = await tools.call_tool("predict", {"row": {"age": 80}})
        described = await tools.call_tool("describe", {})
    assert not result.is_error
    assert result.structured_content == {"label": "leaves", "probability": 0.7}
    assert described.structured_content == {"model": "toy"}


async def test_a_domain_error_reaches_the_caller_in_its_own_words(kind: str, mode: str) -> None:
    async with opened(kind, toy_service()) as client, calling(client, mode) as tools:
        result = await tools.call_tool("predict", {"row": {"age": 1, "city": "Nowhere"}})
    assert result.is_error
    assert result.content[0].text.endswith("There is no city 'Nowhere'; use one of Ulm, Jena.")


async def test_a_crash_tells_the_caller_nothing(kind: str) -> None:
    async with opened(kind, toy_service()) as client, calling(client) as tools:
        result = await tools.call_tool("predict", {"row": {"age": 1, "city": "Crash"}})
    assert result.is_error
    assert "secret" not in result.model_dump_json()
    assert "Traceback" not in result.model_dump_json()


async def test_a_wrong_argument_is_named(kind: str) -> None:
    async with opened(kind, toy_service()) as client, calling(client) as tools:
        result = await tools.call_tool("predict", {"row": {"age": -1}})
    assert result.is_error
    assert "row.age" in result.content[0].text


async def test_sync_tools_leave_the_event_loop_free() -> None:
    async with opened("in process", toy_service()) as client, calling(client) as tools:
        result = await tools.call_tool("thread_name", {})
    assert result.content[0].text != threading.main_thread().name


async def test_calls_run_side_by_side(kind: str) -> None:
    async with opened(kind, toy_service()) as client, calling(client) as tools:
        ages = range(0, 100, 10)
        results = await asyncio.gather(
            *(tools.call_tool("predict", {"row": {"age": age}}) for age in ages)
        )
    labels = [result.structured_content["label"] for result in results]
    assert labels == ["stays"] * 5 + ["leaves"] * 5


async def test_a_caller_that_leaves_cancels_its_tool(kind: str) -> None:
    slow = Slow()
    service = toy_service(None, slow.wait)
    async with opened(kind, service) as client, calling(client) as tools:
        call = asyncio.create_task(tools.call_tool("wait", {}))
        async with asyncio.timeout(PATIENCE_S):
            await slow.entered.wait()
            call.cancel()
            await slow.cancelled.wait()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_keys_guard_the_tools_like_any_other_route(kind: str) -> None:
    settings = Settings(api_keys=(hashlib.sha256(KEY.encode()).hexdigest(),))
    async with opened(kind, toy_service(settings)) as client:
        assert (await client.http.post("/mcp", json={})).status_code == 401
    async with (
        opened(kind, toy_service(settings), api_key=SecretStr(KEY)) as client,
        calling(client) as tools,
    ):
        assert not (await tools.call_tool("describe", {})).is_error


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "rebound.example:8101"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "p1:8000"}, 200),
        ({"Origin": "http://localhost:3000"}, 200),
    ],
)
async def test_a_service_without_keys_answers_only_names_it_can_believe(
    headers: dict[str, str], status: int
) -> None:
    async with opened("in process", toy_service()) as client:
        answer = await client.http.post("/mcp", json=INITIALIZE, headers=ACCEPT | headers)
    assert answer.status_code == status


async def test_a_listed_public_name_is_answered() -> None:
    settings = Settings(allowed_hosts=("api.example.com",))
    async with opened("in process", toy_service(settings)) as client:
        headers = ACCEPT | {"Host": "api.example.com"}
        answer = await client.http.post("/mcp", json=INITIALIZE, headers=headers)
    assert answer.status_code == 200


async def test_the_app_can_be_started_again_with_its_tools() -> None:
    service = toy_service()
    for _ in range(2):
        async with opened("in process", service) as client, calling(client) as tools:
            assert not (await tools.call_tool("describe", {})).is_error


ACCEPT = {"Accept": "application/json, text/event-stream"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "an old client", "version": "1"},
    },
}
