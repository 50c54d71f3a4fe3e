"""Who may ask, how much, how long: keys, load, body size and encoding, body time, answer time.

Pure ASGI, one layer inside `observing.py`. A refusal is a problem that says the limit and the
setting that raises it. Streaming answers keep their time: the limit ends when an answer begins.
A route may have a limit of its own (`own_limits.py`).
"""

import hashlib
import hmac
import math
from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.service.bodies import Farewell
from common.service.deadlines import Deadline, Deadlines
from common.service.own_limits import ALLOW, AnswerLimit
from common.service.problems import (
    BODY_TIMEOUT,
    BUSY,
    ENCODED,
    TIMEOUT,
    TOO_LARGE,
    UNAUTHORIZED,
    RefusedError,
    problem_response,
)
from common.settings import Settings

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/version", "/docs", "/openapi.json"})
DECODED_BY_ROUTE = "/v2/"
"""Where a route inflates what its protocol lets clients encode, and refuses the rest itself."""
PROBLEM_PAGES = "/problems/"
OPEN_PREFIXES = (PROBLEM_PAGES, "/design/", "/docs/")
"""What a probe, a browser or a reader may see without a key; everything else needs one,
`/metrics` too: it tells what the service is used for."""
NEVER_BUSY = OPEN_PATHS | {"/metrics"}
"""Answered under any load, as are the pages of problems: who watches a busy service, or asks what
busy means, must not be refused."""
MAX_SHOWN = 40
"""Characters of a refused header that an answer repeats."""
Headers = Mapping[bytes, bytes]
"""Header fields by their names in lower case, as they came."""


class Guard:
    """ASGI middleware that refuses what the settings do not allow."""

    def __init__(
        self, app: ASGIApp, settings: Settings, is_open_page: Callable[[Scope], bool]
    ) -> None:
        self._app = app
        self._settings = settings
        self._is_open_page = is_open_page
        self._digests = tuple(digest.encode() for digest in settings.api_keys)
        self._deadlines = Deadlines()
        self._n_in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI), with one limit for its body and then one for its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: Headers = dict(scope["headers"])
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            is_unread = refusal.kind in {TOO_LARGE, ENCODED}
            send = Farewell(receive, send).send if is_unread else send
            await _refuse(refusal, scope, receive, send)
            return
        has_body = b"content-length" in headers or b"transfer-encoding" in headers
        settings = self._settings
        deadline = self._deadlines.within(
            settings.body_timeout_s if has_body else settings.request_timeout_s
        )
        exchange = _Exchange(settings, receive, send, deadline, is_whole=not has_body)
        scope[ALLOW] = exchange.allow
        self._n_in_flight += 1
        try:
            with deadline:
                await self._app(scope, exchange.receive, exchange.send)
        except TimeoutError:
            if exchange.has_started or not deadline.has_passed:
                raise
            refusal = exchange.too_slow()
            await _refuse(refusal, scope, receive, exchange.send)
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
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > self._settings.max_body_bytes:
            # The body is not read: the connection cannot carry another request.
            return RefusedError(
                TOO_LARGE, too_large(self._settings), headers={"Connection": "close"}
            )
        encodings = headers.get(b"content-encoding")
        if encodings and not scope["path"].startswith(DECODED_BY_ROUTE):
            return _encoded(encodings.decode("latin-1"))
        return None

    def _is_open(self, scope: Scope) -> bool:
        path = scope["path"]
        return path in OPEN_PATHS or path.startswith(OPEN_PREFIXES) or self._is_open_page(scope)

    def _has_key(self, headers: Headers) -> bool:
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        is_bearer = scheme.lower() == b"bearer"
        key = token.strip(b" \t") if is_bearer else headers.get(b"x-api-key", b"")
        digest = hashlib.sha256(key).hexdigest().encode()
        # Every digest is compared, each in constant time: the time taken tells nothing.
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return bool(key) and any(matches)


def _encoded(encodings: str) -> RefusedError | None:
    """Refuse a body that is not as it is (RFC 9110, sections 8.4 and 15.5.16)."""
    if all(one.strip().lower() in {"", "identity"} for one in encodings.split(",")):
        return None
    detail = (
        f"Content-Encoding is {encodings[:MAX_SHOWN]!r}; accepted is identity: the body as it is."
    )
    return RefusedError(ENCODED, detail, headers={"Accept-Encoding": "identity"})


async def _refuse(refusal: RefusedError, scope: Scope, receive: Receive, send: Send) -> None:
    response = problem_response(
        refusal.kind, refusal.detail, instance=scope["path"], headers=refusal.headers
    )
    await response(scope, receive, send)


class _Exchange:
    """A request and its answer on their way: the body's bytes are counted, the time is kept."""

    def __init__(
        self,
        settings: Settings,
        receive: Receive,
        send: Send,
        deadline: Deadline,
        *,
        is_whole: bool,
    ) -> None:
        self._settings = settings
        self._receive = receive
        self._send = send
        self._deadline = deadline
        self._is_whole = is_whole
        self._is_body_awaited = False
        self._limit = AnswerLimit(settings.request_timeout_s, "REQUEST_TIMEOUT_S")
        self.n_bytes = 0
        self.has_started = False

    async def receive(self) -> Message:
        """Pass the next message on (ASGI)."""
        if self._is_whole:
            return await self._receive()
        self._is_body_awaited = True
        message = await self._receive()
        self._is_body_awaited = False
        self.n_bytes += len(message.get("body", b""))
        if self.n_bytes > self._settings.max_body_bytes:
            self._send = Farewell(self._receive, self._send).send
            raise RefusedError(
                TOO_LARGE, too_large(self._settings), headers={"Connection": "close"}
            )
        if not message.get("more_body", False):
            self._is_whole = True
            self._deadline.allow(self._limit.seconds)
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on (ASGI); once it begins, it takes the time it takes."""
        if not self.has_started and message["type"] == "http.response.start":
            self.has_started = True
            self._deadline.allow(math.inf)
        await self._send(message)

    def allow(self, limit: AnswerLimit) -> None:
        """Keep this limit from now on, or once the body is whole; an answer that began has none."""
        self._limit = limit
        if self._is_whole and not self.has_started:
            self._deadline.allow(limit.seconds)

    def too_slow(self) -> RefusedError:
        """Say what took too long: the body's arrival, or the answer's beginning."""
        if not self._is_body_awaited:
            return RefusedError(TIMEOUT, self._limit.exceeded(), headers={"Retry-After": "1"})
        detail = (
            f"{self.n_bytes} bytes arrived within {self._settings.body_timeout_s:g} s "
            "and the rest did not (BODY_TIMEOUT_S)."
        )
        return RefusedError(BODY_TIMEOUT, detail, headers={"Connection": "close"})


def too_large(settings: Settings) -> str:
    """Say which bodies are too large."""
    return f"At most {settings.max_body_bytes} bytes are accepted (MAX_BODY_BYTES)."
