"""Who may ask, how much, how long: keys, load, body size, body time, answer time.

Pure ASGI, one layer inside `observing.py`. A refusal is a problem that says the limit and the
setting that raises it. Streaming answers keep their time: the limit ends when an answer begins.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.service.bodies import Farewell, JsonScan
from common.service.problems import (
    BODY_TIMEOUT,
    BUSY,
    TIMEOUT,
    TOO_LARGE,
    UNAUTHORIZED,
    RefusedError,
    problem_response,
)
from common.settings import Settings

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/version", "/docs", "/openapi.json"})
PROBLEM_PAGES = "/problems/"
OPEN_PREFIXES = (PROBLEM_PAGES, "/design/", "/docs/")
"""What a probe, a browser or a reader may see without a key; everything else needs one,
`/metrics` too: it tells what the service is used for."""
NEVER_BUSY = OPEN_PATHS | {"/metrics"}
"""Answered under any load, as are the pages of problems: who watches a busy service, or asks what
busy means, must not be refused."""


class Guard:
    """ASGI middleware that refuses what the settings do not allow."""

    def __init__(
        self, app: ASGIApp, settings: Settings, is_open_page: Callable[[Scope], bool]
    ) -> None:
        self._app = app
        self._settings = settings
        self._is_open_page = is_open_page
        self._digests = tuple(digest.encode() for digest in settings.api_keys)
        self._n_in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            response = problem_response(
                refusal.kind, refusal.detail, instance=scope["path"], headers=refusal.headers
            )
            is_unread = refusal.kind is TOO_LARGE
            await response(scope, receive, Farewell(receive, send).send if is_unread else send)
            return
        self._n_in_flight += 1
        try:
            await self._serve_in_time(scope, headers, receive, send)
        finally:
            self._n_in_flight -= 1

    def _refusal(self, scope: Scope, headers: Headers) -> RefusedError | None:
        path = scope["path"]
        if self._digests and not self._is_open(scope) and not self._has_key(headers):
            challenge = {"WWW-Authenticate": 'Bearer realm="api"'}
            return RefusedError(UNAUTHORIZED, "This route needs an API key.", headers=challenge)
        limit = self._settings.max_in_flight
        can_wait = path not in NEVER_BUSY and not path.startswith(PROBLEM_PAGES)
        if self._n_in_flight >= limit and can_wait:
            detail = f"{limit} requests are in flight already (MAX_IN_FLIGHT)."
            return RefusedError(BUSY, detail, headers={"Retry-After": "1"})
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._settings.max_body_bytes:
            # The body is not read: the connection cannot carry another request.
            return RefusedError(TOO_LARGE, self._too_large(), headers={"Connection": "close"})
        return None

    def _is_open(self, scope: Scope) -> bool:
        path = scope["path"]
        return path in OPEN_PATHS or path.startswith(OPEN_PREFIXES) or self._is_open_page(scope)

    def _has_key(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        key = token.strip(" \t") if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        # Headers were read as Latin-1: this gives back the bytes that were sent, UTF-8 or not.
        digest = hashlib.sha256(key.encode("latin-1")).hexdigest().encode()
        # Every digest is compared, each in constant time: the time taken tells nothing.
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return bool(key) and any(matches)

    def _too_large(self) -> str:
        return f"At most {self._settings.max_body_bytes} bytes are accepted (MAX_BODY_BYTES)."

    async def _serve_in_time(
        self, scope: Scope, headers: Headers, receive: Receive, send: Send
    ) -> None:
        """Serve with one limit for the body's arrival and, from then on, one for the answer."""
        limit_s = self._settings.request_timeout_s
        has_started = False
        has_body = "content-length" in headers or "transfer-encoding" in headers
        deadline = asyncio.timeout(limit_s + self._settings.body_timeout_s * has_body)

        def begin_answer_time() -> None:
            if not has_started and not deadline.expired():
                deadline.reschedule(asyncio.get_running_loop().time() + limit_s)

        if has_body:
            farewell = Farewell(receive, send, is_needed=False)
            send = farewell.send
            receive = self._guarded_body(headers, receive, begin_answer_time, farewell)
        try:
            async with deadline:

                async def send_and_free(message: Message) -> None:
                    nonlocal has_started
                    if not has_started and message["type"] == "http.response.start":
                        has_started = True
                        deadline.reschedule(None)
                    await send(message)

                await self._app(scope, receive, send_and_free)
        except TimeoutError:
            if has_started or not deadline.expired():
                raise
            detail = f"No answer began within {limit_s:g} s (REQUEST_TIMEOUT_S)."
            response = problem_response(
                TIMEOUT, detail, instance=scope["path"], headers={"Retry-After": "1"}
            )
            await response(scope, receive, send)

    def _guarded_body(
        self,
        headers: Headers,
        receive: Receive,
        when_complete: Callable[[], None],
        farewell: Farewell,
    ) -> Receive:
        """Wrap `receive`: count bytes, mind the clock, and look for NaN in JSON, until the end."""
        settings = self._settings
        give_up_at = asyncio.get_running_loop().time() + settings.body_timeout_s
        scan = JsonScan.for_type(headers.get("content-type", ""))
        n_bytes = 0
        is_complete = False

        async def receive_in_bounds() -> Message:
            nonlocal n_bytes, is_complete
            if is_complete:
                return await receive()
            try:
                async with asyncio.timeout_at(give_up_at):
                    message = await receive()
            except TimeoutError:
                detail = (
                    f"{n_bytes} bytes arrived within {settings.body_timeout_s:g} s "
                    "and the rest did not (BODY_TIMEOUT_S)."
                )
                raise RefusedError(BODY_TIMEOUT, detail, headers={"Connection": "close"}) from None
            body = message.get("body", b"")
            n_bytes += len(body)
            if n_bytes > settings.max_body_bytes:
                farewell.is_needed = True
                raise RefusedError(TOO_LARGE, self._too_large(), headers={"Connection": "close"})
            is_complete = not message.get("more_body", False)
            if is_complete:
                when_complete()
            if scan is not None and message["type"] == "http.request":
                scan.look(body, is_last=is_complete)
            return message

        return receive_in_bounds
