"""Runs over HTTP: their records, their numbers as they come, stopping one, runs compared.

Reads files alone, and writes one: a request to stop, which the trainer looks for.

`GET /v1/runs/{id}/stream` follows a run as server-sent events: `record` at once and whenever it
changed, `events` with what was added, `end` once the run is over and everything was sent.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Annotated

from common.errors import ProblemType
from common.service.own_pages import own_pages_only
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from p2_nn_service.comparing.table import Comparison, NothingToCompareError, compare_runs
from p2_nn_service.contracts import RunEvent, RunRecord
from p2_nn_service.errors import RunNotFoundError, RunNotRunningError, StoppingNotAllowedError
from p2_nn_service.runs import RunFolder, find_run, list_runs
from p2_nn_service.settings import Settings
from p2_nn_service.stopping import ask_to_stop, may_stop

RUN_PROBLEMS: dict[type[Exception], ProblemType] = {
    RunNotFoundError: ProblemType("run-not-found", "There is no such run", 404, "GET /v1/runs."),
    RunNotRunningError: ProblemType(
        "run-not-running", "This run is not running", 409, "GET /v1/runs says what is."
    ),
    StoppingNotAllowedError: ProblemType(
        "stopping-not-allowed", "Trainings are not stopped here", 403, "Set P2_ALLOW_STOPPING=true."
    ),
}
LOOK_EVERY_S = 0.5
MOST_EVENTS = 5_000
_EXAMPLE = 'event: events\ndata: [{"step":40,"epoch":0.4,"at_s":3.1,"values":{"loss":0.61}}]\n\n'
_STREAM: dict[int | str, dict[str, object]] = {
    200: {
        "description": "Server-sent events: record, events, …, end.",
        "content": {"text/event-stream": {"schema": {}, "example": _EXAMPLE}},
    }
}


class Runs(BaseModel):
    """Every run, the newest first."""

    runs: tuple[RunRecord, ...]
    may_stop: bool = Field(description="Whether this service stops a training when asked.")


class RunEvents(BaseModel):
    """Numbers of a run in the order they were written."""

    events: tuple[RunEvent, ...]
    next: int = Field(description="What to pass as `after` to read on.")


def run_router(settings: Settings) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/v1", tags=["runs"])
    data_dir = settings.data_dir

    @router.get("/runs")
    def runs() -> Runs:
        """List the training runs in this data directory."""
        return Runs(runs=tuple(list_runs(data_dir)), may_stop=may_stop(settings))

    @router.get("/runs/{run_id}")
    def run(run_id: str) -> RunRecord:
        """Show one run: what is trained on what, how far it is, how good it became."""
        return find_run(data_dir, run_id).read()

    own_page = own_pages_only(settings, StoppingNotAllowedError)

    @router.post("/runs/{run_id}/stop", status_code=202, dependencies=[Depends(own_page)])
    def stop(run_id: str) -> RunRecord:
        """Ask a training to stop between two steps; it keeps a checkpoint and can be gone on with.

        The answer comes at once, the stop within about a second of the step under way: the stream
        tells when.
        """
        return ask_to_stop(run_id, settings)

    @router.get("/runs/{run_id}/events")
    def events(run_id: str, after: Annotated[int, Query(ge=0)] = 0) -> RunEvents:
        """Give a run's numbers by step, from a position on."""
        return _read_on(find_run(data_dir, run_id), after)

    @router.get("/runs/{run_id}/stream", response_class=StreamingResponse, responses=_STREAM)
    async def stream(run_id: str, after: Annotated[int, Query(ge=0)] = 0) -> StreamingResponse:
        """Follow a run while it goes, as server-sent events."""
        folder = await asyncio.to_thread(find_run, data_dir, run_id)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            follow(folder, after), media_type="text/event-stream", headers=headers
        )

    @router.get("/comparison")
    def comparison(dataset: str = "") -> Comparison:
        """Compare the runs of a data set: accuracy against what it costs."""
        try:
            return compare_runs(data_dir, dataset=dataset)
        except NothingToCompareError as error:
            known = tuple(dict.fromkeys(one.dataset for one in list_runs(data_dir)))
            nothing = {"efficient": {}, "rows": (), "datasets": known}
            return Comparison(dataset=dataset, verdict=str(error), **nothing)

    return router


async def follow(folder: RunFolder, after: int = 0) -> AsyncGenerator[str]:
    """Yield server-sent events until the run is over; a deleted run is over, too."""
    shown: RunRecord | None = None
    while True:
        try:
            record, found = await asyncio.to_thread(_look, folder, after)
        except RunNotFoundError as error:
            yield _event("error", json.dumps({"title": "This run is gone", "detail": str(error)}))
            return
        after = found.next
        if found.events:
            body = ",".join(one.model_dump_json() for one in found.events)
            yield _event("events", f"[{body}]")
        if record != shown:
            shown = record
            yield _event("record", record.model_dump_json())
        if record.status != "running" and not found.events:
            yield _event("end", json.dumps({"next": after}))
            return
        if len(found.events) < MOST_EVENTS:
            await asyncio.sleep(LOOK_EVERY_S)


def _look(folder: RunFolder, after: int) -> tuple[RunRecord, RunEvents]:
    """Read the record first: what ended wrote its last event before."""
    record = folder.read()
    return record, _read_on(folder, after)


def _read_on(folder: RunFolder, after: int) -> RunEvents:
    found, position = folder.read_events(after, most=MOST_EVENTS)
    return RunEvents(events=tuple(found), next=position)


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
