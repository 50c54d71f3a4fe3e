"""What every service answers: health, docs, problems, ids, headers; in this process."""

import gzip
import hashlib
import json
import logging
from collections.abc import Callable

import pytest
import structlog
from common.errors import PROBLEM_MEDIA_TYPE, Problem
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

Start = Callable[..., TestClient]
KEY = "correct horse battery staple"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()


def problem_of(answer: object, status: int) -> Problem:
    assert getattr(answer, "status_code") == status, getattr(answer, "text")  # noqa: B009 - any client's answer
    headers, content = getattr(answer, "headers"), getattr(answer, "content")  # noqa: B009 - the same
    assert headers["content-type"] == PROBLEM_MEDIA_TYPE
    problem = Problem.model_validate_json(content)
    assert problem.status == status
    assert problem.request_id == headers["x-request-id"]
    assert len(problem.trace_id) == 32
    return problem


def test_the_routes_machines_ask_answer(start: Start) -> None:
    client = start()
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    version = client.get("/version").json()
    assert (version["service"], version["version"]) == ("toy", "1.2.3")
    assert "model_info" in client.get("/metrics").text


def test_readiness_says_what_a_resource_waits_for(start: Start) -> None:
    client = start()
    client.app.state.warehouse.reason = "the shelves are being built"
    problem = problem_of(client.get("/readyz"), 503)
    assert problem.detail == "the shelves are being built"
    assert client.get("/healthz").status_code == 200


def test_resources_open_with_the_lifespan_and_close_with_it(start: Start) -> None:
    client = start()
    log = client.app.state.log
    assert log == ["open"]
    client.__exit__(None, None, None)
    assert log == ["open", "close"]
    client.__enter__()


def test_a_refused_field_is_named_with_what_is_accepted(start: Start) -> None:
    problem = problem_of(start().post("/rows/t", json=[{"age": 200}, {"age": "x", "z": 1}]), 422)
    named = {error.field: error.accepted for error in problem.errors}
    assert named == {"0.age": "at most 150", "1.age": "an integer", "1.z": "the documented fields"}
    assert problem.type == "/problems/invalid-input"


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/nowhere", 404, "/problems/not-found"),
        ("GET", "/count", 405, "/problems/method-not-allowed"),
        ("GET", "/no-room", 409, "/problems/no-room"),
        ("GET", "/teapot", 418, "about:blank"),
        ("GET", "/crash", 500, "/problems/internal-error"),
    ],
)
def test_each_failure_is_a_problem_whose_type_is_a_page(
    start: Start, method: str, path: str, status: int, slug: str
) -> None:
    client = start()
    problem = problem_of(client.request(method, path), status)
    assert problem.type == slug
    assert problem.instance == path
    if slug.startswith("/"):
        page = client.get(slug)
        assert page.status_code == 200
        assert problem.title in page.text


def test_an_unknown_exception_tells_the_log_and_not_the_caller(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = start().get("/crash")
    problem_of(answer, 500)
    assert "internals" not in answer.text
    assert "RuntimeError" not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'[{"age": NaN}]', 422, "0.age: NaN is not a finite number."),
        (b'[{"age": 1, "weight": -Infinity}]', 422, "0.weight: -Infinity is not a finite number."),
        (b'[{"age": 1, "weight": 1e999}]', 422, "0.weight: 1e999 is not a finite number."),
        ('[{"age": NaN}]'.encode("utf-16"), 422, "0.age: NaN is not a finite number."),
        (b'[{"age": 1,}]', 400, "The body is not valid JSON"),
        (b"\xff\xfe\xfd", 400, "body"),
        (b"[" * 200_000, 400, "body"),
    ],
)
def test_a_body_that_is_not_json_is_refused_by_name(
    start: Start, body: bytes, status: int, said: str
) -> None:
    headers = {"content-type": "application/json"}
    problem = problem_of(start().post("/rows/t", content=body, headers=headers), status)
    assert said in problem.detail


def test_numbers_that_only_look_too_large_pass(start: Start) -> None:
    body = b'[{"age": 1, "weight": 1.5e300}, {"age": 2, "weight": 1e-999}]'
    headers = {"content-type": "application/json"}
    assert start().post("/rows/t", content=body, headers=headers).json() == {"n": 2}


def test_a_long_or_broken_key_is_named_and_not_echoed(start: Start) -> None:
    body = json.dumps([{"age": 1, "k" * 100_000: 1, "\ud800": 2}]).encode()
    headers = {"content-type": "application/json"}
    answer = start().post("/rows/t", content=body, headers=headers)
    problem_of(answer, 422)
    assert len(answer.content) < 2_000


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=JSON_VALUES.map(json.dumps).map(str.encode) | st.binary(max_size=200))
def test_whatever_is_sent_the_answer_is_success_or_a_problem(start: Start, body: bytes) -> None:
    client = _kept(start)
    answer = client.post("/rows/t", content=body, headers={"content-type": "application/json"})
    if answer.status_code != 200:
        assert answer.status_code in {400, 422}
        problem_of(answer, answer.status_code)


_CLIENTS: dict[int, TestClient] = {}


def _kept(start: Start) -> TestClient:
    if id(start) not in _CLIENTS:
        _CLIENTS.clear()
        _CLIENTS[id(start)] = start()
    return _CLIENTS[id(start)]


def test_every_answer_has_security_headers_and_an_id(start: Start) -> None:
    client = start()
    for path in ("/hello", "/nowhere", "/crash", "/docs"):
        headers = client.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-request-id"]
    assert client.get("/hello", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == (
        "mine-1"
    )
    hostile = client.get("/hello", headers={"X-Request-ID": "a b<script>"})
    assert hostile.headers["x-request-id"] != "a b<script>"


def test_the_callers_trace_goes_on(start: Start) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    traceparent = f"00-{trace_id}-00f067aa0ba902b7-01"
    answer = start().get("/nowhere", headers={"traceparent": traceparent})
    assert problem_of(answer, 404).trace_id == trace_id


def test_the_docs_load_nothing_from_elsewhere(start: Start) -> None:
    client = start()
    page = client.get("/docs").text
    assert "http://" not in page
    assert "https://" not in page
    for path in ("/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/start.js"):
        assert client.get(path).status_code == 200
    assert client.get("/docs/../secret").status_code == 404


def test_every_reference_in_the_openapi_document_resolves(start: Start) -> None:
    document = start().get("/openapi.json").json()

    def references(value: object) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for inner in value.values() for found in references(inner)]
        if isinstance(value, list):
            return [found for inner in value for found in references(inner)]
        return []

    found = references(document)
    assert found
    for reference in found:
        target = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
    answers = document["paths"]["/rows/{table}"]["post"]["responses"]
    assert PROBLEM_MEDIA_TYPE in answers["422"]["content"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {KEY}"}, 401),
        ({"X-API-Key": ""}, 401),
        ({"Authorization": f"Bearer {KEY}"}, 200),
        ({"X-API-Key": KEY}, 200),
    ],
)
def test_a_keyed_service_answers_only_who_has_the_key(
    start: Start, headers: dict[str, str], status: int
) -> None:
    client = start(api_keys=(DIGEST,))
    answer = client.get("/hello", headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert problem_of(answer, 401).type == "/problems/unauthorized"


def test_probes_and_docs_need_no_key_and_metrics_do(start: Start) -> None:
    client = start(api_keys=(DIGEST,))
    for path in ("/healthz", "/readyz", "/version", "/docs", "/openapi.json", "/problems/busy"):
        assert client.get(path).status_code == 200
    assert client.get("/metrics").status_code == 401


@pytest.mark.parametrize("path", ["/rows/t", "/echo"])
@pytest.mark.parametrize("encoding", ["gzip", "identity, BR", "zip" * 40])
def test_a_body_in_an_encoding_that_is_not_accepted_is_refused_by_name(
    start: Start, path: str, encoding: str
) -> None:
    headers = {"content-type": "application/json", "content-encoding": encoding}
    answer = start().post(path, content=gzip.compress(b"[]"), headers=headers)
    told = problem_of(answer, 415)
    assert told.type == "/problems/encoded-body"
    assert told.detail.startswith(f"Content-Encoding is '{encoding[:40]}'; accepted is identity")
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("encoding", ["identity", " Identity ,identity", ""])
def test_a_body_that_says_it_is_as_it_is_is_taken(start: Start, encoding: str) -> None:
    headers = {"content-type": "application/json", "content-encoding": encoding}
    assert start().post("/rows/t", content=b"[]", headers=headers).status_code == 200


def test_a_body_over_the_limit_is_refused_announced_or_not(start: Start) -> None:
    client = start(max_body_bytes=1000)
    announced = client.post("/count", content=b"x" * 1001)
    streamed = client.post("/count", content=iter([b"x" * 600, b"x" * 600]))
    for answer in (announced, streamed):
        assert "1000 bytes" in problem_of(answer, 413).detail
    assert client.post("/count", content=b"x" * 1000).json() == {"n_bytes": 1000}


def test_an_answer_that_does_not_begin_in_time_is_given_up_and_its_work_cancelled(
    start: Start,
) -> None:
    client = start(request_timeout_s=0.05)
    problem = problem_of(client.get("/stuck"), 503)
    assert problem.type == "/problems/timeout"
    assert "cancelled" in client.app.state.log


def test_a_route_with_a_limit_of_its_own_has_that_one_alone(start: Start) -> None:
    client = start(request_timeout_s=0.05)
    worked = client.post("/work", params={"n_seconds": 0.3}, json=[{"age": 1}])
    assert worked.json() == {"n": 1}
    client = start(request_timeout_s=60, work_timeout_s=0.05)
    problem = problem_of(client.post("/work", params={"n_seconds": 60}, json=[]), 503)
    assert problem.type == "/problems/timeout"
    assert problem.detail == (
        "No answer began within 0.05 s (P9_WORK_TIMEOUT_S). Half of it is kept."
    )


def test_a_stream_that_has_begun_may_take_its_time(start: Start) -> None:
    client = start(request_timeout_s=0.05)
    assert client.get("/stream", params={"n_seconds": 0.3}).text == "first last"


def test_requests_are_counted_by_route_and_status_never_by_path(start: Start) -> None:
    client = start()
    for path in ("/hello", "/nowhere/1", "/nowhere/2"):
        client.get(path)
    client.post("/rows/secret-table", json=[])
    text = client.get("/metrics").text
    assert 'http_requests_total{method="GET",route="/hello",status="200"} 1.0' in text
    assert 'route="/rows/{table}",status_class="2xx"' in text
    assert 'route="(unmatched)",status="404"} 2.0' in text
    assert "secret-table" not in text
    assert "http_requests_in_flight 1.0" in text


def test_one_access_event_a_request_and_probes_at_debug(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    client = start()
    with structlog.testing.capture_logs() as events, caplog.at_level(logging.DEBUG):
        client.get("/hello")
        client.get("/healthz")
    access = [event for event in events if event["event"] == "request"]
    assert [(e["route"], e["log_level"]) for e in access] == [
        ("/hello", "info"),
        ("/healthz", "debug"),
    ]
    assert access[0]["n_bytes"] == len(b'{"greeting":"hello"}')
