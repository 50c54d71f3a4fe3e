"""What a service's answer means: JSON, a typed value, a problem, or a stream of parts.

It sends nothing and retries nothing. Read next: `client.py`, which does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, contextmanager
from functools import lru_cache
from http.client import responses as REASONS  # noqa: N812 - a table of constants
from typing import TypeVar

import httpx2
from pydantic import JsonValue, TypeAdapter, ValidationError

from common.errors import DomainError, Problem, ProblemError

Answer = TypeVar("Answer")

MAX_PROBLEM_BYTES = 1024 * 1024
N_QUOTED_CHARACTERS = 200
NO_ANSWER_YET = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ReadError,
    httpx2.WriteError,
    httpx2.RemoteProtocolError,
)
"""Failures before a status line: a refused connection, or a kept-alive one that the peer closed."""

JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


class ServiceCallError(DomainError):
    """A call that brought no answer of the service itself."""

    def __init__(self, service: str, message: str) -> None:
        self.service = service
        super().__init__(f"{service}: {message}")


class UnreachableError(ServiceCallError):
    """No connection could be made, or it broke before an answer began."""


class AnswerTimeoutError(ServiceCallError):
    """The answer did not come within the call's deadline."""


class BadAnswerError(ServiceCallError):
    """The answer broke off, or is not what its contract says."""


def parse(service: str, content: bytes, answer: type[Answer] | None) -> Answer | JsonValue:
    """Read a JSON body as the wanted type, or as plain JSON values."""
    try:
        if answer is None:
            return JSON.validate_json(content) if content else None
        return _adapter(answer).validate_json(content)
    except ValidationError as error:
        wanted = "JSON" if answer is None else getattr(answer, "__name__", str(answer))
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise BadAnswerError(
            service, f"the answer is not a valid {wanted}: {place}: {first['msg']}"
        ) from error


@lru_cache(maxsize=256)
def _adapter(answer: type[Answer]) -> TypeAdapter[Answer]:
    return TypeAdapter(answer)


async def raise_for_problem(response: httpx2.Response) -> None:
    """Raise ProblemError unless the service answered with success; the body is read then."""
    if response.is_success:
        return
    content = await _read_bounded(response)
    raise ProblemError(problem_from(response.status_code, response.headers, content))


def problem_from(status: int, headers: httpx2.Headers, content: bytes) -> Problem:
    """Read problem details; anything else (a proxy's page, a bare text) becomes `about:blank`."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/problem+json":
        try:
            return Problem.model_validate_json(content)
        except ValidationError:
            pass  # not the problem it says it is: quoted below like any other body
    quoted = content.decode("utf-8", "replace").strip()[:N_QUOTED_CHARACTERS]
    title = REASONS.get(status, f"Status {status}")
    return Problem(type="about:blank", title=title, status=status, detail=quoted or title)


async def _read_bounded(response: httpx2.Response) -> bytes:
    content = bytearray()
    async with aclosing(response.aiter_bytes()) as parts:
        async for part in parts:
            content += part
            if len(content) > MAX_PROBLEM_BYTES:
                break
    return bytes(content)


class AnswerStream:
    """A streamed answer, as it comes; leaving its context early tells the service so."""

    def __init__(self, service: str, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self._service = service
        self._response = response

    async def parts(self) -> AsyncGenerator[bytes]:
        """Yield the body's bytes as the service sends them."""
        with reading_errors(self._service):
            async with aclosing(self._response.aiter_bytes()) as parts:
                async for part in parts:
                    yield part

    async def lines(self) -> AsyncGenerator[str]:
        """Yield the body's lines without their ends."""
        with reading_errors(self._service):
            async for line in self._response.aiter_lines():
                yield line

    async def events(self) -> AsyncGenerator[httpx2.ServerSentEvent]:
        """Yield server-sent events; a final `error` event is raised as ProblemError."""
        with reading_errors(self._service):
            async for event in httpx2.EventSource(self._response):
                if event.event == "error":
                    raise ProblemError(_problem_of_event(event.data))
                yield event


@contextmanager
def call_errors(service: str) -> Generator[None]:
    """Name the service where the HTTP library only names a symptom; for the way to the head."""
    try:
        yield
    except NO_ANSWER_YET as error:
        reason = str(error) or type(error).__name__
        raise UnreachableError(service, f"cannot be reached ({reason}); is it running?") from error
    except httpx2.RequestError as error:
        raise _broken(service, error) from error


@contextmanager
def reading_errors(service: str) -> Generator[None]:
    """Do the same for what breaks once an answer has begun."""
    try:
        yield
    except httpx2.RequestError as error:
        raise _broken(service, error) from error


def _broken(service: str, error: httpx2.RequestError) -> ServiceCallError:
    reason = str(error) or type(error).__name__
    if isinstance(error, httpx2.TimeoutException):
        return AnswerTimeoutError(service, f"no answer in time ({reason})")
    return BadAnswerError(service, f"the answer broke off ({reason})")


def _problem_of_event(data: str) -> Problem:
    try:
        return Problem.model_validate_json(data)
    except ValidationError:
        detail = data[:N_QUOTED_CHARACTERS]
        return Problem(type="about:blank", title="The stream failed", status=500, detail=detail)
