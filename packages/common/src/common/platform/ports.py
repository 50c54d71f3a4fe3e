"""Whether a port can be listened on, asked before anything is started. Knows no service."""

from __future__ import annotations

import errno
import socket

from common.errors import DomainError

_IN_USE = frozenset({errno.EADDRINUSE})


class PortInUseError(DomainError):
    """Somebody else listens where a service should."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self.name = name
        self.port = port
        super().__init__(
            f"{name}: port {port} on {host} is in use; stop what uses it, or add --free-ports"
        )


class AddressError(DomainError):
    """A host that this machine cannot listen on."""


def is_free(host: str, port: int) -> bool:
    """Try to listen as a server would; raises AddressError for a host of another machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except socket.gaierror as error:
            raise AddressError(f"cannot listen on {host!r}: {error.strerror}") from error
        except OSError as error:
            if error.errno in _IN_USE:
                return False
            raise AddressError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return True
