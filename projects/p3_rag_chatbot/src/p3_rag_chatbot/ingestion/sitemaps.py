"""The pages that a sitemap names (sitemaps.org, 0.9), those of sitemaps it points to included."""

import gzip
import io
import zlib
from collections.abc import Iterator

from lxml import etree

from p3_rag_chatbot.errors import DocumentError, FetchError
from p3_rag_chatbot.ingestion.fetching import Fetcher
from p3_rag_chatbot.ingestion.loading import RawDocument

_MAX_SITEMAPS = 20
_MAX_BYTES = 50 * 1024 * 1024  # what the protocol allows a sitemap


def is_sitemap(url: str) -> bool:
    """Whether an address is a sitemap's, by its name."""
    name = url.partition("?")[0].rpartition("/")[2].lower()
    return "sitemap" in name and name.endswith((".xml", ".xml.gz"))


def pages_of(url: str, fetcher: Fetcher, *, max_pages: int) -> Iterator[str | DocumentError]:
    """Yield the pages' addresses, at most `max_pages`; an error for a sitemap that cannot be read.

    Raises `FetchError` where the first sitemap cannot be read.
    """
    waiting, seen, n_pages = [url], {url}, 0
    while waiting:
        at = waiting.pop(0)
        try:
            maps, pages = _read(fetcher.fetch(at))
        except DocumentError as error:
            if at == url:
                raise
            yield error
            continue
        for one in maps:
            if one not in seen and len(seen) < _MAX_SITEMAPS:
                seen.add(one)
                waiting.append(one)
        for page in dict.fromkeys(pages):
            if n_pages == max_pages:
                yield FetchError(
                    url, f"it names more than {max_pages} pages; P3_MAX_PAGES allows more"
                )
                return
            n_pages += 1
            yield page


def _read(raw: RawDocument) -> tuple[list[str], list[str]]:
    """Return the sitemaps and the pages that a sitemap names."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(_unpacked(raw), parser)
    except (etree.XMLSyntaxError, zlib.error, EOFError, OSError) as error:
        raise FetchError(raw.source, f"it is no sitemap: {error}") from error
    maps = [one.text.strip() for one in root.iterfind("{*}sitemap/{*}loc") if one.text]
    pages = [one.text.strip() for one in root.iterfind("{*}url/{*}loc") if one.text]
    if not maps and not pages:
        raise FetchError(raw.source, "it is no sitemap, or an empty one")
    return maps, pages


def _unpacked(raw: RawDocument) -> bytes:
    if not raw.content.startswith(b"\x1f\x8b"):
        return raw.content
    with gzip.open(io.BytesIO(raw.content)) as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise FetchError(raw.source, f"it unpacks to more than {_MAX_BYTES:,} bytes")
    return content
