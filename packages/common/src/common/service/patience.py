"""A limit on how long a connection may take to send a request's headers (slow-loris clients).

uvicorn has a limit for idle kept-alive connections and none for a request that never completes
its headers; this protocol adds that one. The body's time is `guarding.py`'s.
"""

import asyncio

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_ANSWER = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/problem+json\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%s"
)
_PROBLEM = (
    b'{"type":"/problems/body-timeout","title":"The headers did not arrive in time",'
    b'"status":408,"detail":"Send the whole request at once (HEADER_TIMEOUT_S)."}'
)


def patient_protocol(header_timeout_s: float) -> type[HttpToolsProtocol]:
    """Make a protocol class whose connections must complete each request's headers in time."""

    class PatientProtocol(HttpToolsProtocol):
        _waiting: asyncio.TimerHandle | None = None

        @override
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._wait()

        @override
        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._wait()

        @override
        def on_headers_complete(self) -> None:
            self._stop_waiting()
            super().on_headers_complete()

        @override
        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._stop_waiting()
            self._waiting = self.loop.call_later(header_timeout_s, self._give_up)

        def _stop_waiting(self) -> None:
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

        def _give_up(self) -> None:
            if not self.transport.is_closing():
                self.transport.write(_ANSWER % (len(_PROBLEM), _PROBLEM))
                self.transport.close()

    return PatientProtocol
