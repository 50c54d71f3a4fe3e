"""What the OpenAPI documents promise, held by Schemathesis: generated requests, good and bad.

No 5xx, no undocumented status or content type, answers of the documented shape, bad data refused,
and every refusal a problem (RFC 9457).
"""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from p0_foundations.api import create_app as create_p0
from p0_foundations.settings import Settings as P0Settings
from p1_prediction_api.api import create_app as create_p1
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.settings import Settings as P1Settings
from p1_prediction_api.training import train
from p2_nn_service.api import create_app as create_p2
from p2_nn_service.first_model import publish_builtin
from p2_nn_service.settings import Settings as P2Settings
from p3_rag_chatbot.api import create_app as create_p3
from p3_rag_chatbot.settings import Settings as P3Settings
from schemathesis import Case, CheckContext, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.browser import Site, served

pytestmark = pytest.mark.slow

N_EXAMPLES = 25
PROBLEM = "application/problem+json"


def refusals_are_problems(_context: CheckContext, response, case: Case) -> None:
    """Every status from 400 on is a problem: type, title, its status, the request's id."""
    if response.status_code < 400:
        return
    kind = response.headers["content-type"][0]
    assert kind.startswith(PROBLEM), f"{case.method} {case.path}: {kind}"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["type"] == "about:blank" or problem["type"].startswith("/problems/")
    assert problem["title"]
    assert problem["request_id"]


def wrong_types_are_refused(context: CheckContext, response, case: Case) -> bool | None:
    """Hold JSON to its schema; in a form every value is a text, whatever it was generated as."""
    if (case.media_type or "").startswith("multipart/"):
        return None
    return negative_data_rejection(context, response, case)


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    wrong_types_are_refused,
    refusals_are_problems,
]


@pytest.fixture(scope="module", params=["p0", "p1", "p2", "p3"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    if request.param == "p0":
        app = create_p0(P0Settings(data_dir=folder))
    elif request.param == "p2":
        p2_settings = P2Settings(data_dir=folder, poll_s=0.1)
        publish_builtin(p2_settings)
        app = create_p2(p2_settings)
    elif request.param == "p3":
        # Short answers: what is held here is the protocol, not the model's prose.
        app = create_p3(P3Settings(data_dir=folder, index_guides=False, context_tokens=256))
    else:
        chosen = P1Settings(data_dir=folder, poll_s=0.1)
        train(example_table(), target=TARGET, minutes=0).publish(settings=chosen)
        app = create_p1(chosen)
    with served(app) as site:
        if request.param == "p3":
            fill(site)
        yield site


def fill(site: Site) -> None:
    """Wait for P3's models, and put a document into the collection that is asked by default."""
    give_up_at = time.monotonic() + 120
    while httpx2.get(f"{site.url}/readyz", timeout=60).status_code != 200:
        assert time.monotonic() < give_up_at, "the models are not loaded"
        time.sleep(0.2)
    httpx2.post(
        f"{site.url}/v1/collections", json={"name": "guides"}, timeout=60
    ).raise_for_status()
    note = {"files": ("note.md", b"# Harbour\n\nThe harbour opens at six.", "text/markdown")}
    address = f"{site.url}/v1/collections/guides/documents"
    httpx2.post(address, files=note, timeout=60).raise_for_status()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_route_keeps_what_its_document_promises(site: Site, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{site.url}/openapi.json")
    tried = set()
    seen: set[str] = set()

    def note_problem(_context: CheckContext, response, _case: Case) -> None:
        if response.status_code >= 400:
            seen.add(response.json()["type"])

    for found in schema.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
            continue  # nothing could be wrong with it

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=N_EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def hold(case: Case) -> None:
            case.call_and_validate(checks=[*CHECKS, note_problem])

        hold()
        tried.add(operation.label)
    expected = (
        {"POST /v1/profile"},
        {"POST /v1/predict", "POST /v1/explain"},
        {"POST /v1/classify"},
        {"POST /v1/search", "POST /v1/chat/completions"},
    )
    assert any(labels <= tried for labels in expected)
    for kind in seen - {"about:blank"}:
        page = httpx2.get(f"{site.url}{kind}")
        assert page.status_code == 200, f"{kind} has no page"
