"""Hot routes keep every promise of the kit: limits, keys, ids, metrics, problems."""

import hashlib
from collections.abc import Callable, Iterator

import pytest
import structlog
from common.errors import DomainError, ProblemType
from common.service import create_service
from common.settings import Settings
from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.testclient import TestClient


class SoldOutError(DomainError):
    """What the domain refuses."""


async def echo(body: bytes) -> bytes:
    if body == b'"sold out"':
        raise SoldOutError("no more of these")
    if body == b'"crash"':
        raise ZeroDivisionError("row of Mrs Smith")
    return b'{"you_said": %s}' % body


Start = Callable[..., TestClient]


@pytest.fixture
def start() -> Iterator[Start]:
    opened: list[TestClient] = []

    def started(**settings: object) -> TestClient:
        service = create_service("hot", Settings(**settings), title="H", summary="", version="1")
        router = APIRouter()

        @router.post("/echo")
        async def documented(request: Request) -> Response:
            return Response(await echo(await request.body()), media_type="application/json")

        service.mount(router)
        service.hot_route("/echo", echo)
        service.problems({SoldOutError: ProblemType("sold-out", "Sold out", 409)})
        client = TestClient(service.app, raise_server_exceptions=False)
        opened.append(client.__enter__())
        return opened[-1]

    with structlog.testing.capture_logs():
        yield started
        for client in opened:
            client.__exit__(None, None, None)


def test_it_answers_with_ids_and_headers_and_is_counted_by_its_route(start: Start) -> None:
    client = start()
    answer = client.post("/echo", json=[1, 2])
    assert answer.json() == {"you_said": [1, 2]}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.headers["x-request-id"]) == 16
    counted = 'http_requests_total{method="POST",route="/echo",status="200"} 1.0'
    assert counted in client.get("/metrics").text
    assert "/echo" in client.get("/openapi.json").json()["paths"]


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b'"sold out"', 409, "sold-out"),
        (b'"crash"', 500, "internal-error"),
        (b"[" + b"1," * 800 + b"1]", 413, "body-too-large"),
    ],
)
def test_what_fails_is_a_problem(start: Start, body: bytes, status: int, slug: str) -> None:
    answer = start(max_body_bytes=1000).post(
        "/echo", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"/problems/{slug}"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "Smith" not in answer.text


def test_a_crash_is_told_to_the_log(start: Start) -> None:
    client = start()
    with structlog.testing.capture_logs() as events:
        assert client.post("/echo", json="crash").status_code == 500
    assert [event["event"] for event in events] == ["unhandled_error", "request"]


def test_it_needs_the_key_like_any_route(start: Start) -> None:
    client = start(api_keys=hashlib.sha256(b"plum").hexdigest())
    assert client.post("/echo", json=1).status_code == 401
    assert client.post("/echo", json=1, headers={"x-api-key": "plum"}).status_code == 200


def test_another_method_is_refused_by_the_route_that_documents_it(start: Start) -> None:
    assert start().get("/echo").status_code == 405


def test_a_body_in_pieces_arrives_whole(start: Start) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"[1,"
        yield b"2]"

    answer = start().post("/echo", content=pieces(), headers={"content-type": "application/json"})
    assert answer.json() == {"you_said": [1, 2]}


def test_a_typed_hot_route_takes_its_types_and_leaves_the_rest_to_fastapi() -> None:
    async def quick(body: bytes, content_type: str) -> bytes:
        return b'{"by":"hot","type":"%s"}' % content_type.encode()

    service = create_service("hot", Settings(), title="H", summary="", version="1")
    router = APIRouter()

    @router.post("/typed")
    async def documented(request: Request) -> Response:
        return Response(b'{"by":"fastapi"}', media_type="application/json")

    service.mount(router)
    service.hot_typed_route("/typed", quick, ("image/png", "multipart/form-data"))
    with TestClient(service.app) as client:

        def asked(content_type: str | None, query: str = "") -> dict[str, str]:
            headers = {"content-type": content_type} if content_type else {}
            return client.post(f"/typed{query}", content=b"x", headers=headers).json()

        form = "multipart/form-data; boundary=b"
        assert asked("image/png") == {"by": "hot", "type": "image/png"}
        assert asked(form) == {"by": "hot", "type": form}
        for content_type, query in (("image/png", "?top=1"), ("image/gif", ""), (None, "")):
            assert asked(content_type, query) == {"by": "fastapi"}
