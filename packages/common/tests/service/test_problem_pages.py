"""Every problem's `type` leads to a page of the service that explains it."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import common.service.problems as kit
import pytest
from common.errors import PROBLEM_MEDIA_TYPE, Problem, ProblemError, ProblemType
from common.service.problems import BUILT_IN
from httpx2 import Response
from starlette.testclient import TestClient

Start = Callable[..., TestClient]
JSON = {"content-type": "application/json"}
GZIP = {"content-encoding": "gzip"}
NO_ROOM = ProblemType("no-room", "No room", 409, "Send fewer rows.")  # the toy's own
PAGES = pytest.mark.parametrize("kind", [*BUILT_IN, NO_ROOM], ids=lambda kind: kind.slug)


def problem_of(answer: Response, kind: ProblemType) -> Problem:
    assert answer.status_code == kind.status, answer.text
    assert answer.headers["content-type"] == PROBLEM_MEDIA_TYPE
    problem = Problem.model_validate_json(answer.content)
    assert (problem.type, problem.title) == (kind.uri, kind.title)
    return problem


def test_every_kind_of_the_kit_is_among_those_that_have_a_page() -> None:
    named = [value for value in vars(kit).values() if isinstance(value, ProblemType)]
    assert len(named) == len(BUILT_IN)
    assert set(named) == set(BUILT_IN)
    assert len({kind.slug for kind in BUILT_IN}) == len(BUILT_IN)


@PAGES
def test_a_problems_page_says_what_it_is_and_what_to_do(start: Start, kind: ProblemType) -> None:
    answer = start().get(kind.uri)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    text = html.unescape(re.sub("<[^>]+>", " ", answer.text))
    for said in (kind.slug, kind.title, f"status {kind.status}", kind.advice):
        assert said
        assert said in text


@pytest.mark.parametrize("has_page", [True, False])
def test_all_that_a_problems_page_links_to_is_there(
    start: Start, tmp_path: Path, has_page: bool
) -> None:
    client = start()
    if has_page:
        client.app.state.service.pages(tmp_path)
    page = client.get("/problems/busy").text
    links = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert ("/design/tokens.css" in links) == has_page
    assert "/docs" in links
    for link in links:
        assert client.get(link).status_code == 200, link


def test_an_unknown_slug_is_a_problem_whose_own_page_is_there(start: Start) -> None:
    client = start()
    for slug in ("nope", "BUSY", "busy%20", "%3Cscript%3E", "%00", "x" * 5_000):
        problem = problem_of(client.get(f"/problems/{slug}"), kit.NOT_FOUND)
        assert client.get(problem.type).status_code == 200


def test_words_of_a_kind_are_text_on_its_page_and_never_markup(start: Start) -> None:
    client = start()

    class OddError(Exception):
        pass

    odd = ProblemType("odd", "<script>a & b</script>", 400, "Use <b> less.")
    client.app.state.service.problems({OddError: odd})
    page = client.get("/problems/odd").text
    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;a &amp; b" in page


def test_a_kind_without_advice_still_has_a_page_that_says_where_to_look(start: Start) -> None:
    client = start()
    client.app.state.service.problems({LookupError: ProblemType("lost", "Lost", 404)})
    assert "See `detail`." in client.get("/problems/lost").text


@pytest.mark.parametrize(
    ("kind", "provoke"),
    [
        (kit.INVALID, lambda c: c.post("/rows/t", json=[{"age": -1}])),
        (kit.INVALID, lambda c: c.post("/rows/t", content=b'[{"age": NaN}]', headers=JSON)),
        (kit.MALFORMED, lambda c: c.post("/rows/t", content=b"[", headers=JSON)),
        (kit.NOT_FOUND, lambda c: c.get("/nowhere")),
        (kit.METHOD, lambda c: c.get("/count")),
        (kit.UNAUTHORIZED, lambda c: c.get("/unkeyed")),
        (kit.TOO_LARGE, lambda c: c.post("/count", content=b"x" * 2_000)),
        (kit.ENCODED, lambda c: c.post("/count", content=b"x", headers=GZIP)),
        (kit.TIMEOUT, lambda c: c.get("/stuck")),
        (kit.INTERNAL, lambda c: c.get("/crash")),
        (kit.NOT_READY, lambda c: c.get("/readyz")),
        (NO_ROOM, lambda c: c.get("/no-room")),
    ],
    ids=lambda value: value.slug if isinstance(value, ProblemType) else "",
)
def test_the_type_of_each_refusal_leads_to_its_page(
    start: Start, kind: ProblemType, provoke: Callable[[TestClient], Response]
) -> None:
    """Busy and the refusals of the connection itself are in `test_process.py`."""
    client = start(request_timeout_s=1.0, max_body_bytes=1_000)
    client.app.state.warehouse.reason = "the shelves are being built"
    client.app.add_api_route("/unkeyed", refuse_unkeyed)
    answer = provoke(client)
    problem = problem_of(answer, kind)
    assert kind.title in html.unescape(client.get(problem.type).text)
    if kind is kit.METHOD:  # the page says to see it
        assert answer.headers["allow"] == "POST"


async def refuse_unkeyed() -> None:
    raise kit.RefusedError(kit.UNAUTHORIZED, "No key.")


def test_the_pages_need_no_key(start: Start) -> None:
    client = start(api_keys=("0" * 64,))
    problem = problem_of(client.get("/hello"), kit.UNAUTHORIZED)
    assert client.get(problem.type).status_code == 200


@pytest.mark.parametrize(
    ("upstream", "told"),
    [
        ("/problems/no-index", "about:blank"),  # the other service's page is not here
        ("no-index", "about:blank"),
        ("", "about:blank"),
        ("/problems/no-room", "/problems/no-room"),
        ("about:blank", "about:blank"),
        ("https://example.org/problems/no-index", "https://example.org/problems/no-index"),
    ],
)
def test_a_problem_of_another_service_is_passed_on_without_a_type_that_leads_nowhere(
    start: Start, upstream: str, told: str
) -> None:
    client = start()

    @client.app.get("/asks-another")
    async def asks_another() -> None:
        raise ProblemError(
            Problem(type=upstream, title="No index", status=409, detail="Build the index first."),
            {"Retry-After": "7"},
        )

    answer = client.get("/asks-another")
    problem = Problem.model_validate_json(answer.content)
    assert (problem.type, problem.title, problem.status) == (told, "No index", 409)
    assert (problem.detail, problem.instance) == ("Build the index first.", "/asks-another")
    assert answer.headers["retry-after"] == "7"
