"""Plain typed functions published as MCP tools at `/mcp`, with the official SDK.

Stateless streamable HTTP: any replica answers any request, peers of 2025 negotiate down. The
functions know nothing of MCP: arguments and answers are builtins or pydantic models, the docstring
is the description, sync functions run in a worker thread. This module knows neither keys nor
limits: `/mcp` is a path like any other for the service's middleware.
It is imported by `Service.tools` alone, so that a service without tools never loads the SDK.
Read next: `hosts.py`, for who may call without a key.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Self

from mcp.server import MCPServer
from mcp.server.lowlevel import Server
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.routing import Route

from common.errors import DomainError, ProblemError
from common.service.hosts import is_believed_host, is_believed_origin

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

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
    server = _build_server(app, name, functions, expected_errors)
    endpoint = ToolsEndpoint(
        server,
        allowed_hosts=("*",) if is_keyed else allowed_hosts,
        max_body_bytes=max_body_bytes,
    )
    app.router.routes.append(Route(MCP_PATH, endpoint, name="mcp", include_in_schema=False))
    return endpoint


class ToolsEndpoint:
    """The ASGI app at `/mcp` and its lifetime: a context manager that may be entered again."""

    def __init__(
        self, server: Server[object], *, allowed_hosts: Collection[str], max_body_bytes: int
    ) -> None:
        self._server = server
        self._allowed_hosts = allowed_hosts
        self._max_body_bytes = max_body_bytes
        self._sessions: StreamableHTTPSessionManager | None = None
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        sessions = StreamableHTTPSessionManager(
            self._server, stateless=True, max_request_body_size=self._max_body_bytes
        )
        await self._running.enter_async_context(sessions.run())
        self._sessions = sessions
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._sessions = None
        await self._running.aclose()

    def not_ready(self) -> str | None:
        """Why a call would be refused now, for `/readyz`."""
        return None if self._sessions else "the MCP endpoint has not started"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one exchange of the protocol (ASGI)."""
        headers = Headers(scope=scope)
        self._check_caller(headers.get("host", ""), headers.get("origin"))
        if self._sessions is None:
            raise HTTPException(503, self.not_ready())
        await self._sessions.handle_request(scope, receive, send)

    def _check_caller(self, host: str, origin: str | None) -> None:
        if not is_believed_host(host, self._allowed_hosts):
            raise HTTPException(421, f"Host {host!r} is not served here; list it in allowed hosts.")
        if not is_believed_origin(origin, host, self._allowed_hosts):
            raise HTTPException(403, f"Origin {origin!r} may not call tools; list its host.")


def _build_server(
    app: Starlette,
    name: str,
    functions: Collection[Tool],
    expected_errors: Collection[type[Exception]],
) -> Server[object]:
    with _root_logger_untouched():
        server: MCPServer[object] = MCPServer(
            name,
            title=getattr(app, "title", None),
            description=getattr(app, "description", None) or None,
            version=getattr(app, "version", ""),
            subscriptions=False,
        )
    for function in functions:
        server.add_tool(
            _with_plain_errors(function, expected_errors), description=inspect.getdoc(function)
        )
    return server._lowlevel_server  # noqa: SLF001 - the SDK offers no public way from one to the other


def _with_plain_errors(function: Tool, expected: Collection[type[Exception]]) -> Tool:
    """Turn the domain's errors into the SDK's anticipated kind, which keeps their message."""

    @contextmanager
    def errors_translated() -> Generator[None]:
        kinds: tuple[type[Exception], ...] = (DomainError, ProblemError, *expected)
        try:
            yield
        except kinds as error:
            raise ToolError(str(error)) from error

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run(*arguments: object, **named: object) -> object:
            with errors_translated():
                return await function(*arguments, **named)

        return run

    @functools.wraps(function)
    def run_in_thread(*arguments: object, **named: object) -> object:
        with errors_translated():
            return function(*arguments, **named)

    return run_in_thread


@contextmanager
def _root_logger_untouched() -> Generator[None]:
    """Keep the SDK from installing a log handler of its own: logging belongs to the command."""
    root = logging.getLogger()
    placeholder = logging.NullHandler()
    level = root.level
    root.addHandler(placeholder)
    try:
        yield
    finally:
        root.removeHandler(placeholder)
        root.setLevel(level)
