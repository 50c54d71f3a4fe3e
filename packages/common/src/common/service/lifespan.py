"""An ASGI app's lifespan, driven from outside: start once, stop once, in one task of its own.

The task matters: what a lifespan enters (task groups, cancel scopes) must be left by the same task,
whoever calls `start` and `stop`. It knows no HTTP. Read next: `transport.py`, which owns one.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from common.errors import DomainError

Message = MutableMapping[str, Any]  # ASGI's own type: a message's values are what its kind says
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Message, Receive, Send], Awaitable[None]]


class LifespanError(DomainError):
    """The app's lifespan failed to start or to stop; the app's own error is the cause."""

    def __init__(self, stage: str, reason: str) -> None:
        self.stage = stage
        self.reason = reason
        super().__init__(f"The service in this process could not {stage}: {reason}")


class Lifespan:
    """One run of an app's lifespan; an app that has none is served without (as uvicorn does)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._started = asyncio.Event()
        self._failure: str | None = None
        self._stage = "start"
        self.state: dict[str, Any] = {}

    async def start(self, timeout_s: float) -> None:
        """Run the app's startup; raises LifespanError with the app's own error as cause."""
        self._task = asyncio.create_task(self._run(), context=contextvars.Context())
        self._task.add_done_callback(lambda _: self._started.set())
        try:
            async with asyncio.timeout(timeout_s):
                await self._started.wait()
        except TimeoutError:
            await self._cancel()
            raise LifespanError("start", f"it was not ready within {timeout_s:g} s") from None
        except asyncio.CancelledError:
            await self._cancel()
            raise
        if self._failure is not None:
            await self._raise_failure()

    async def stop(self, timeout_s: float) -> None:
        """Run the app's shutdown; past the limit it is cancelled."""
        if self._task is None or self._task.done():
            return
        self._stage = "stop"
        self._stopping.set()
        _, late = await asyncio.wait([self._task], timeout=timeout_s)
        if late:
            await self._cancel()
            raise LifespanError("stop", f"it was still busy after {timeout_s:g} s")
        if self._failure is not None:
            await self._raise_failure()

    async def _run(self) -> None:
        scope: Message = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if not self._started.is_set():
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        if message["type"].endswith(".failed"):
            self._failure = str(message.get("message") or "no reason given")
        if message["type"].startswith("lifespan.startup."):
            self._started.set()

    async def _raise_failure(self) -> None:
        assert self._task is not None  # noqa: S101 - our own order of calls
        outcome = await asyncio.gather(self._task, return_exceptions=True)
        cause = outcome[0]
        # Starlette sends its whole traceback as the message; the error itself is shorter and truer.
        reason = f"{type(cause).__name__}: {cause}" if cause is not None else self._failure or ""
        raise LifespanError(self._stage, reason) from cause

    async def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
