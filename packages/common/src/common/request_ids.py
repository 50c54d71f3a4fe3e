"""The ids of the request that is being handled: for its answer, its log lines, its calls to others.

`service/observing.py` sets them. A trace's ids are made when something asks for them: most requests
log nothing and call nobody, and making and binding them took 3 µs of each.
Source: W3C Trace Context.
"""

import os
import random
import re
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from structlog.contextvars import get_contextvars

_TRACEPARENT = re.compile(  # a later version may append fields (W3C Trace Context, section 3.2.4)
    r"(?!ff)(00|[0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?"
)
_random = random.Random()  # noqa: S311 - no secret; not the module's own, which programs seed
os.register_at_fork(after_in_child=_random.seed)


class RequestTrace(NamedTuple):
    """The ids of one request's trace: 32 and 16 hex digits."""

    trace_id: str
    span_id: str


class RequestIds:
    """The ids of one request."""

    __slots__ = ("_trace", "_traceparent", "request_id")

    def __init__(
        self, request_id: str, traceparent: str = "", trace: RequestTrace | None = None
    ) -> None:
        self.request_id = request_id
        self._traceparent = traceparent
        self._trace = trace

    @property
    def trace(self) -> RequestTrace:
        """The caller's trace gone on with, or one of its own."""
        if self._trace is None:
            self._trace = continue_trace(self._traceparent)
        return self._trace


CURRENT: ContextVar[RequestIds | None] = ContextVar("request_ids", default=None)


def request_ids() -> dict[str, str]:
    """Return `request_id`, `trace_id` and `span_id`, as far as they are known here.

    What was bound to structlog's context under these names goes before.
    """
    ids = CURRENT.get()
    known: dict[str, str] = {}
    if ids is not None:
        trace_id, span_id = ids.trace
        known = {"request_id": ids.request_id, "trace_id": trace_id, "span_id": span_id}
    bound = get_contextvars()
    return known | {
        name: str(bound[name]) for name in ("request_id", "trace_id", "span_id") if name in bound
    }


def add_request_ids(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Put the ids on a log event (a structlog processor)."""
    for name, value in request_ids().items():
        event.setdefault(name, value)
    return event


def continue_trace(traceparent: str) -> RequestTrace:
    """Take the trace id of a valid `traceparent` header, else a new one; the span id is new."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    is_valid = found is not None and not (found.group(1) == "00" and found.group(4))
    digits = random_id(192)
    trace_id = found.group(2) if found and is_valid else digits[:32]
    return RequestTrace(trace_id, digits[32:])


def random_id(n_bits: int) -> str:
    """Make an id as hex digits; it tells requests apart and guards nothing, so it is quick."""
    return f"{_random.getrandbits(n_bits) or 1:0{n_bits // 4}x}"
