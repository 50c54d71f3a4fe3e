"""The playground over HTTP: one answer that streams a training as server-sent events.

`begin` with the points, `picture` after `picture`, `end` with the reason (and before a later first
picture a `passed` for each that is only redone); a failure on the way is a
last `error`. Each picture is computed in a worker thread when the one before it has been sent, so
the event loop stays free, a slow reader slows its own training, and one that leaves ends it.
Read next: `playground.py`.
"""

import json
from collections.abc import AsyncGenerator, Iterator

import anyio
import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from typing_extensions import override

from p0_foundations.errors import TooManyTrainingsError
from p0_foundations.playground import Event, Playground
from p0_foundations.playground_contracts import Begin, End, Passed, Picture, Training
from p0_foundations.settings import Settings

log = structlog.get_logger()
PLACE_WAIT_S = 2.0
NAMES: dict[type[Event], str] = {
    Begin: "begin", Passed: "passed", Picture: "picture", End: "end",
}  # fmt: skip
_PACED = f"event: {NAMES[Picture]}\n"
_EXAMPLE = 'event: picture\ndata: {"step":120,"loss":0.52,"accuracy":0.81,"surface":"f4B9…"}\n\n'
_STREAM: dict[int | str, dict[str, object]] = {
    200: {
        "description": "Server-sent events: begin, picture, …, end.",
        "content": {"text/event-stream": {"schema": {}, "example": _EXAMPLE}},
    }
}


class Watched:
    """The trainings that are watched now, and how many may be."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.n_running = 0
        self._has_left = anyio.Event()
        self._limiter = CapacityLimiter(settings.max_trainings_at_once)

    def leave(self) -> None:
        """Give a place back."""
        self.n_running -= 1
        self._has_left.set()
        self._has_left = anyio.Event()

    async def watch(self, training: Training) -> "_Watching":
        """Begin a training for one watcher; `TooManyTrainingsError` when there are enough.

        Who changes a setting leaves one training and asks for the next before the first has
        noticed: a place is waited for, a moment.
        """
        most = self.settings.max_trainings_at_once
        with anyio.move_on_after(PLACE_WAIT_S):
            while self.n_running >= most:
                await self._has_left.wait()
        if self.n_running >= most:
            raise TooManyTrainingsError(
                f"{most} trainings are watched already (P0_MAX_TRAININGS_AT_ONCE); pause or close "
                "one, or try again in a moment"
            )
        return _Watching(self, Playground(training).events())

    async def texts(self, events: Iterator[Event]) -> AsyncGenerator[str]:
        """Yield events as text, each when it is asked for, no faster than is useful."""
        pause_s = 1 / self.settings.max_pictures_per_s
        due = anyio.current_time()
        while text := await to_thread.run_sync(_next_text, events, limiter=self._limiter):
            if text.startswith(_PACED):
                await anyio.sleep_until(due)
                due = max(due + pause_s, anyio.current_time())
            yield text


class _Watching(StreamingResponse):
    """The answer of one training; holds its place among the watched while it is sent."""

    def __init__(self, watched: Watched, events: Iterator[Event]) -> None:
        super().__init__(
            watched.texts(events),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )
        self._watched = watched
        watched.n_running += 1

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        patience_s = self._watched.settings.watcher_patience_s

        async def send_soon(message: Message) -> None:
            with anyio.fail_after(patience_s):
                await send(message)

        try:
            await super().__call__(scope, receive, send_soon)
        except TimeoutError:
            log.info("watcher_too_slow", patience_s=patience_s)
        finally:
            self._watched.leave()


def playground_router(watched: Watched) -> APIRouter:
    """Make the route that trains while one watches."""
    router = APIRouter(prefix="/v1/playground", tags=["playground"])

    @router.post("/train", response_class=StreamingResponse, responses=_STREAM)
    async def train(training: Training) -> StreamingResponse:
        """Train a small network and stream its pictures; leaving ends the training."""
        return await watched.watch(training)

    return router


def _next_text(events: Iterator[Event]) -> str:
    """Return the next event as text; nothing after the last."""
    try:
        event = next(events)
    except StopIteration:
        return ""
    except Exception:
        log.exception("training_failed")
        problem = {"title": "The training failed", "status": 500, "detail": "See the log."}
        return _text("error", json.dumps(problem | {"type": "about:blank"}))
    return _text(NAMES[type(event)], event.model_dump_json(exclude_none=True))


def _text(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
