"""Routes that are asked thousands of times a second: bytes in, bytes out.

FastAPI's matching, dependency solving and encoding take longer than a small model. A hot route
stands between the guard and FastAPI: limits, keys, ids, metrics, logs and problems are those of
every route. Its path is declared to FastAPI, too, which documents it and answers wherever the
exact path does not match (another method, a prefix of a proxy).
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Endpoint = Callable[[bytes], Awaitable[bytes]]
TypedEndpoint = Callable[[bytes, str], Awaitable[bytes]]
"""Is given the body and its content type, as it was sent."""
ExceptionHandlers = Mapping[int | type[Exception], Callable[..., object]]


class HotRoute(NamedTuple):
    """A path that answers POST; `endpoint` turns a body into a JSON answer.

    With `media_types`, only requests of one of them and without a query: what asks for more is
    FastAPI's to answer.
    """

    path: str
    endpoint: TypedEndpoint
    media_types: frozenset[bytes] = frozenset()

    def content_type(self, scope: Scope) -> str | None:
        """Return the content type of a request that is to be answered here; None for any other."""
        if not self.media_types:
            return ""
        if scope["query_string"]:
            return None
        for name, value in scope["headers"]:
            if name == b"content-type":
                is_taken = value.partition(b";")[0] in self.media_types
                return value.decode("latin-1") if is_taken else None
        return None


class HotRoutes:
    """ASGI middleware that answers its routes and passes on everything else."""

    def __init__(
        self, app: ASGIApp, routes: Mapping[str, HotRoute], handlers: ExceptionHandlers
    ) -> None:
        self._app = app
        self._routes = routes
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        route = self._routes.get(scope["path"]) if is_post else None
        content_type = None if route is None else route.content_type(scope)
        if route is None or content_type is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        try:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                body = message.get("body", b"")  # nearly every body arrives in one piece
            else:
                body = await _whole_body(message, receive)
            if body is None:
                return  # the caller left
            answer = await route.endpoint(body, content_type)
        except Exception as error:  # noqa: BLE001 - raised again unless it is a known problem
            response = await self._problem(scope, error)
            await response(scope, receive, send)
            return
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _problem(self, scope: Scope, error: Exception) -> Response:
        for kind in type(error).__mro__:
            handler = self._handlers.get(kind)
            if handler is not None and kind is not Exception:  # a crash is the observer's to tell
                found = handler(Request(scope), error)
                response = await found if inspect.isawaitable(found) else found
                if isinstance(response, Response):
                    return response
        raise error


async def _whole_body(message: Message, receive: Receive) -> bytes | None:
    """Read on from the first message; None when the caller left."""
    chunks: list[bytes] = []
    while message["type"] == "http.request":
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)
        message = await receive()
    return None
