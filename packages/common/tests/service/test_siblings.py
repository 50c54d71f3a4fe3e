"""A sibling named by its package, found by entry point, run in this process; one trace for all."""

import sys
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from common.errors import DomainError, ProblemError
from common.platform.services import NotInstalledError, UnknownServiceError
from common.request_ids import request_ids
from common.service import create_service
from common.service.client import ServiceClient, connect, connect_app
from common.service.transport import LifespanError
from common.settings import Settings
from fastapi import APIRouter
from starlette.applications import Starlette

pytestmark = pytest.mark.anyio

SIBLING = """
from common.errors import DomainError
from common.service import create_service
from common.settings import Settings, settings_config

class ToySettings(Settings):
    model_config = settings_config("P4_")
    greeting: str = "hello"

def create_app(settings: ToySettings):
    service = create_service("toy", settings, title=settings.greeting, summary="s", version="9.9")
    return service.app
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a toy p4 beside the real packages."""

    def run(source: str) -> None:
        package = tmp_path / "site" / "p4_prod_service"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "api.py").write_text(source)
        metadata = tmp_path / "site" / "toys-1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1\n")
        point = "[ai_roadmap.services]\np4 = p4_prod_service.api:create_app\n"
        (metadata / "entry_points.txt").write_text(point)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        for name in [name for name in sys.modules if name.startswith("p4_prod_service")]:
            monkeypatch.delitem(sys.modules, name)

    return run


@pytest.mark.parametrize("name", ["p4_prod_service", "p4"])
async def test_a_sibling_answers_by_name_with_its_own_settings(
    install: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    install(SIBLING)
    monkeypatch.setenv("P4_GREETING", "guten Tag")
    async with connect(name) as client:
        schema = await client.get("/openapi.json")
        assert client.name == "p4-prod-service"
    assert schema["info"]["title"] == "guten Tag"
    assert schema["info"]["version"] == "9.9"


async def test_a_create_app_without_typed_settings_is_named(install: Callable[[str], None]) -> None:
    install("def create_app(settings): ...")
    with pytest.raises(DomainError, match=r"p4_prod_service.api:create_app must annotate"):
        async with connect("p4"):
            pass


async def test_a_sibling_that_cannot_start_is_an_error_of_the_connection() -> None:
    @asynccontextmanager
    async def lifespan(app: Starlette):
        raise OSError("the disk is gone")
        yield

    with pytest.raises(LifespanError, match="the disk is gone"):
        async with connect_app(Starlette(lifespan=lifespan)):
            pass


async def test_a_sibling_that_is_not_here_is_named() -> None:
    with pytest.raises(NotInstalledError, match=r"p5 \(Agent system\) is not installed here"):
        async with connect("p5_agent_system"):
            pass
    with pytest.raises(UnknownServiceError, match="no service 'p7'"):
        async with connect("p7"):
            pass


async def test_constructing_a_client_does_no_io() -> None:
    async with connect("http://192.0.2.1:9") as client:  # nobody is there; nobody is asked
        assert isinstance(client, ServiceClient)


async def test_one_trace_id_runs_through_two_services() -> None:
    inner = create_service("inner", Settings(), title="I", summary="s", version="1")
    outer = create_service("outer", Settings(), title="O", summary="s", version="1")
    inner_routes, outer_routes = APIRouter(), APIRouter()

    @inner_routes.get("/ids")
    async def ids() -> dict[str, str]:
        return {name: request_ids()[name] for name in ("trace_id", "request_id")}

    @outer_routes.get("/both")
    async def both() -> dict[str, dict[str, str]]:
        async with connect_app(inner.app, name="inner") as client:
            return {"inner": await client.get("/ids", answer=dict[str, str]), "outer": await ids()}

    inner.mount(inner_routes)
    outer.mount(outer_routes)
    async with connect_app(outer.app) as client:
        answer = await client.get("/both")
    assert answer["inner"]["trace_id"] == answer["outer"]["trace_id"]
    assert answer["inner"]["request_id"] != answer["outer"]["request_id"]


async def test_a_real_service_answers_its_problems_through_the_client() -> None:
    service = create_service("toy", Settings(), title="T", summary="s", version="1")
    async with connect_app(service.app) as client:
        with pytest.raises(ProblemError) as refused:
            await client.get("/nowhere")
        problem = refused.value.problem
        page = await client.http.get(problem.type)
    assert problem.status == 404
    assert len(problem.trace_id) == 32
    assert page.status_code == httpx2.codes.OK
