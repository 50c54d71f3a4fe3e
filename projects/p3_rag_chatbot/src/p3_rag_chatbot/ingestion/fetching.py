"""Web pages, fetched politely and safely: allowed hosts, robots.txt, public addresses, limits.

Every redirect is checked like the first address. Read next: `addresses.py`, which connects, and
`sitemaps.py`.
"""

import time
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urldefrag, urljoin, urlsplit

import httpcore2
import httpx2
from protego import Protego

from p3_rag_chatbot.errors import DocumentError, FetchError
from p3_rag_chatbot.ingestion.addresses import NotPublicError, PublicNetwork, Resolve, resolve
from p3_rag_chatbot.ingestion.loading import RawDocument, too_large
from p3_rag_chatbot.settings import Settings

AGENT = "ai-roadmap-rag"
MAX_REDIRECTS = 5
MAX_PAGE_S = 60.0  # for one page, its redirects included
_SILENCE_S = 15.0
_ROBOTS_BYTES = 512 * 1024  # RFC 9309, section 2.5: at least what a crawler reads
_TIMEOUTS = dict.fromkeys(("connect", "read", "write", "pool"), _SILENCE_S)
_FAILURES = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Fetched(NamedTuple):
    """What an address answered, after its redirects."""

    url: str
    status: int
    media_type: str
    content: bytes


class Fetcher:
    """Fetches pages of the allowed hosts; keeps each host's robots.txt while it lives.

    Not for several threads at once. A test gives its own names and network.
    """

    def __init__(
        self,
        settings: Settings,
        resolve_name: Resolve = resolve,
        network: httpcore2.NetworkBackend | None = None,
    ) -> None:
        self._settings = settings
        self._deadline = 0.0
        self._robots: dict[str, Protego | str] = {}  # or why the host cannot say
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=4,
            network_backend=PublicNetwork(self._seconds_left, resolve_name, network),
        )

    def fetch(self, url: str) -> RawDocument:
        """Fetch a page; `FetchError` says why it may not be, or could not be."""
        self._deadline = time.monotonic() + MAX_PAGE_S
        found = self._followed(url, self._settings.max_document_bytes, obey_robots=True)
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

    def _seconds_left(self) -> float:
        return self._deadline - time.monotonic()

    def _followed(self, url: str, max_bytes: int, *, obey_robots: bool) -> Fetched:
        """Fetch an address and what it redirects to, each checked before it is connected to."""
        at = urldefrag(url).url
        for _ in range(MAX_REDIRECTS + 1):
            self._check(at)
            if obey_robots:
                self._check_robots(at)
            found, location = self._asked(at, max_bytes)
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

    def _check_robots(self, url: str) -> None:
        parts = urlsplit(url)
        root = f"{parts.scheme}://{parts.netloc}"
        if root not in self._robots:
            self._robots[root] = self._robots_of(root)
        robots = self._robots[root]
        if isinstance(robots, str):
            raise FetchError(
                url, f"its host's robots.txt cannot be had, so nothing is read: {robots}"
            )
        if not robots.can_fetch(url, AGENT):
            raise FetchError(url, "its host's robots.txt asks not to read it")

    def _robots_of(self, root: str) -> Protego | str:
        """Return a host's rules (RFC 9309, section 2.3.1): without a file all is allowed."""
        try:
            found = self._followed(f"{root}/robots.txt", _ROBOTS_BYTES, obey_robots=False)
        except DocumentError as error:
            return error.reason
        if 400 <= found.status < 500:
            return Protego.parse("")
        if found.status != 200:
            return f"the server answered {found.status}"
        return Protego.parse(found.content.decode("utf-8", "replace"))

    def _asked(self, url: str, max_bytes: int) -> tuple[Fetched, str]:
        """Ask for one address; returns the answer and where it redirects to, if it does."""
        try:
            with self._pool.stream(
                "GET", _as_sent(url), headers=_HEADERS, extensions={"timeout": _TIMEOUTS}
            ) as answer:
                headers = {
                    key.lower().decode("latin-1"): value.decode("latin-1")
                    for key, value in answer.headers
                }
                if answer.status in _REDIRECTS and headers.get("location"):
                    return Fetched(url, answer.status, "", b""), headers["location"]
                packed_as = headers.get("content-encoding", "").lower()
                content = _body(url, answer.iter_stream(), packed_as, max_bytes)
        except NotPublicError as error:
            raise FetchError(url, str(error)) from error
        except _FAILURES as error:
            reason = str(error) or type(error).__name__
            raise FetchError(url, f"it cannot be fetched: {reason}") from error
        return Fetched(url, answer.status, headers.get("content-type", ""), content), ""


_HEADERS = [
    (b"User-Agent", f"{AGENT}/1.0".encode()),
    (b"Accept", b"text/html, application/pdf, text/*;q=0.9, */*;q=0.5"),
    (b"Accept-Encoding", b"gzip"),
]


def _as_sent(url: str) -> httpcore2.URL:
    """Return the address as it is sent: the host's name in IDNA, the path escaped."""
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise FetchError(url, f"it is not an address: {error}") from error
    return httpcore2.URL(
        scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path
    )


def _body(url: str, pieces: Iterator[bytes], packed_as: str, max_bytes: int) -> bytes:
    """Gather a body, unpacked, while it is not too large."""
    if packed_as not in {"", "identity", "gzip", "x-gzip"}:
        raise FetchError(
            url, f"the server packs its answer as {packed_as}, which was not asked for"
        )
    unpack = zlib.decompressobj(wbits=31) if packed_as.endswith("gzip") else None
    content = bytearray()
    for piece in pieces:
        try:
            room = max_bytes + 1 - len(content)
            content += unpack.decompress(piece, room) if unpack else piece
        except zlib.error as error:
            raise FetchError(url, f"its answer cannot be unpacked: {error}") from error
        if len(content) > max_bytes:
            raise too_large(url, max_bytes)
    return bytes(content)


def _is_of(host: str, allowed: str) -> bool:
    """Whether a host is the allowed one, or of it where that begins with a dot."""
    return host == allowed.lstrip(".") or (allowed.startswith(".") and host.endswith(allowed))
