"""Request bodies: numbers in JSON that have no finite value, and bodies refused half-way.

RFC 8259, section 6: "Numeric values that cannot be represented … are not permitted." `1e999` is
permitted, but Python reads it as infinity. They would turn into predictions on nonsense, so they
are refused by name, in one place, for every route. The search is a test on the bytes; only a hit
costs a second parse.
"""

import asyncio
import json
import math
import re
from typing import Self

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.errors import FieldError
from common.service.problems import INVALID, RefusedError

_SUSPECT = re.compile(
    rb"NaN|Infinity"
    rb"|[0-9.][eE]\+?[0-9]{3}|[0-9]{309}"  # may be beyond 1.8e308, the largest double
    rb"|\x00"  # UTF-16 or UTF-32, which Python's parser reads and a search for bytes does not
)
_OVERLAP = 308
_MAX_SHOWN = 40
_ACCEPTED = "a finite number, or null where a value is missing"


class _Constant(str):
    """A number without a finite value at its place in a parsed body."""


def _number(text: str) -> object:
    return float(text) if math.isfinite(float(text)) else _Constant(text[:_MAX_SHOWN])


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
        # Without a type the body is looked at too: a route may take it for JSON.
        is_json = media_type in {"", "application/json"} or media_type.endswith("+json")
        return cls() if is_json else None

    def look(self, chunk: bytes, *, is_last: bool) -> None:
        """Take the next chunk; at the last one raise `RefusedError` naming each bad value."""
        self._chunks.append(chunk)
        window = self._tail + chunk if self._tail else chunk
        self._has_hit = self._has_hit or _SUSPECT.search(window) is not None
        self._tail = window[-_OVERLAP:]
        if is_last and self._has_hit:
            self._refuse_constants(b"".join(self._chunks))
        if is_last:
            self._chunks.clear()

    @staticmethod
    def _refuse_constants(body: bytes) -> None:
        try:
            parsed = json.loads(body, parse_constant=_Constant, parse_float=_number)
        except (ValueError, RecursionError):
            return  # not JSON at all: the route's own parser says where
        fields = [
            FieldError(field=place, message=f"{value} is not a finite number", accepted=_ACCEPTED)
            for place, value in _constants(parsed)
        ]
        if fields:
            detail = f"{fields[0].field}: {fields[0].message}."
            raise RefusedError(INVALID, detail, fields=fields[:20])


class RefuseConstants:
    """ASGI middleware that refuses JSON bodies with NaN or Infinity, by name of the field."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        has_body = b"content-length" in headers or b"transfer-encoding" in headers
        scan = None
        if has_body:
            scan = JsonScan.for_type(headers.get(b"content-type", b"").decode("latin-1"))
        if scan is None:
            await self._app(scope, receive, send)
            return

        async def looked_at() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                is_last = not message.get("more_body", False)
                scan.look(message.get("body", b""), is_last=is_last)
            return message

        await self._app(scope, looked_at, send)


class Farewell:
    """Ends an answer only after reading on for a while, and throwing away, what still arrives.

    A socket closed with bytes unread resets the connection, and the caller, still sending, never
    sees why it was refused (RFC 9112, section 9.6). The answer itself goes out at once.
    """

    MAX_BYTES = 64 * 1024 * 1024
    MAX_S = 5.0

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass a message on (ASGI)."""
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not is_last:
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        try:
            async with asyncio.timeout(self.MAX_S):
                await self._read_on()
        except TimeoutError:
            pass  # whoever still sends was given long enough
        await self._send({"type": "http.response.body", "body": b""})

    async def _read_on(self) -> None:
        n_bytes = 0
        while n_bytes <= self.MAX_BYTES:
            message = await self._receive()
            n_bytes += len(message.get("body", b""))
            if not message.get("more_body", False):
                return


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
