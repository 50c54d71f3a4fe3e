"""A service with one route for each way to fail; run as a script it is a real process."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Self

from common.errors import DomainError, FieldError, ProblemType
from common.service import create_service, run_command, service_command
from common.service.own_limits import AnswerLimit, answers_within
from common.settings import Settings, settings_config
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse


class ToySettings(Settings):
    model_config = settings_config("P9_")
    greeting: str = Field("hello", description="What /hello says.")
    work_timeout_s: float = Field(60.0, description="Longest time of /work, in seconds.")


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    age: int = Field(ge=0, le=150)
    weight: float = 1.0


class NoRoomError(DomainError):
    fields = (FieldError(field="rows", message="too many", accepted="fewer"),)


class Warehouse:
    """A resource that notes when it is opened and closed, and is ready when told so."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.reason: str | None = None

    def not_ready(self) -> str | None:
        return self.reason

    async def __aenter__(self) -> Self:
        self.log.append("open")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.log.append("close")


def create_app(settings: ToySettings) -> FastAPI:
    service = create_service("toy", settings, title="Toy", summary="Fails well.", version="1.2.3")
    app = service.app
    app.state.service = service
    app.state.log = []
    app.state.warehouse = service.owns(Warehouse(app.state.log))
    service.problems({NoRoomError: ProblemType("no-room", "No room", 409, "Send fewer rows.")})
    service.mount(routes(settings))
    return app


def routes(settings: ToySettings) -> APIRouter:
    router = APIRouter()

    @router.get("/hello")
    async def hello() -> dict[str, str]:
        return {"greeting": settings.greeting}

    @router.post("/rows/{table}")
    async def rows(table: str, rows: list[Row]) -> dict[str, int]:
        return {"n": len(rows)}

    @router.post("/count")
    async def count(request: Request) -> dict[str, int]:
        n_bytes = 0
        async for part in request.stream():
            n_bytes += len(part)
        return {"n_bytes": n_bytes}

    @router.get("/crash")
    async def crash() -> None:
        row = {"iban": "DE02120300000000202051"}
        raise RuntimeError(f"internals of {len(row)} row")

    @router.get("/no-room")
    async def no_room() -> None:
        raise NoRoomError("There is no room for 3 rows.")

    @router.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "short and stout")

    @router.get("/stuck")
    async def stuck(request: Request) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(request.app.state.log.append, "cancelled")
            await asyncio.Event().wait()

    work_limit = AnswerLimit(settings.work_timeout_s, "P9_WORK_TIMEOUT_S", "Half of it is kept.")

    @router.post("/work", dependencies=[Depends(answers_within(work_limit))])
    async def work(n_seconds: float, rows: list[Row]) -> dict[str, int]:
        await asyncio.sleep(n_seconds)
        return {"n": len(rows)}

    @router.get("/stream")
    async def stream(n_seconds: float) -> StreamingResponse:
        async def parts() -> AsyncGenerator[bytes]:
            yield b"first "
            await asyncio.sleep(n_seconds)
            yield b"last"

        return StreamingResponse(parts())

    @router.get("/hold")
    async def hold() -> str:
        """Answer once the test has put a file there; say that it is being waited for."""
        (settings.data_dir / "held").touch()
        while not (settings.data_dir / "release").exists():
            await asyncio.sleep(0.01)
        return "finished"

    return router


if __name__ == "__main__":
    run_command(service_command("toy", ToySettings, create_app))
