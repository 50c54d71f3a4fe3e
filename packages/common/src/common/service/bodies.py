"""JSON bodies that Python's parser would take and the standard does not: NaN and Infinity.

RFC 8259, section 6: "Numeric values that cannot be represented … are not permitted." They would
turn into predictions on nonsense, so they are refused by name, in one place, for every route. The
search is a substring test on the bytes; only a hit costs a second parse.
"""

import json
from typing import Self

from common.errors import FieldError
from common.service.problems import INVALID, RefusedError

_TOKENS = (b"NaN", b"Infinity")
_OVERLAP = max(len(token) for token in _TOKENS) - 1
_ACCEPTED = "a finite number, or null where a value is missing"


class _Constant(str):
    """A non-finite constant at its place in a parsed body."""


class JsonScan:
    """Looks at a JSON body as it arrives; refuses it at its end when it holds NaN or Infinity."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._tail = b""
        self._has_hit = False

    @classmethod
    def for_type(cls, content_type: str) -> Self | None:
        """Return a scan for a JSON content type, None for any other."""
        media_type = content_type.partition(";")[0].strip().lower()
        is_json = media_type == "application/json" or media_type.endswith("+json")
        return cls() if is_json else None

    def look(self, chunk: bytes, *, is_last: bool) -> None:
        """Take the next chunk; at the last one raise `RefusedError` naming each bad value."""
        self._chunks.append(chunk)
        window = self._tail + chunk if self._tail else chunk
        self._has_hit = self._has_hit or any(token in window for token in _TOKENS)
        self._tail = window[-_OVERLAP:]
        if is_last and self._has_hit:
            self._refuse_constants(b"".join(self._chunks))
        if is_last:
            self._chunks.clear()

    @staticmethod
    def _refuse_constants(body: bytes) -> None:
        try:
            parsed = json.loads(body, parse_constant=_Constant)
        except (ValueError, RecursionError):
            return  # not JSON at all: the route's own parser says where
        fields = [
            FieldError(field=place, message=f"{value} is not a JSON number", accepted=_ACCEPTED)
            for place, value in _constants(parsed)
        ]
        if fields:
            detail = f"{fields[0].field}: {fields[0].message}."
            raise RefusedError(INVALID, detail, fields=fields[:20])


def _constants(root: object) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    waiting: list[tuple[str, object]] = [("", root)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, _Constant):
            found.append((place or "body", str(value)))
        elif isinstance(value, dict):
            waiting += [(f"{place}.{name}" if place else name, v) for name, v in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{place}.{k}" if place else str(k), v) for k, v in enumerate(value)]
    return found[::-1]
