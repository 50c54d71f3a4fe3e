"""The outermost layer: ids, one log event and one measurement a request, security headers.

Pure ASGI. An exception that nothing below handled becomes a 500 here, with the request id and no
internals; the log has the rest. Refuses nothing: `guarding.py`, the next layer in, does.
"""

import re
from collections.abc import Awaitable, Callable
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from common.request_ids import CURRENT, RequestIds, random_id
from common.service.problems import internal_error
from common.telemetry import Span, Telemetry

log = structlog.get_logger("access")

QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged at debug."""

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""Own scripts only. Plotly and the API docs set inline styles by script."""

SECURITY_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
DATA_SECURITY_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
)
"""What is no page loads nothing, opens nothing and leads nowhere: the others would say nothing."""

_REQUEST_ID_HEADER = b"x-request-id"
_REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
UNMATCHED = "(unmatched)"


class Observe:
    """ASGI middleware that gives each request its ids and says how it went."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry
        labels = ("method", "route", "status")
        self._requests = telemetry.tally("http_requests_total", "Requests answered.", labels)
        self._latency = telemetry.distribution(
            "http_request_duration_seconds",
            "Time from a request's first byte to its answer's last.",
            ("method", "route", "status_class"),
        )
        self._n_in_flight = 0
        telemetry.gauge("http_requests_in_flight", "Requests being answered.").set_function(
            lambda: self._n_in_flight
        )
        self._log: FilteringBoundLogger | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(_REQUEST_ID_HEADER, b"").decode("latin-1")
        request_id = given if given and _REQUEST_ID.fullmatch(given) else random_id(64)
        traceparent = headers.get(b"traceparent", b"").decode("latin-1")
        if not self._telemetry.is_tracing:
            answer = _Answer(send, request_id)
            await self._observe(scope, receive, answer, RequestIds(request_id, traceparent))
            return
        with self._telemetry.request_span(scope["method"], traceparent) as (trace, span):
            ids = RequestIds(request_id, trace=trace)
            await self._observe(scope, receive, _Answer(send, request_id, span), ids)

    async def _observe(
        self, scope: Scope, receive: Receive, answer: "_Answer", ids: RequestIds
    ) -> None:
        started = perf_counter()
        token = CURRENT.set(ids)
        self._n_in_flight += 1
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            log.exception("unhandled_error", path=scope["path"])
            if answer.has_started and not answer.is_whole:
                raise  # the caller must see that the answer broke off
            if not answer.has_started:
                await internal_error(scope["path"])(scope, receive, answer.send)
        finally:
            self._n_in_flight -= 1
            self._record(scope, answer, perf_counter() - started)
            CURRENT.reset(token)

    def _record(self, scope: Scope, answer: "_Answer", seconds: float) -> None:
        route = route_template(scope)
        method = scope["method"]
        self._requests.add((method, route, str(answer.status)))
        self._latency.add((method, route, f"{answer.status // 100}xx"), seconds)
        if answer.span is not None:
            answer.span.set_attribute("http.request.method", method)
            answer.span.set_attribute("http.route", route)
            answer.span.set_attribute("http.response.status_code", answer.status)
        if self._log is None:  # bound once: looking up how to log takes longer than most requests
            self._log = log.bind()
        write = self._log.debug if scope["path"] in QUIET_PATHS else self._log.info
        write(
            "request",
            method=method,
            route=route,
            status=answer.status,
            latency_ms=round(seconds * 1000, 3),
            n_bytes=answer.n_bytes,
        )


def route_template(scope: Scope) -> str:
    """Name the route that answered, never the path itself: metrics need few label values."""
    route = scope.get("route")
    path = getattr(route, "path", "") or getattr(route, "path_format", "")
    return str(path) if path else UNMATCHED


class _Answer:
    """The sending half of a request, with what was sent so far."""

    def __init__(
        self,
        send: Callable[[Message], Awaitable[None]],
        request_id: str,
        span: Span | None = None,
    ) -> None:
        self._send = send
        self.request_id = request_id
        self.span = span
        self.status = 499  # nginx's code for a caller that left before an answer
        self.n_bytes = 0
        self.has_started = False
        self.is_whole = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            self.status = message["status"]
            headers = [pair for pair in message.get("headers", ()) if pair[0] != _REQUEST_ID_HEADER]
            present = dict(headers)
            is_data = present.get(b"content-type", b"").startswith(b"application/")
            wanted = DATA_SECURITY_HEADERS if is_data else SECURITY_HEADERS
            headers += [pair for pair in wanted if pair[0] not in present]
            headers.append((_REQUEST_ID_HEADER, self.request_id.encode()))
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            self.n_bytes += len(message.get("body", b""))
            self.is_whole = not message.get("more_body", False)
        await self._send(message)
