"""The lab over HTTP: profile a table, compare two. Thin: read the upload, ask the domain, answer.

Uploads go to a temporary file, never whole into memory; profiling runs in a worker thread, a
bounded number at once. Read next: `profile.py`.
"""

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import anyio
from common.errors import ProblemType
from common.service import create_service
from fastapi import APIRouter, FastAPI, Query, Request, UploadFile
from starlette.responses import HTMLResponse, Response

from p0_foundations.contracts import DriftReport, Profile
from p0_foundations.errors import (
    ProfileFormatError,
    TableError,
    TableTooLargeError,
    UnknownColumnError,
)
from p0_foundations.mcp_tools import table_tools
from p0_foundations.settings import Settings

PAGE_DIR = Path(__file__).parent / "web"
PROBLEMS: dict[type[Exception], ProblemType] = {
    TableError: ProblemType(
        "not-a-table", "The file is not a table", 422, "Send CSV, TSV or Parquet."
    ),
    TableTooLargeError: ProblemType("table-too-large", "The table is too large", 413),
    UnknownColumnError: ProblemType("unknown-column", "There is no such column", 422),
    ProfileFormatError: ProblemType("not-a-profile", "Not a stored profile", 422),
}
Target = Annotated[str | None, Query(description="Column to predict, to look for leaks.")]


def create_app(settings: Settings) -> FastAPI:
    """Build the lab's application."""
    service = create_service(
        "p0-foundations",
        settings,
        title="P0 Foundations",
        summary="Profile a table, find what is wrong with it, compare two tables for drift.",
        version=version("ai-roadmap-p0-foundations"),
    )
    service.problems(PROBLEMS)
    service.mount(table_router(Workbench(settings)))
    service.tools(*table_tools(settings))
    service.pages(PAGE_DIR)
    return service.app


class Workbench:
    """Profiles uploads in worker threads, so many at once."""

    def __init__(self, settings: Settings) -> None:
        self._max_columns = settings.max_columns
        self._limit = anyio.CapacityLimiter(settings.max_profiles_at_once)

    async def profile(self, upload: UploadFile, target: str | None = None) -> Profile:
        """Store the upload in a temporary file and profile it."""
        return await anyio.to_thread.run_sync(self._profile, upload, target, limiter=self._limit)

    def _profile(self, upload: UploadFile, target: str | None) -> Profile:
        from p0_foundations.profile import profile_frame  # noqa: PLC0415 - pandas at first use
        from p0_foundations.tables import read_table  # noqa: PLC0415 - pandas at first use

        with tempfile.NamedTemporaryFile(prefix="p0-") as file:
            while chunk := upload.file.read(1024 * 1024):
                file.write(chunk)
            file.flush()
            name = upload.filename or "the upload"
            frame = read_table(Path(file.name), max_columns=self._max_columns, name=name)
        return profile_frame(frame, target=target or None)


def table_router(workbench: Workbench) -> APIRouter:
    """Make the routes about tables."""
    router = APIRouter(prefix="/v1", tags=["tables"])

    @router.post("/profile", response_model=Profile)
    async def profile(
        request: Request, file: UploadFile, target: Target = None
    ) -> Profile | Response:
        """Describe a table; with `Accept: text/html` as a page with plots."""
        found = await workbench.profile(file, target)
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(await anyio.to_thread.run_sync(found.to_html))
        return found

    @router.post("/compare")
    async def compare(before: UploadFile, after: UploadFile) -> DriftReport:
        """Say how a later table differs from a reference."""
        old = await workbench.profile(before)
        new = await workbench.profile(after)
        return await anyio.to_thread.run_sync(old.drift, new)

    return router
