"""An httpx2 transport to an ASGI app in this process that behaves like a server over a socket.

The stock ASGITransport buffers whole answers, runs no lifespan and cannot signal a disconnect; this
one streams with back-pressure, runs the lifespan once, and lets the app see when its reader left.
Errors are those a socket gives: an app that fails answers 500, one that stops in mid-answer breaks
it. It knows nothing of retries or problems. Read next: `exchange.py`, then `client.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import Self, TypeVar
from urllib.parse import unquote

import httpx2
from typing_extensions import override

from common.service.exchange import BrokenAnswerError, Exchange
from common.service.lifespan import ASGIApp, Lifespan, LifespanError, Message

__all__ = ["LifespanError", "StreamingASGITransport"]

Answer = TypeVar("Answer")

DEFAULT_PORTS = {"http": 80, "https": 443}


class StreamingASGITransport(httpx2.AsyncBaseTransport):
    """Streams requests and answers between an httpx2 client and an ASGI app.

    `max_buffered_bytes`: unread bytes after which the app's `send` waits. `disconnect_grace_s`: how
    long an app may tidy up after its reader left, or after `aclose`, before it is cancelled.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        root_path: str = "",
        client: tuple[str, int] = ("127.0.0.1", 0),
        max_buffered_bytes: int = 64 * 1024,
        disconnect_grace_s: float = 5.0,
        lifespan_timeout_s: float = 120.0,
    ) -> None:
        self._app = app
        self._root_path = root_path
        self._client = client
        self._max_buffered_bytes = max_buffered_bytes
        self._disconnect_grace_s = disconnect_grace_s
        self._lifespan_timeout_s = lifespan_timeout_s
        self._lifespan: Lifespan | None = None
        self._start_error: LifespanError | None = None
        self._start_lock = asyncio.Lock()
        self._is_closed = False
        self._running: dict[asyncio.Task[None], Exchange] = {}

    @override
    async def __aenter__(self) -> Self:
        await self._start_once()
        return self

    @override
    async def aclose(self) -> None:
        """Let running requests end within the grace, then run the app's shutdown."""
        self._is_closed = True
        for exchange in self._running.values():
            exchange.leave()
        if self._running:
            _, late = await asyncio.wait(set(self._running), timeout=self._disconnect_grace_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        lifespan, self._lifespan = self._lifespan, None
        if lifespan is not None:
            await lifespan.stop(self._lifespan_timeout_s)

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Start the app on a request and return once its status is known."""
        lifespan = await self._start_once()
        stream = request.stream
        if not isinstance(stream, httpx2.AsyncByteStream):
            raise TypeError("An async client sends async bodies; this request has a sync one.")
        exchange = Exchange(
            self._app,
            self._scope(request, dict(lifespan.state)),
            await request.aread() if isinstance(stream, httpx2.ByteStream) else stream,
            max_buffered_bytes=self._max_buffered_bytes,
        )
        task = exchange.start()
        self._running[task] = exchange
        task.add_done_callback(self._running.pop)
        answer = _AnswerStream(self, request, exchange, task)
        try:
            await answer.head()
        except BaseException:
            await answer.aclose()
            raise
        return httpx2.Response(
            exchange.status,
            headers=exchange.headers,
            stream=answer,
            extensions={"http_version": b"HTTP/1.1"},
        )

    def abandon(self, exchange: Exchange, task: asyncio.Task[None]) -> None:
        """Tell the app that its reader left; cancel it when the grace is over."""
        exchange.leave()
        if not task.done():
            timer = asyncio.get_running_loop().call_later(self._disconnect_grace_s, task.cancel)
            task.add_done_callback(lambda _: timer.cancel())

    async def _start_once(self) -> Lifespan:
        async with self._start_lock:
            if self._is_closed:
                raise RuntimeError("This transport is closed; open a new one.")
            if self._start_error is not None:
                raise self._start_error
            if self._lifespan is None:
                lifespan = Lifespan(self._app)
                try:
                    await lifespan.start(self._lifespan_timeout_s)
                except LifespanError as error:
                    self._start_error = error
                    raise
                self._lifespan = lifespan
            return self._lifespan

    def _scope(self, request: httpx2.Request, state: dict[str, object]) -> Message:
        url = request.url
        raw_path = url.raw_path.partition(b"?")[0]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": url.scheme,
            "server": (url.host, url.port or DEFAULT_PORTS.get(url.scheme)),
            "client": self._client,
            "root_path": self._root_path,
            "path": self._root_path + unquote(raw_path.decode("ascii")),
            "raw_path": self._root_path.encode("ascii") + raw_path,
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "extensions": {},
            "state": state,
        }


class _AnswerStream(httpx2.AsyncByteStream):
    """The answer's body, part by part as the app sends it, each within the read timeout."""

    def __init__(
        self,
        transport: StreamingASGITransport,
        request: httpx2.Request,
        exchange: Exchange,
        task: asyncio.Task[None],
    ) -> None:
        self._transport = transport
        self._request = request
        self._exchange = exchange
        self._task = task
        self._read_timeout_s: float | None = request.extensions.get("timeout", {}).get("read")

    async def head(self) -> None:
        await self._in_time(self._exchange.head())

    @override
    async def __aiter__(self) -> AsyncGenerator[bytes]:
        while (chunk := await self._in_time(self._exchange.next_chunk())) is not None:
            yield chunk

    @override
    async def aclose(self) -> None:
        if not self._exchange.is_complete:
            self._transport.abandon(self._exchange, self._task)

    async def _in_time(self, step: Awaitable[Answer]) -> Answer:
        try:
            async with asyncio.timeout(self._read_timeout_s):
                return await step
        except TimeoutError as error:
            message = f"No bytes from the service within {self._read_timeout_s:g} s"
            raise httpx2.ReadTimeout(message, request=self._request) from error
        except BrokenAnswerError as error:
            raise httpx2.RemoteProtocolError(str(error), request=self._request) from error
