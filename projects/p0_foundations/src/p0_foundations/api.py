"""The lab over HTTP: profile a table, compare two. Thin: the upload, the workbench, the answer.

Uploads are spooled to disk beyond a megabyte, never whole in memory. Read next: `workbench.py`.
"""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from anyio import to_thread
from common.errors import ProblemType
from common.learn.progress import Progress
from common.service import create_service
from common.service.exercise_routes import EXERCISE_PROBLEMS, exercise_router
from fastapi import APIRouter, FastAPI, Header, Query, UploadFile
from starlette.responses import HTMLResponse, Response

from p0_foundations.bench_routes import bench_router
from p0_foundations.contracts import DriftReport, Profile
from p0_foundations.errors import (
    BusyError,
    FormulaError,
    NumbersError,
    OptimisationError,
    ProfileFormatError,
    TableError,
    TableTooLargeError,
    TooManyTrainingsError,
    UnknownColumnError,
)
from p0_foundations.function_tools import function_tools
from p0_foundations.lab_routes import lab_router
from p0_foundations.mcp_tools import table_tools
from p0_foundations.playground_routes import Watched, playground_router
from p0_foundations.settings import Settings
from p0_foundations.workbench import Workbench

PHASE = 0
PAGE_DIR = Path(__file__).parent / "web"
CHUNK_BYTES = 1024 * 1024
PROBLEMS: dict[type[Exception], ProblemType] = {
    TableTooLargeError: ProblemType(
        "table-too-large", "The table is too large", 413, "Send a random sample of its rows."
    ),
    TableError: ProblemType(
        "not-a-table",
        "The file is not a table",
        422,
        "Send CSV, Parquet, JSON lines or Excel.",
    ),
    UnknownColumnError: ProblemType(
        "unknown-column", "There is no such column", 422, "Use a name from the table's header."
    ),
    ProfileFormatError: ProblemType("not-a-profile", "Not a stored profile", 422),
    FormulaError: ProblemType(
        "unreadable-formula",
        "The formula cannot be read",
        422,
        "Write it with x, y, numbers, + - * / ^, parentheses and the functions named.",
    ),
    OptimisationError: ProblemType(
        "search-cannot-begin", "The search cannot begin", 422, "Choose another start or setting."
    ),
    BusyError: ProblemType("workers-busy", "Every worker is busy", 503, "Try again in a moment."),
    NumbersError: ProblemType(
        "not-computable", "These numbers cannot be computed with", 422, "Use what is accepted."
    ),
    TooManyTrainingsError: ProblemType(
        "too-many-trainings", "Too many trainings at once", 503, "Pause one, or try again."
    ),
}
Target = Annotated[str, Query(description="Column to predict; finds what gives it away.")]
Encoding = Annotated[str, Query(description="Of text files; empty is found.", examples=["cp1252"])]
Accept = Annotated[str, Header(description="`text/html` answers with the report as a page.")]
_HTML_ANSWER: dict[int | str, dict[str, object]] = {
    200: {"content": {"text/html": {"schema": {"type": "string"}}}}
}


def create_app(settings: Settings) -> FastAPI:
    """Build the lab's application."""
    service = create_service(
        "p0-foundations",
        settings,
        title="Foundations lab",
        summary="Walk down functions, fit lines, watch a network learn, profile tables.",
        version=version("ai-roadmap-p0-foundations"),
    )
    workbench = Workbench(settings)
    service.problems(PROBLEMS | EXERCISE_PROBLEMS)
    service.mount(table_router(workbench))
    service.mount(exercise_router(PHASE, Progress(settings.data_dir)))
    service.mount(playground_router(Watched(settings)))
    service.mount(bench_router(Workbench(settings, does="experiments")))
    service.mount(
        lab_router(Workbench(settings, does="steps and fits"))
    )  # its own: a step never waits for a table
    service.tools(*table_tools(workbench), *function_tools(workbench))
    service.pages(PAGE_DIR)
    return service.app


def table_router(workbench: Workbench) -> APIRouter:
    """Make the routes about tables."""
    router = APIRouter(prefix="/v1", tags=["tables"])

    @router.post("/profile", response_model=Profile, responses=_HTML_ANSWER)
    async def profile(
        file: UploadFile, target: Target = "", encoding: Encoding = "", accept: Accept = ""
    ) -> Response:
        """Describe a table: types, missing values, distributions, relations, leaks, warnings."""
        found = await _profile(workbench, file, target=target, encoding=encoding)
        if not _wants_page(accept):
            return _json(await workbench.run(found.to_json))
        return _page(await workbench.run(lambda: found.to_html(title=_name(file))))

    @router.post("/compare", response_model=DriftReport, responses=_HTML_ANSWER)
    async def compare(
        before: UploadFile, after: UploadFile, encoding: Encoding = "", accept: Accept = ""
    ) -> Response:
        """Say how a later table differs from a reference, column by column."""
        old = await _profile(workbench, before, encoding=encoding)
        new = await _profile(workbench, after, encoding=encoding)
        report = await workbench.compare(old, new)
        if not _wants_page(accept):
            return _json(await workbench.run(report.to_json))
        title = f"{_name(before)} → {_name(after)}"
        return _page(await workbench.run(lambda: report.to_html(title=title)))

    return router


async def _profile(
    workbench: Workbench, upload: UploadFile, *, target: str = "", encoding: str = ""
) -> Profile:
    async with _on_disk(upload) as path:
        return await workbench.profile(
            path, name=_name(upload), target=target or None, encoding=encoding
        )


@asynccontextmanager
async def _on_disk(upload: UploadFile) -> AsyncGenerator[Path]:
    """Give the upload a path for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="p0-") as folder:
        path = Path(folder) / "table"
        with path.open("wb") as file:
            while chunk := await upload.read(CHUNK_BYTES):
                await to_thread.run_sync(file.write, chunk)
        yield path


def _name(upload: UploadFile) -> str:
    return Path(upload.filename or "the upload").name


def _wants_page(accept: str) -> bool:
    return "text/html" in accept


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


def _page(html: str) -> HTMLResponse:
    from p0_foundations.report import CONTENT_SECURITY_POLICY  # noqa: PLC0415 - Matplotlib

    return HTMLResponse(html, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})
