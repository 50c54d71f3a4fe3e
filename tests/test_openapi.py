"""What the OpenAPI documents promise, held by Schemathesis: generated requests, good and bad.

No 5xx, no undocumented status or content type, answers of the documented shape, bad data refused,
and every refusal a problem (RFC 9457).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from p0_foundations.api import create_app as create_p0
from p0_foundations.settings import Settings as P0Settings
from p1_prediction_api.api import create_app as create_p1
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.settings import Settings as P1Settings
from p1_prediction_api.training import train
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


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    refusals_are_problems,
]


@pytest.fixture(scope="module", params=["p0", "p1"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    if request.param == "p0":
        app = create_p0(P0Settings(data_dir=folder))
    else:
        chosen = P1Settings(data_dir=folder, poll_s=0.1)
        train(example_table(), target=TARGET, minutes=0).publish(settings=chosen)
        app = create_p1(chosen)
    with served(app) as site:
        yield site


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_route_keeps_what_its_document_promises(site: Site, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{site.url}/openapi.json")
    tried = set()
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
            case.call_and_validate(checks=CHECKS)

        hold()
        tried.add(operation.label)
    assert {"POST /v1/profile"} <= tried or {"POST /v1/predict", "POST /v1/explain"} <= tried
