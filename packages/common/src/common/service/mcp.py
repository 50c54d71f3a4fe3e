"""Plain typed functions published as MCP tools at `/mcp`, with the official SDK.

Stateless streamable HTTP: any replica answers any request, peers of 2025 negotiate down. The
functions know nothing of MCP: arguments and answers are builtins or pydantic models, the docstring
is the description, sync functions run in a worker thread. This module knows neither keys nor
limits: `/mcp` is a path like any other for the service's middleware.
It is imported by `tools.py` alone, at the first call of a tool.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Collection
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mcp.server import MCPServer
from mcp.server.lowlevel import Server
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from common.errors import DomainError, ProblemError

if TYPE_CHECKING:
    from collections.abc import Generator

    from starlette.applications import Starlette

    from common.service.tools import Tool


def tool_sessions(
    app: Starlette,
    name: str,
    functions: Collection[Tool],
    expected_errors: Collection[type[Exception]],
    max_body_bytes: int,
) -> StreamableHTTPSessionManager:
    """Make what answers the protocol's exchanges; run it in one task."""
    server = _build_server(app, name, functions, expected_errors)
    return StreamableHTTPSessionManager(
        server, stateless=True, max_request_body_size=max_body_bytes
    )


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
