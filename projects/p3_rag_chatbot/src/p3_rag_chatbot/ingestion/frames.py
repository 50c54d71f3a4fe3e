"""What the service and the process that reads documents say to each other, over one socket.

A message is a JSON object and byte strings: lengths first, so that neither has to guess. No
pickle: what a hostile document has taken over must not speak for more than its own text.
"""

import json
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass

_HEADER = struct.Struct("!QI")  # bytes of the JSON object; number of byte strings after it
_LENGTH = struct.Struct("!Q")
_PIECE = 1 << 20


class BrokenFrameError(Exception):
    """The other side has gone, or says what no side would say."""


@dataclass(frozen=True)
class Message:
    """An object and the byte strings that belong to it."""

    values: Mapping[str, object]
    blobs: tuple[bytes, ...] = ()


def send(connection: socket.socket, message: Message) -> None:
    """Send a message within the socket's timeout."""
    data = json.dumps(message.values, ensure_ascii=False).encode("utf-8", "replace")
    connection.sendall(_HEADER.pack(len(data), len(message.blobs)) + data)
    for blob in message.blobs:
        connection.sendall(_LENGTH.pack(len(blob)))
        connection.sendall(blob)


def receive(connection: socket.socket, *, max_bytes: int, deadline: float | None = None) -> Message:
    """Receive a message of at most `max_bytes`; `TimeoutError` when it is not whole in time.

    `deadline` is on the monotonic clock.
    """
    size, n_blobs = _HEADER.unpack(_exactly(connection, _HEADER.size, deadline))
    if size > max_bytes:
        raise BrokenFrameError("a message is longer than any may be")
    values = json.loads(_exactly(connection, size, deadline))
    if not isinstance(values, dict):
        raise BrokenFrameError("a message is no object")
    left = max_bytes - size
    blobs: list[bytes] = []
    for _ in range(n_blobs):
        (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size, deadline))
        left -= length
        if left < 0:
            raise BrokenFrameError("a message is longer than any may be")
        blobs.append(_exactly(connection, length, deadline))
    return Message(values, tuple(blobs))


def _exactly(connection: socket.socket, size: int, deadline: float | None) -> bytes:
    received = bytearray()
    while len(received) < size:
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
        piece = connection.recv(min(size - len(received), _PIECE))
        if not piece:
            raise BrokenFrameError("the connection has ended")
        received += piece
    return bytes(received)
