"""The path `/mcp`: who may call tools there, and the MCP SDK behind it, from the first call on.

The SDK takes half a second and 20 MiB to load, a fifth of what a service is; one whose tools nobody
calls pays neither. What the tools are and how they answer: `mcp.py`. Read next: `hosts.py`, for who
may call without a key.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Self

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Route

from common.service.hosts import is_believed_host, is_believed_origin

if TYPE_CHECKING:
    from types import TracebackType

    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send

MCP_PATH = "/mcp"
MAX_BODY_BYTES = 4 * 1024 * 1024
"""What the SDK takes by default; a service's own limit may be lower, never higher in effect."""

Tool = Callable[..., object]


def mount_tools(
    app: Starlette,
    name: str,
    functions: Collection[Tool],
    *,
    expected_errors: Collection[type[Exception]] = (),
    allowed_hosts: Collection[str] = (),
    is_keyed: bool = False,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> ToolsEndpoint:
    """Publish functions as MCP tools at `/mcp`; enter what it returns in the app's lifespan.

    `DomainError`, `ProblemError` and the types in `expected_errors` (read at each call, so a live
    collection may grow) reach the caller with their own message; any other is logged and hidden.
    Host names outside `hosts.is_believed_host` are refused unless listed in `allowed_hosts` or
    unless `is_keyed`: a page of a rebound name has no key.
    """

    def make_sessions() -> StreamableHTTPSessionManager:
        from common.service.mcp import tool_sessions  # noqa: PLC0415 - the SDK, when it is needed

        return tool_sessions(app, name, functions, expected_errors, max_body_bytes)

    endpoint = ToolsEndpoint(make_sessions, allowed_hosts=("*",) if is_keyed else allowed_hosts)
    app.router.routes.append(Route(MCP_PATH, endpoint, name="mcp", include_in_schema=False))
    return endpoint


class ToolsEndpoint:
    """The ASGI app at `/mcp` and its lifetime: a context manager that may be entered again."""

    def __init__(
        self,
        make_sessions: Callable[[], StreamableHTTPSessionManager],
        *,
        allowed_hosts: Collection[str],
    ) -> None:
        self._make_sessions = make_sessions
        self._allowed_hosts = allowed_hosts
        self._is_open = False
        self._hosting: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._is_open = True
        self._closing = asyncio.Event()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        self._closing.set()
        if self._hosting is not None:
            await asyncio.gather(self._hosting, return_exceptions=True)
        self._hosting = None

    def not_ready(self) -> str | None:
        """Why a call would be refused now, for `/readyz`."""
        return None if self._is_open else "the MCP endpoint has not started"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one exchange of the protocol (ASGI)."""
        headers = Headers(scope=scope)
        self._check_caller(headers.get("host", ""), headers.get("origin"))
        if not self._is_open:
            raise HTTPException(503, self.not_ready())
        sessions = await self._sessions()
        await sessions.handle_request(scope, receive, send)

    async def _sessions(self) -> StreamableHTTPSessionManager:
        """Return what answers; the first call starts it, those beside it wait."""
        if self._hosting is None:
            self._ready = asyncio.get_running_loop().create_future()
            # Of no caller's context: it lives on when the first has its answer.
            self._hosting = asyncio.create_task(
                self._host(self._ready), context=contextvars.Context()
            )
        return await asyncio.shield(self._ready)

    async def _host(self, ready: asyncio.Future[StreamableHTTPSessionManager]) -> None:
        """Enter and leave the SDK's task group in one task, as it must be."""
        try:
            sessions = await asyncio.to_thread(self._make_sessions)
            async with sessions.run():
                ready.set_result(sessions)
                await self._closing.wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)
            self._hosting = None  # the next call tries again

    def _check_caller(self, host: str, origin: str | None) -> None:
        if not is_believed_host(host, self._allowed_hosts):
            raise HTTPException(421, f"Host {host!r} is not served here; list it in allowed hosts.")
        if not is_believed_origin(origin, host, self._allowed_hosts):
            raise HTTPException(403, f"Origin {origin!r} may not call tools; list its host.")
