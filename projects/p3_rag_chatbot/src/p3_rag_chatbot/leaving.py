"""Answers whose work stops when the one who asked is gone. Knows ASGI, and no protocol above it."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

Answer = TypeVar("Answer")

NO_ONE_LISTENS = 499
"""Never seen but in the log and the metrics: the client was gone before its answer began."""
EVENT_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class ClientLeftError(Exception):
    """The one who asked closed the connection; the work was given up."""


async def unless_left(receive: Receive, work: Coroutine[Any, Any, Answer]) -> Answer:
    """Do the work; when the client leaves before it is done, cancel it and raise.

    The request's body must have been read.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientLeftError
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EventStream(Response):
    """Server-sent events (WHATWG HTML, section 9.2) from a generator, closed in every case."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[str]) -> None:
        super().__init__(None, headers=EVENT_STREAM_HEADERS)
        del self.headers["content-length"]
        self._events = events

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events as they come (ASGI)."""
        try:
            await unless_left(receive, self._send(send))
        except (ClientLeftError, OSError):
            return

    async def _send(self, send: Send) -> None:
        async with aclosing(self._events):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for event in self._events:
                body = event.encode("utf-8", "replace")
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def not_listening(_request: Request) -> Response:
    """Answer nobody."""
    return Response(status_code=NO_ONE_LISTENS)
