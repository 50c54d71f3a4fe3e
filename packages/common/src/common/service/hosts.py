"""Which Host and Origin headers a service without keys believes (DNS rebinding, cross-site calls).

A rebinding page needs a public DNS name that its owner controls. Addresses, `localhost`, names
without a dot (a container or a Kubernetes service) and reserved private suffixes cannot be such a
name, so they are believed; any other name must be listed. It knows no HTTP library.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

PRIVATE_SUFFIXES = (".localhost", ".local", ".internal", ".svc", ".cluster.local")
"""Suffixes nobody can register (RFC 6761, RFC 6762, ICANN's reserved .internal) or that only a
cluster's own resolver answers."""


def is_believed_host(host: str, allowed: Collection[str] = ()) -> bool:
    """Whether a Host header cannot come from a rebound name, or is listed (`*` lists every one)."""
    name = _name_of(f"//{host}")
    if name is None:
        return False
    return _is_listed(host, name, allowed) or _is_private(name)


def is_believed_origin(origin: str | None, host: str, allowed: Collection[str] = ()) -> bool:
    """Whether a browser's Origin is absent, this machine, the same host, or listed."""
    if origin is None:
        return True
    name = _name_of(origin)
    if name is None:
        return False
    netloc = urlsplit(origin).netloc
    return netloc == host or _is_loopback(name) or _is_listed(netloc, name, allowed)


def is_own_page(host: str, origin: str | None, allowed: Collection[str] = ()) -> bool:
    """Whether a request cannot be what a browser was made to send by another site's page."""
    return is_believed_host(host, allowed) and is_believed_origin(origin, host, allowed)


def _name_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname or None
    except ValueError:
        return None


def _is_listed(netloc: str, name: str, allowed: Collection[str]) -> bool:
    return "*" in allowed or name in allowed or netloc in allowed


def _is_private(name: str) -> bool:
    return _is_loopback(name) or "." not in name or name.endswith(PRIVATE_SUFFIXES) or _is_ip(name)


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_ip(name) and ip_address(name).is_loopback)


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
