"""Every failure of a service as RFC 9457 problem details, and the page that explains each kind.

Covers validation, the router's own refusals, errors of the domain by the service's table, and
problems that middleware raises. An unknown exception never comes here: `observing.py` turns it
into a 500 without internals.
"""

import html
import json
import re
from collections.abc import Mapping, Sequence
from http.client import responses as REASONS  # noqa: N812 - a table of constants

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic_core import PydanticSerializationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from common.errors import PROBLEM_MEDIA_TYPE, FieldError, Problem, ProblemError, ProblemType
from common.request_ids import request_ids

INVALID = ProblemType("invalid-input", "The input is not valid", 422, "Correct the named fields.")
MALFORMED = ProblemType("malformed-body", "The body cannot be read", 400, "Send well-formed JSON.")
NOT_FOUND = ProblemType("not-found", "There is nothing here", 404, "See /docs for every route.")
METHOD = ProblemType(
    "method-not-allowed", "This route does not take that method", 405, "See the Allow header."
)
UNAUTHORIZED = ProblemType(
    "unauthorized",
    "An API key is needed",
    401,
    "Send it as `Authorization: Bearer …` or `X-API-Key`.",
)
TOO_LARGE = ProblemType(
    "body-too-large", "The body is too large", 413, "Send less at a time, or raise MAX_BODY_BYTES."
)
ENCODED = ProblemType(
    "encoded-body",
    "The body is compressed in a way that is not accepted",
    415,
    "Send the body as it is, without a Content-Encoding.",
)
HEADERS_TOO_LARGE = ProblemType(
    "headers-too-large", "The headers are too large", 431, "Send fewer or shorter headers."
)
BODY_TIMEOUT = ProblemType(
    "body-timeout",
    "The request did not arrive in time",
    408,
    "Send it faster, or in smaller parts.",
)
TIMEOUT = ProblemType(
    "timeout", "The answer took too long", 503, "Ask for less at a time, or try again."
)
BUSY = ProblemType("busy", "Too many requests at once", 503, "Wait as Retry-After says.")
NOT_READY = ProblemType(
    "not-ready", "The service is not ready", 503, "`errors` names what it waits for."
)
INTERNAL = ProblemType(
    "internal-error",
    "Something went wrong inside the service",
    500,
    "Quote the request id: the service's log has the rest.",
)
BUILT_IN = (
    INVALID, MALFORMED, NOT_FOUND, METHOD, UNAUTHORIZED, TOO_LARGE, ENCODED, HEADERS_TOO_LARGE,
    BODY_TIMEOUT, TIMEOUT, BUSY, NOT_READY, INTERNAL,
)  # fmt: skip
MAX_FIELD_NAME = 100
"""A longer key in the caller's body is cut where an answer names it."""
MAX_ERRORS = 20
"""A body with more invalid fields names the first ones only."""

_STYLE = (
    '<link rel="stylesheet" href="/design/tokens.css">'
    '<link rel="stylesheet" href="/design/components.css">'
)
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")  # RFC 3986, section 3.1

_BY_STATUS = {404: NOT_FOUND, 405: METHOD, 400: MALFORMED, 413: TOO_LARGE, 401: UNAUTHORIZED}


class RefusedError(HTTPException):
    """A refusal from below a route (a limit hit while its body was read), as a problem."""

    def __init__(
        self,
        kind: ProblemType,
        detail: str,
        *,
        fields: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.fields = tuple(fields)
        super().__init__(kind.status, detail, dict(headers or {}))


def problem_response(
    kind: ProblemType,
    detail: str,
    *,
    instance: str,
    fields: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build the answer for a problem; ids come from the request that is being handled."""
    ids = request_ids()
    problem = Problem(
        type=kind.uri,
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=instance,
        request_id=ids.get("request_id", ""),
        trace_id=ids.get("trace_id", ""),
        errors=list(fields),
    )
    return _answer(problem, headers)


def internal_error(path: str) -> Response:
    """Build the answer to what nobody expected: the request's id, and no internals."""
    detail = "The service failed on this request; its log has the reason under this id."
    return problem_response(INTERNAL, detail, instance=path)


def _answer(problem: Problem, headers: Mapping[str, str] | None) -> Response:
    try:
        body = problem.model_dump_json().encode()
    except PydanticSerializationError:  # a lone surrogate from the caller's input: not Unicode
        body = json.dumps(problem.model_dump(), ensure_ascii=False, default=str).encode(
            "utf-8", "replace"
        )
    return Response(body, problem.status, dict(headers or {}), PROBLEM_MEDIA_TYPE)


class ProblemTable:
    """The kinds of problem a service knows, and its handlers for every exception."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self.kinds: dict[str, ProblemType] = {kind.slug: kind for kind in BUILT_IN}
        app.add_exception_handler(RequestValidationError, self._on_validation)
        app.add_exception_handler(HTTPException, self._on_http)
        app.add_exception_handler(ProblemError, self._on_problem)
        app.add_exception_handler(Exception, self._on_crash)

    def add(self, table: Mapping[type[Exception], ProblemType]) -> None:
        """Answer each exception type (and its subclasses) with its problem."""
        for error_type, kind in table.items():
            self.kinds[kind.slug] = kind
            self._app.add_exception_handler(error_type, self._handler(kind))

    def page(self, slug: str) -> Response:
        """Render the page of one kind, which a problem's `type` points to."""
        kind = self.kinds.get(slug)
        if kind is None:
            raise HTTPException(404, f"There is no problem {slug!r}.")
        title, advice = html.escape(kind.title), html.escape(kind.advice or "See `detail`.")
        style = _STYLE if getattr(self._app.state, "has_design", False) else ""
        return HTMLResponse(
            f'<!doctype html><html lang="en"><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width"><title>{title}</title>'
            f'{style}<main class="problem-page"><p>Problem <code>{html.escape(slug)}</code>, '
            f"status {kind.status}</p><h1>{title}</h1><p>{advice}</p>"
            f'<p><a href="/docs">API</a></p></main></html>'
        )

    @staticmethod
    def _handler(kind: ProblemType):
        def handle(request: Request, error: Exception) -> Response:
            return problem_response(
                kind,
                str(error),
                instance=request.url.path,
                fields=getattr(error, "fields", ()),
                headers=getattr(error, "headers", None),
            )

        return handle

    @staticmethod
    def _on_validation(request: Request, error: Exception) -> Response:
        items = error.errors() if isinstance(error, RequestValidationError) else []
        malformed = next((item for item in items if item["type"] == "json_invalid"), None)
        if malformed is not None:
            reason = malformed.get("ctx", {}).get("error", "not JSON")
            detail = f"The body is not valid JSON: {reason} at character {malformed['loc'][-1]}."
            return problem_response(MALFORMED, detail, instance=request.url.path)
        fields = [field_error(item) for item in items[:MAX_ERRORS]]
        more = f" and {len(items) - MAX_ERRORS} more" if len(items) > MAX_ERRORS else ""
        named = "; ".join(f"{field.field}: {field.message}" for field in fields[:3])
        detail = f"{named}{more if len(items) > 3 else ''}."
        return problem_response(INVALID, detail, instance=request.url.path, fields=fields)

    @staticmethod
    def _on_http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        fields = error.fields if isinstance(error, RefusedError) else ()
        if isinstance(error, RefusedError):
            kind = error.kind
        else:
            kind = _BY_STATUS.get(error.status_code) or _plain_kind(error.status_code)
        detail = str(error.detail)
        if detail == "Not Found":
            detail = f"{request.url.path} is not a route; /docs lists them."
        elif detail == "Method Not Allowed":
            detail = f"{request.url.path} does not take {request.method}; see /docs."
        return problem_response(
            kind, detail, instance=request.url.path, fields=fields, headers=error.headers
        )

    @staticmethod
    def _on_crash(request: Request, _error: Exception) -> Response:
        """Answer in the kit's form; Starlette raises it again, and `observing.py` logs it."""
        return internal_error(request.url.path)

    def _on_problem(self, request: Request, error: Exception) -> Response:
        """Answer with a problem as it is; one of another service's kinds has no page here."""
        if not isinstance(error, ProblemError):
            raise error
        ids = request_ids()
        update = {name: ids.get(name, "") for name in ("request_id", "trace_id")}
        update["instance"] = error.problem.instance or request.url.path
        if not self._has_page(error.problem.type):
            update["type"] = _plain_kind(error.problem.status).uri
        return _answer(error.problem.model_copy(update=update), error.headers)

    def _has_page(self, uri: str) -> bool:
        is_own = any(kind.uri == uri for kind in self.kinds.values())
        return is_own or _ABSOLUTE_URI.match(uri) is not None


def field_error(item: Mapping[str, object]) -> FieldError:
    """Say one of pydantic's errors as field, message and what is accepted."""
    place = item.get("loc")
    parts = [_short(part) for part in place] if isinstance(place, Sequence) else []
    if parts and parts[0] in {"body", "query", "path", "header", "cookie"}:
        parts = parts[1:] or ["body"]
    kind, context = str(item.get("type", "")), item.get("ctx")
    return FieldError(
        field=".".join(parts) or "body",
        message=_MESSAGES.get(kind) or str(item.get("msg", "")).removeprefix("Value error, "),
        accepted=_accepted(kind, context if isinstance(context, Mapping) else {}),
    )


def _plain_kind(status: int) -> ProblemType:
    """Name a status that has no page of its own (RFC 9457, section 4.2.1)."""
    return ProblemType("", REASONS.get(status, f"Status {status}"), status)


def _short(part: object) -> str:
    """Name a place, not echo it: a key is the caller's and may be long or not even Unicode."""
    text = str(part).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= MAX_FIELD_NAME else f"{text[:MAX_FIELD_NAME]}…"


def _accepted(kind: str, context: Mapping[str, object]) -> str:
    limits = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    words = [f"{word} {context[name]}" for name, word in limits.items() if name in context]
    if "min_length" in context or "max_length" in context:
        low, high = context.get("min_length"), context.get("max_length")
        words.append(f"a length of {low} or more" if high is None else f"a length up to {high}")
    if "expected" in context:
        words.append(str(context["expected"]))
    if "pattern" in context:
        words.append(f"text that matches {context['pattern']}")
    if words:
        return " and ".join(words)
    return _ACCEPTED_KINDS.get(kind, "")


_MESSAGES = {"missing": "is missing", "extra_forbidden": "is not a known field"}
_ACCEPTED_KINDS = {
    "missing": "a value: the field is required",
    "extra_forbidden": "the documented fields",
    "int_type": "an integer",
    "int_parsing": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "none_required": "null",
}
