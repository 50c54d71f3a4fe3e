"""Limits on how long, and how large, a request's headers may be (slow-loris clients).

uvicorn has a limit for idle kept-alive connections and none for a request that never completes
its headers, nor for their size; this protocol adds both, and says uvicorn's own refusal of what is
not HTTP as a problem. The body's limits are `guarding.py`'s.
"""

import asyncio
import json

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from common.errors import PROBLEM_MEDIA_TYPE, ProblemType
from common.service.problems import BODY_TIMEOUT, HEADERS_TOO_LARGE, MALFORMED

MAX_HEADER_BYTES = 64 * 1024


class PatientProtocol(HttpToolsProtocol):
    """One connection; a subclass by `patient_protocol` sets its time."""

    header_timeout_s = 10.0
    _waiting: asyncio.TimerHandle | None = None
    _n_header_bytes = 0
    _is_head_open = False

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._wait()

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_head_open or self._waiting is not None:
            # Only now: most headers come whole, and a timer for each would cost it 2 µs.
            if self._waiting is None:
                self._wait()
            self._n_header_bytes += len(data)
            if self._n_header_bytes > MAX_HEADER_BYTES:
                detail = f"At most {MAX_HEADER_BYTES} bytes of headers are accepted."
                self._refuse(HEADERS_TOO_LARGE, detail)
        elif self.timeout_keep_alive_task is None and not self._is_answering():
            self._wait()  # bytes that begin no request, such as empty lines, keep nothing open

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_head_open = True
        self._stop_waiting()

    @override
    def on_headers_complete(self) -> None:
        self._is_head_open = False
        self._stop_waiting()
        super().on_headers_complete()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    @override
    def send_400_response(self, msg: str) -> None:
        self._refuse(MALFORMED, msg)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait(self) -> None:
        self._n_header_bytes = 0
        self._waiting = self.loop.call_later(self.header_timeout_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if self._is_answering():
            self._wait()  # a pipelined request: the answer before it goes first
        elif self._n_header_bytes == 0:
            self.transport.close()  # nothing was asked, so nothing is answered
        else:
            detail = f"No whole request within {self.header_timeout_s:g} s (HEADER_TIMEOUT_S)."
            self._refuse(BODY_TIMEOUT, detail)

    def _refuse(self, kind: ProblemType, detail: str) -> None:
        self._stop_waiting()
        if self.transport.is_closing():
            return
        if not self._is_answering():  # never into the middle of another answer
            self.transport.write(_refusal(kind, detail))
        self.transport.close()


def patient_protocol(header_timeout_s: float) -> type[HttpToolsProtocol]:
    """Make a protocol class whose connections must complete each request's headers in time."""
    return type("Protocol", (PatientProtocol,), {"header_timeout_s": header_timeout_s})


def _refusal(kind: ProblemType, detail: str) -> bytes:
    body = json.dumps(
        {"type": kind.uri, "title": kind.title, "status": kind.status, "detail": detail}
    ).encode()
    head = (
        f"HTTP/1.1 {kind.status} {kind.title}\r\ncontent-type: {PROBLEM_MEDIA_TYPE}\r\n"
        f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
