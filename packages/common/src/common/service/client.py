"""One typed client for a service behind a URL or in this process; the caller cannot tell which.

Every call has a total deadline; only repeatable calls are retried (`retries.py`); problem details
come back as ProblemError; the trace of the current request travels along. Constructing a client
does no I/O. It knows no service's contract. Read next: `transport.py`, the in-process edge.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeGuard, TypeVar, get_type_hints, overload

import httpx2
import structlog
from pydantic import BaseModel, JsonValue, SecretStr

from common.errors import DomainError
from common.platform.services import find_service, load_create_app
from common.service.answers import (
    AnswerStream,
    AnswerTimeoutError,
    BadAnswerError,
    ServiceCallError,
    UnreachableError,
    call_errors,
    parse,
    raise_for_problem,
    reading_errors,
)
from common.service.lifespan import ASGIApp
from common.service.retries import (
    IDEMPOTENCY_HEADER,
    RETRYABLE_STATUSES,
    RetryPolicy,
    is_repeatable,
    retry_after_s,
)
from common.service.tracing import trace_headers
from common.service.transport import StreamingASGITransport

log = structlog.get_logger()

Answer = TypeVar("Answer")
Parameters = Mapping[str, str | int | float | bool | Sequence[str] | None]
Body = BaseModel | JsonValue | bytes | AsyncIterable[bytes]

IN_PROCESS_URL = "http://localhost"

__all__ = [
    "AnswerStream",
    "AnswerTimeoutError",
    "BadAnswerError",
    "ServiceCallError",
    "ServiceClient",
    "SiblingError",
    "UnreachableError",
    "connect",
    "connect_app",
]


class SiblingError(DomainError):
    """A sibling's `create_app` does not say which settings it takes."""

    def __init__(self, create_app: Callable[..., object]) -> None:
        place = f"{create_app.__module__}:{getattr(create_app, '__qualname__', '?')}"
        super().__init__(f"{place} must annotate its argument `settings` with a Settings class.")


class ServiceClient:
    """Calls one service; `http` is the client underneath, for the SDKs of the protocols."""

    def __init__(
        self, http: httpx2.AsyncClient, *, name: str, timeout_s: float, retries: RetryPolicy
    ) -> None:
        self.http = http
        self.name = name
        self._timeout_s = timeout_s
        self._retries = retries

    def url(self, path: str) -> str:
        """Give the absolute address of a path, for an SDK that is handed `http` beside it."""
        return f"{str(self.http.base_url).rstrip('/')}/{path.lstrip('/')}"

    @overload
    async def get(
        self, path: str, *, answer: type[Answer], parameters: Parameters | None = None
    ) -> Answer: ...
    @overload
    async def get(self, path: str, *, parameters: Parameters | None = None) -> JsonValue: ...
    async def get(
        self,
        path: str,
        *,
        answer: type[Answer] | None = None,
        parameters: Parameters | None = None,
    ) -> Answer | JsonValue:
        """Get JSON, as plain values or as `answer`."""
        content = await self.request("GET", path, parameters=parameters)
        return parse(self.name, content, answer)

    @overload
    async def post(
        self,
        path: str,
        body: Body = None,
        *,
        answer: type[Answer],
        idempotency_key: str | None = None,
    ) -> Answer: ...
    @overload
    async def post(
        self, path: str, body: Body = None, *, idempotency_key: str | None = None
    ) -> JsonValue: ...
    async def post(
        self,
        path: str,
        body: Body = None,
        *,
        answer: type[Answer] | None = None,
        idempotency_key: str | None = None,
    ) -> Answer | JsonValue:
        """Post a model, plain values or bytes; retried only with an idempotency key."""
        headers = {IDEMPOTENCY_HEADER: idempotency_key} if idempotency_key else {}
        content = await self.request("POST", path, body, headers=headers)
        return parse(self.name, content, answer)

    async def request(
        self,
        method: str,
        path: str,
        body: Body = None,
        *,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> bytes:
        """Call and read the whole answer, retries included, within `timeout_s` in all."""
        call = _Call(method, path, body, parameters, headers or {})
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(limit_s):
                response = await self._send(call, limit_s)
                try:
                    with reading_errors(self.name):
                        await raise_for_problem(response)
                        return await response.aread()
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise AnswerTimeoutError(self.name, f"no answer within {limit_s:g} s") from error

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        body: Body = None,
        *,
        parameters: Parameters | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> AsyncGenerator[AnswerStream]:
        """Open a streamed answer: `timeout_s` for its head, the client's own between two parts."""
        call = _Call(method, path, body, parameters, headers or {})
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(limit_s):
                response = await self._send(call, limit_s)
        except TimeoutError as error:
            raise AnswerTimeoutError(self.name, f"no answer within {limit_s:g} s") from error
        try:
            with reading_errors(self.name):
                await raise_for_problem(response)
            yield AnswerStream(self.name, response)
        finally:
            await response.aclose()

    async def _send(self, call: _Call, limit_s: float) -> httpx2.Response:
        """Send until an answer is worth reading, the tries are used up or the deadline is near."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit_s
        attempt = 0
        while True:
            outcome = await self._attempt(call)
            asked_s = 0.0
            if isinstance(outcome, httpx2.Response):
                if outcome.status_code not in RETRYABLE_STATUSES:
                    return outcome
                asked_s = retry_after_s(outcome.headers.get("retry-after"))
            delay_s = self._retries.delay_s(attempt, asked_s)
            is_used_up = attempt >= self._retries.n_retries or not call.is_repeatable
            if is_used_up or loop.time() + delay_s >= deadline:
                if isinstance(outcome, UnreachableError):
                    raise outcome
                return outcome
            await self._wait_to_retry(outcome, call, delay_s)
            attempt += 1

    async def _attempt(self, call: _Call) -> httpx2.Response | UnreachableError:
        try:
            with call_errors(self.name):
                return await self.http.send(call.build(self.http), stream=True)
        except UnreachableError as error:
            return error

    async def _wait_to_retry(
        self, outcome: httpx2.Response | UnreachableError, call: _Call, delay_s: float
    ) -> None:
        reason = str(outcome)
        if isinstance(outcome, httpx2.Response):
            reason = f"status {outcome.status_code}"
            await outcome.aclose()
        log.info(
            "call_retried",
            peer=self.name,
            method=call.method,
            path=call.path,
            reason=reason,
            delay_s=round(delay_s, 3),
        )
        await asyncio.sleep(delay_s)


def _is_streamed(body: Body) -> TypeGuard[AsyncIterable[bytes]]:
    return isinstance(body, AsyncIterable)


@dataclass(frozen=True)
class _Call:
    """One logical call: what every attempt of it sends."""

    method: str
    path: str
    body: Body
    parameters: Parameters | None
    headers: Mapping[str, str]

    @property
    def is_repeatable(self) -> bool:
        return not _is_streamed(self.body) and is_repeatable(self.method, self.headers)

    def build(self, http: httpx2.AsyncClient) -> httpx2.Request:
        headers = dict(self.headers)
        content: bytes | AsyncIterable[bytes] | None = None
        if isinstance(self.body, BaseModel):
            content = self.body.model_dump_json(by_alias=True).encode()
            headers.setdefault("Content-Type", "application/json")
        elif isinstance(self.body, bytes) or _is_streamed(self.body):
            content = self.body
            headers.setdefault("Content-Type", "application/octet-stream")
        elif self.body is not None:
            content = json.dumps(self.body, allow_nan=False, separators=(",", ":")).encode()
            headers.setdefault("Content-Type", "application/json")
        return http.build_request(
            self.method, self.path, content=content, params=self.parameters, headers=headers
        )


@asynccontextmanager
async def connect(
    target: str,
    *,
    api_key: SecretStr | None = None,
    timeout_s: float = 30.0,
    retries: int = 2,
) -> AsyncGenerator[ServiceClient]:
    """Open a client for `http://…`, or for a sibling by import name, run in this process.

    The sibling's app is made by its `create_app` with settings from the environment, as its own
    command would make it. Raises NotInstalledError, and LifespanError when it cannot start.
    """
    if "://" in target:
        transport = httpx2.AsyncHTTPTransport()
        async with _open(
            transport,
            base_url=target,
            name=target,
            api_key=api_key,
            timeout_s=timeout_s,
            retries=retries,
        ) as client:
            yield client
    else:
        async with connect_app(
            _create_sibling(target),
            name=find_service(target).script,
            api_key=api_key,
            timeout_s=timeout_s,
            retries=retries,
        ) as client:
            yield client


@asynccontextmanager
async def connect_app(
    app: ASGIApp,
    *,
    name: str = "service in this process",
    api_key: SecretStr | None = None,
    timeout_s: float = 30.0,
    retries: int = 2,
) -> AsyncGenerator[ServiceClient]:
    """Open a client for an app object in this process; its lifespan runs as long."""
    transport = StreamingASGITransport(app)
    async with _open(
        transport,
        base_url=IN_PROCESS_URL,
        name=name,
        api_key=api_key,
        timeout_s=timeout_s,
        retries=retries,
    ) as client:
        yield client


@asynccontextmanager
async def _open(
    transport: httpx2.AsyncBaseTransport,
    *,
    base_url: str,
    name: str,
    api_key: SecretStr | None,
    timeout_s: float,
    retries: int,
) -> AsyncGenerator[ServiceClient]:
    headers = {"Authorization": f"Bearer {api_key.get_secret_value()}"} if api_key else {}
    http = httpx2.AsyncClient(
        transport=transport,
        base_url=base_url,
        headers=headers,
        timeout=httpx2.Timeout(timeout_s, connect=min(timeout_s, 5.0)),
        event_hooks={"request": [_pass_trace_on]},
    )
    async with http:
        policy = RetryPolicy(n_retries=retries)
        yield ServiceClient(http, name=name, timeout_s=timeout_s, retries=policy)


async def _pass_trace_on(request: httpx2.Request) -> None:
    for name, value in trace_headers().items():
        request.headers.setdefault(name, value)


def _create_sibling(target: str) -> ASGIApp:
    create_app = load_create_app(target)
    settings_class = get_type_hints(create_app).get("settings")
    if not isinstance(settings_class, type):
        raise SiblingError(create_app)
    app: ASGIApp = create_app(settings_class())
    return app
