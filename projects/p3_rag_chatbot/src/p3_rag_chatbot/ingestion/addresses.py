"""Connections to public addresses only: the address that was checked is the one connected to.

A name is resolved once; if any of its addresses is private, loopback, link-local or otherwise not
public, it is refused, and the connection goes to a checked address, not to the name: what a name
server says a moment later has no effect (DNS rebinding).
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence

import httpcore2
from typing_extensions import override

Resolve = Callable[[str, int], Sequence[str]]
SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


class NotPublicError(Exception):
    """A name leads to an address that is not public."""


def resolve(host: str, port: int) -> list[str]:
    """Return all addresses of a host; `OSError` where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def is_public(address: str) -> bool:
    """Whether an address is reachable from everywhere: none of a house, a host or a cloud."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo and found.teredo[1])
        if inner:
            return is_public(str(inner))
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PublicNetwork(httpcore2.NetworkBackend):
    """Connects to names whose addresses are all public, for as long as there is time.

    `seconds_left` is asked before every wait, so that a server that sends a byte now and then
    cannot hold a fetch open. The other two are replaced in tests.
    """

    def __init__(
        self,
        seconds_left: Callable[[], float],
        resolve_name: Resolve = resolve,
        network: httpcore2.NetworkBackend | None = None,
    ) -> None:
        self._seconds_left = seconds_left
        self._resolve = resolve_name
        self._network = network or httpcore2.SyncBackend()

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"{host} is not known: {error}") from error
        for address in addresses:
            if not is_public(address):
                raise NotPublicError(f"{host} leads to {address}, which is not a public address")
        failure: Exception = httpcore2.ConnectError(f"{host} is not known")
        for address in addresses:
            try:
                left = _within(timeout, self._seconds_left)
                stream = self._network.connect_tcp(address, port, left, None, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._seconds_left)
        raise failure


class _TimedStream(httpcore2.NetworkStream):
    """A connection that waits no longer than there is time."""

    def __init__(self, stream: httpcore2.NetworkStream, seconds_left: Callable[[], float]) -> None:
        self._stream = stream
        self._seconds_left = seconds_left

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _within(timeout, self._seconds_left))

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _within(timeout, self._seconds_left))

    @override
    def close(self) -> None:
        self._stream.close()

    @override
    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = _within(timeout, self._seconds_left)
        return _TimedStream(
            self._stream.start_tls(ssl_context, server_hostname, left), self._seconds_left
        )

    @override
    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _within(timeout: float | None, seconds_left: Callable[[], float]) -> float:
    left = seconds_left()
    if left <= 0:
        raise httpcore2.ReadTimeout("it takes longer than it may")
    return left if timeout is None else min(timeout, left)
