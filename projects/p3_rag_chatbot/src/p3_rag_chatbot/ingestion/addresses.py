"""Connections to public addresses only: the address that was checked is the one connected to.

A name is resolved once; if any of its addresses is private, loopback, link-local or otherwise not
public, it is refused, and the connection goes to a checked address, not to the name: what a name
server says a moment later has no effect (DNS rebinding).
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence

import httpcore2
from typing_extensions import override

Resolve = Callable[[str, int], Sequence[str]]
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


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
    """Connects to names whose addresses are all public."""

    def __init__(
        self,
        resolve_name: Resolve = resolve,
        network: httpcore2.NetworkBackend | None = None,
    ) -> None:
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
        except OSError as error:
            raise httpcore2.ConnectError(f"{host} is not known: {error}") from error
        if not addresses:
            raise httpcore2.ConnectError(f"{host} is not known")
        for address in addresses:
            if not is_public(address):
                raise NotPublicError(f"{host} leads to {address}, which is not a public address")
        return self._connected(addresses, port, timeout, local_address, socket_options)

    def _connected(
        self,
        addresses: Sequence[str],
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[SocketOption] | None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that answers."""
        for address in addresses[:-1]:
            try:
                return self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._network.connect_tcp(
            addresses[-1], port, timeout, local_address, socket_options
        )
