"""One request to an ASGI app and its answer, as a conversation between two tasks.

The app runs in a task of its own with a fresh context, as it would behind a server; a bounded
buffer lies between it and whoever reads the answer. A reader that leaves makes the app see
`http.disconnect`. It knows no client library's types. Read next: `transport.py`.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import AsyncIterable, Callable

import structlog

from common.service.lifespan import ASGIApp, Message

log = structlog.get_logger()

PLAIN_500 = b"Internal Server Error"
BODILESS_STATUSES = frozenset({204, 304})
DISCONNECT: Message = {"type": "http.disconnect"}


class BrokenAnswerError(Exception):
    """The app ended, or the upload failed, before the answer was complete."""


class Exchange:
    """What the app's task and the reader of its answer share."""

    def __init__(
        self,
        app: ASGIApp,
        scope: Message,
        body: bytes | AsyncIterable[bytes],
        *,
        max_buffered_bytes: int,
    ) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._app = app
        self._scope = scope
        self._max_buffered_bytes = max_buffered_bytes
        self._download: deque[bytes] = deque()
        self._n_buffered = 0
        self._n_promised: int | None = None  # bytes still owed under content-length
        self._answer_changed = asyncio.Event()
        self._upload = _Upload(body, on_error=self._answer_changed.set)
        self._writable = asyncio.Event()
        self._is_complete = False
        self._is_left = False
        self._is_ended = False

    @property
    def is_complete(self) -> bool:
        """Whether the app has sent the last byte of its answer."""
        return self._is_complete

    def start(self) -> asyncio.Task[None]:
        """Start the app on this request."""
        self._upload.start()
        return asyncio.create_task(self._run(), context=contextvars.Context())

    def leave(self) -> None:
        """Stop reading: the app's `receive` answers http.disconnect, its `send` goes nowhere."""
        self._is_left = True
        self._download.clear()
        self._writable.set()
        self._upload.close()

    async def head(self) -> None:
        """Wait until the status and the headers are known; raises what broke the upload."""
        while not self.status:
            if self._upload.error is not None:
                raise self._upload.error
            if self._is_ended:
                raise BrokenAnswerError("the service ended without an answer")
            await self._wait_for_change()

    async def next_chunk(self) -> bytes | None:
        """Wait for the next part of the answer; None after the last."""
        while not self._download:
            if self._is_complete:
                return None
            if self._is_ended:
                raise BrokenAnswerError("the service ended before its answer was complete")
            await self._wait_for_change()
        chunk = self._download.popleft()
        self._n_buffered -= len(chunk)
        if self._n_buffered < self._max_buffered_bytes:
            self._writable.set()
        return chunk

    async def _wait_for_change(self) -> None:
        self._answer_changed.clear()
        await self._answer_changed.wait()

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._upload.receive, self._send)
        except Exception:
            # Here a server would stand: the app's error is logged; the reader sees a broken answer.
            log.exception("app_failed", path=self._scope["path"])
        finally:
            if not self.status and not self._is_left and self._upload.error is None:
                self._answer_500()
            self._is_ended = True
            self._answer_changed.set()
            self._upload.close()

    def _answer_500(self) -> None:
        self.status = 500
        self.headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(PLAIN_500)).encode()),
        ]
        self._download.append(PLAIN_500)
        self._is_complete = True

    async def _send(self, message: Message) -> None:
        if self._is_left:
            await asyncio.sleep(0)  # an app that sends for ever must not starve the loop
        elif message["type"] == "http.response.start" and not self.status:
            self._begin(message)
        elif message["type"] == "http.response.body" and self.status and not self._is_complete:
            await self._take(message.get("body", b""), is_last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"ASGI message {message['type']!r} came out of order.")

    def _begin(self, message: Message) -> None:
        self.headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        lengths = [int(value) for name, value in self.headers if name == b"content-length"]
        self._n_promised = lengths[0] if lengths and self._has_body(message["status"]) else None
        self.status = message["status"]
        self._answer_changed.set()

    def _has_body(self, status: int) -> bool:
        return self._scope["method"] != "HEAD" and status not in BODILESS_STATUSES

    async def _take(self, chunk: bytes, *, is_last: bool) -> None:
        if self._n_promised is not None:
            self._n_promised -= len(chunk)
            if self._n_promised < 0 or (is_last and self._n_promised):
                raise RuntimeError("The body's length is not what Content-Length promised.")
        if chunk and self._has_body(self.status):
            self._download.append(chunk)
            self._n_buffered += len(chunk)
        if is_last:
            self._is_complete = True
            self._upload.close()
        self._answer_changed.set()
        while self._n_buffered >= self._max_buffered_bytes and not (is_last or self._is_left):
            self._writable.clear()
            await self._writable.wait()


class _Upload:
    """The request's body: pumped in the caller's context, one part ahead of the app."""

    def __init__(self, body: bytes | AsyncIterable[bytes], on_error: Callable[[], None]) -> None:
        self.error: Exception | None = None
        self._on_error = on_error
        self._source = body
        self._parts: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()
        self._is_read = False  # the source has no more
        self._is_ended = False  # the app has seen the end
        self._is_closed = False
        self._pump: asyncio.Task[None] | None = None

    def start(self) -> None:
        if isinstance(self._source, bytes):
            self._parts.append(self._source)
            self._is_read = True
        else:
            self._pump = asyncio.create_task(self._pump_from(self._source))

    def close(self) -> None:
        self._is_closed = True
        self._changed.set()
        if self._pump is not None:
            self._pump.cancel()

    async def receive(self) -> Message:
        """Answer the app's `receive`: parts, then the end, then http.disconnect once it is over."""
        while not self._is_closed:
            if self._parts or (self._is_read and not self._is_ended):
                part = self._parts.popleft() if self._parts else b""
                self._taken.set()
                self._is_ended = self._is_read and not self._parts
                return {"type": "http.request", "body": part, "more_body": not self._is_ended}
            self._changed.clear()
            await self._changed.wait()
        return DISCONNECT

    async def _pump_from(self, source: AsyncIterable[bytes]) -> None:
        try:
            async for part in source:
                self._parts.append(part)
                self._changed.set()
                while self._parts:
                    self._taken.clear()
                    await self._taken.wait()
        except Exception as error:  # noqa: BLE001 - the caller's own code: raised to the caller by head()
            self.error = error
            self._is_closed = True
            self._on_error()
        self._is_read = True
        self._changed.set()
