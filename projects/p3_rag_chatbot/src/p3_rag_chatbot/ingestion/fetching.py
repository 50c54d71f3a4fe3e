"""Web pages, fetched politely and safely: allowed hosts, robots.txt, public addresses, limits.

Every redirect is checked like the first address. Read next: `addresses.py`, which connects, and
`sitemaps.py`.
"""

import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urldefrag, urljoin, urlsplit

import httpcore2
import httpx2
from protego import Protego

from p3_rag_chatbot.errors import DocumentTooLargeError, FetchError
from p3_rag_chatbot.ingestion.addresses import NotPublicError, PublicNetwork
from p3_rag_chatbot.ingestion.loading import RawDocument, too_large
from p3_rag_chatbot.settings import Settings

AGENT = "ai-roadmap-rag"
MAX_REDIRECTS = 5
MAX_PAGE_S = 60.0  # for one page, its redirects included
_SILENCE_S = 15.0
_ROBOTS_BYTES = 512 * 1024  # RFC 9309, section 2.5: at least what a crawler reads
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Fetched(NamedTuple):
    """What an address answered, after its redirects."""

    url: str
    status: int
    media_type: str
    content: bytes


@dataclass(frozen=True)
class _Limits:
    max_bytes: int
    deadline: float


class Fetcher:
    """Fetches pages of the allowed hosts; keeps each host's robots.txt while it lives.

    Not for several threads at once. `network` is replaced in tests.
    """

    def __init__(self, settings: Settings, network: httpcore2.NetworkBackend | None = None) -> None:
        self._settings = settings
        self._robots: dict[str, Protego | None] = {}  # None: the host cannot say, so nothing is
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=4,
            network_backend=network or PublicNetwork(),
        )

    def fetch(self, url: str) -> RawDocument:
        """Fetch a page; `FetchError` says why it may not be, or could not be."""
        deadline = time.monotonic() + MAX_PAGE_S
        limits = _Limits(self._settings.max_document_bytes, deadline)
        found = self._followed(url, limits, obey_robots=True)
        if found.status != 200:
            raise FetchError(url, f"the server answered {found.status}")
        return RawDocument(found.url, found.content, found.media_type)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _followed(self, url: str, limits: _Limits, *, obey_robots: bool) -> Fetched:
        """Fetch an address and what it redirects to, each checked before it is connected to."""
        at = urldefrag(url).url
        for _ in range(MAX_REDIRECTS + 1):
            self._check(at)
            if obey_robots:
                self._check_robots(at, limits)
            found, location = self._asked(at, limits)
            if not location:
                return found
            at = urldefrag(urljoin(at, location)).url
        raise FetchError(url, f"it redirects more than {MAX_REDIRECTS} times")

    def _check(self, url: str) -> None:
        """Refuse an address that is none, or of a host that is not allowed."""
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").rstrip(".").lower()
            is_usual_port = parts.port in {None, 80, 443, 8000, 8080, 8443}
        except ValueError as error:
            raise FetchError(url, f"it is not an address: {error}") from error
        if parts.scheme not in {"http", "https"} or not host:
            raise FetchError(url, "only http:// and https:// addresses are fetched")
        if parts.username or parts.password:
            raise FetchError(url, "an address with a password is not fetched")
        if not is_usual_port:
            raise FetchError(url, f"port {parts.port} is not one of web pages")
        if not any(_is_of(host, allowed) for allowed in self._settings.web_hosts):
            raise FetchError(url, f"{host} is not among the hosts that P3_WEB_HOSTS allows")

    def _check_robots(self, url: str, limits: _Limits) -> None:
        parts = urlsplit(url)
        root = f"{parts.scheme}://{parts.netloc}"
        if root not in self._robots:
            self._robots[root] = self._robots_of(root, limits)
        robots = self._robots[root]
        if robots is None:
            raise FetchError(url, "its host's robots.txt cannot be had, so nothing of it is read")
        if not robots.can_fetch(url, AGENT):
            raise FetchError(url, "its host's robots.txt asks not to read it")

    def _robots_of(self, root: str, limits: _Limits) -> Protego | None:
        """Return a host's rules (RFC 9309, section 2.3.1): without a file all is allowed."""
        own = _Limits(_ROBOTS_BYTES, limits.deadline)
        try:
            found = self._followed(f"{root}/robots.txt", own, obey_robots=False)
        except DocumentTooLargeError:
            return None
        if 400 <= found.status < 500:
            return Protego.parse("")
        if found.status != 200:
            return None
        return Protego.parse(found.content.decode("utf-8", "replace"))

    def _asked(self, url: str, limits: _Limits) -> tuple[Fetched, str]:
        """Ask for one address; returns the answer and where it redirects to, if it does."""
        try:
            with self._pool.stream(
                "GET", _as_ascii(url), headers=_HEADERS, extensions={"timeout": _timeouts(limits)}
            ) as answer:
                headers = {key.lower().decode(): value.decode("latin-1") for key, value in answer.headers}
                if answer.status in _REDIRECTS and headers.get("location"):
                    return Fetched(url, answer.status, "", b""), headers["location"]
                encoding = headers.get("content-encoding", "").lower()
                content = _body(url, answer.iter_stream(), encoding, limits)
        except NotPublicError as error:
            raise FetchError(url, str(error)) from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            raise FetchError(url, f"it cannot be fetched: {str(error) or type(error).__name__}") from error
        return Fetched(url, answer.status, headers.get("content-type", ""), content), ""


_HEADERS = [
    (b"User-Agent", f"{AGENT}/1.0".encode()),
    (b"Accept", b"text/html, application/pdf, text/*;q=0.9, */*;q=0.5"),
    (b"Accept-Encoding", b"gzip"),
]


def _as_ascii(url: str) -> httpcore2.URL:
    """Return the address as it is sent: the host's name in IDNA, the path escaped."""
    parsed = httpx2.URL(url)
    return httpcore2.URL(
        scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path
    )


def _timeouts(limits: _Limits) -> dict[str, float]:
    left = max(min(_SILENCE_S, limits.deadline - time.monotonic()), 0.01)
    return dict.fromkeys(("connect", "read", "write", "pool"), left)


def _body(url: str, pieces: Iterator[bytes], encoding: str, limits: _Limits) -> bytes:
    """Gather a body, unpacked, while it is within its size and its time."""
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise FetchError(url, f"the server packs its answer as {encoding}, which was not asked for")
    unpack = zlib.decompressobj(wbits=31) if encoding.endswith("gzip") else None
    content = bytearray()
    for piece in pieces:
        if time.monotonic() > limits.deadline:
            raise FetchError(url, f"it takes longer than {MAX_PAGE_S:g} s")
        room = limits.max_bytes + 1 - len(content)
        try:
            content += unpack.decompress(piece, room) if unpack else piece
        except zlib.error as error:
            raise FetchError(url, f"its answer cannot be unpacked: {error}") from error
        if len(content) > limits.max_bytes:
            raise too_large(url, limits.max_bytes)
    return bytes(content)


def _is_of(host: str, allowed: str) -> bool:
    """Whether a host is the allowed one, or of it where that begins with a dot."""
    return host == allowed.lstrip(".") or (allowed.startswith(".") and host.endswith(allowed))
