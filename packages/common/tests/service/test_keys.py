"""Who may ask a service with keys: any of its keys, in any of the two headers, and nobody else."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from common.errors import PROBLEM_MEDIA_TYPE, Problem
from httpx2 import Response
from starlette.testclient import TestClient

Start = Callable[..., TestClient]
KEYS = ("plum-and-cinder", "a second, with spaces", "Schlüssel ключ à")


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


DIGESTS = tuple(digest(key) for key in KEYS)


def refused(answer: Response) -> Problem:
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'
    problem = Problem.model_validate_json(answer.content)
    assert (problem.type, problem.status) == ("/problems/unauthorized", 401)
    return problem


@pytest.mark.parametrize("key", KEYS)
def test_any_of_the_keys_is_accepted_in_either_header(start: Start, key: str) -> None:
    client = start(api_keys=DIGESTS)
    for headers in (
        {"Authorization": b"Bearer " + key.encode()},
        {"Authorization": b"bearer  " + key.encode()},  # RFC 9110, section 11.1: any case
        {"X-API-Key": key.encode()},
    ):
        assert client.get("/hello", headers=headers).json() == {"greeting": "hello"}


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b" ",
        b"wrong",
        KEYS[0].upper().encode(),
        KEYS[0].encode() + b"!",
        KEYS[0][:-1].encode(),
        DIGESTS[0].encode(),
        ",".join(KEYS[:2]).encode(),
        "ключ".encode(),
        "Schlüssel ключ à".encode("utf-16"),
        b"\xff\xfe",
        b"\xa0" + KEYS[0].encode(),  # a space in Latin-1 only
        b"x" * 10_000,
    ],
)
def test_a_key_that_is_not_exactly_one_of_them_is_refused(start: Start, key: bytes) -> None:
    client = start(api_keys=DIGESTS)
    refused(client.get("/hello", headers={"Authorization": b"Bearer " + key}))
    answer = client.get("/hello", headers={"X-API-Key": key})
    assert key.strip() == b"" or key not in answer.content
    refused(answer)


def test_a_key_elsewhere_than_in_its_header_is_no_key(start: Start) -> None:
    client = start(api_keys=DIGESTS)
    refused(client.get("/hello", params={"api_key": KEYS[0]}))
    refused(client.get("/hello", headers={"Cookie": f"x-api-key={KEYS[0]}"}))
    refused(client.get("/hello", headers={"Authorization": KEYS[0]}))
    refused(client.get("/hello", headers={"Authorization": "Bearer", "X-API-Key": KEYS[0]}))


def test_an_empty_key_is_refused_even_where_its_digest_was_configured(start: Start) -> None:
    """A line such as `sha256sum < unset-variable` must not open a service to everyone."""
    client = start(api_keys=(digest(""), DIGESTS[0]))
    refused(client.get("/hello"))
    refused(client.get("/hello", headers={"X-API-Key": ""}))
    refused(client.get("/hello", headers={"Authorization": "Bearer "}))
    assert client.get("/hello", headers={"X-API-Key": KEYS[0]}).status_code == 200


def test_every_route_is_closed_whatever_the_method_and_whether_it_exists(start: Start) -> None:
    client = start(api_keys=DIGESTS)
    for method, path in (
        ("POST", "/rows/t"),
        ("GET", "/stream"),
        ("GET", "/nowhere"),  # who has no key does not learn which routes there are
        ("DELETE", "/hello"),
        ("GET", "/metrics"),
        ("GET", "/docs/../hello"),
        ("GET", "/problems"),
    ):
        refused(client.request(method, path))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    directory = tmp_path / "page"
    directory.mkdir()
    for name in ("index.html", "app.js", "hello"):
        (directory / name).write_text(f"the file {name}")
    return directory


def test_the_page_and_what_it_loads_are_open_and_what_it_asks_is_not(
    start: Start, page: Path
) -> None:
    client = start(api_keys=DIGESTS)
    client.app.state.service.pages(page)
    assert client.get("/").text == "the file index.html"
    assert client.get("/app.js").text == "the file app.js"
    assert client.head("/app.js").status_code == 200
    assert client.get("/design/tokens.css").status_code == 200
    refused(client.post("/app.js"))
    refused(client.get("/missing.js"))
    refused(client.get("/hello"))
    assert client.get("/hello", headers={"X-API-Key": KEYS[0]}).json() == {"greeting": "hello"}


def test_a_path_that_names_a_file_of_the_page_opens_no_route(start: Start, page: Path) -> None:
    client = start(api_keys=DIGESTS)
    client.app.state.service.pages(page)

    @client.app.get("/notes/{path:path}")
    async def note(path: str) -> str:
        return f"a secret note at {path}"

    path = "/notes/mine/%2e%2e/%2e%2e/app.js"
    refused(client.get(path))
    assert "secret" in client.get(path, headers={"X-API-Key": KEYS[0]}).text
