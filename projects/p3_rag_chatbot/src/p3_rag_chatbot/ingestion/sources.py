"""What a person names (files, folders, archives, web addresses) as documents, one after another.

Everything is read when it is asked for, so that a large folder takes no more memory than its
largest file. Read next: `folders.py`, `archives.py`, `fetching.py`, and then `indexing.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.ingestion.archives import members
from p3_rag_chatbot.ingestion.fetching import Fetcher
from p3_rag_chatbot.ingestion.folders import files_of, read_file
from p3_rag_chatbot.ingestion.formats import is_archive
from p3_rag_chatbot.ingestion.loading import RawDocument
from p3_rag_chatbot.ingestion.sitemaps import is_sitemap, pages_of
from p3_rag_chatbot.settings import Settings

Item = RawDocument | DocumentError
MEMBER = "!/"  # between an archive, or a mail, and what it holds


def _nothing() -> None:
    """Hold nothing open."""


@dataclass(frozen=True)
class Corpus:
    """Documents to index. `targets` yield the items of one file, address or archive each.

    What was indexed before under one of `folders` and is not among them any more has vanished.
    `close` gives back what reading it holds open; whoever reads it calls it.
    """

    targets: Sequence[Callable[[], Iterator[Item]]]
    folders: tuple[str, ...] = ()
    close: Callable[[], None] = _nothing


def corpus_of(names: Sequence[str], settings: Settings, fetcher: Fetcher) -> Corpus:
    """Find what paths and addresses name; what cannot be found is an item of its own, an error."""
    targets: list[Callable[[], Iterator[Item]]] = []
    folders: list[str] = []
    for name in names:
        if "://" in name:
            targets.append(_web_target(name, settings, fetcher))
            continue
        path = Path(name).expanduser().resolve()
        if path.is_dir():
            folders.append(f"{path}/")
            targets += [_file_target(one, settings) for one in files_of(path)]
        else:
            targets.append(_file_target(path, settings))
    return Corpus(tuple(targets), tuple(folders), fetcher.close)


def uploads(documents: Iterable[RawDocument], settings: Settings) -> Corpus:
    """Take documents whose bytes are there already, archives among them."""
    return Corpus(tuple(_given(one, settings) for one in documents))


def _given(raw: RawDocument, settings: Settings) -> Callable[[], Iterator[Item]]:
    return lambda: _expanded(raw, settings)


def _file_target(found: Path | DocumentError, settings: Settings) -> Callable[[], Iterator[Item]]:
    def items() -> Iterator[Item]:
        if isinstance(found, DocumentError):
            yield found
            return
        packed = is_archive(found.name)
        most = settings.max_archive_bytes if packed else settings.max_document_bytes
        try:
            raw = RawDocument(str(found), read_file(found, most))
        except DocumentError as error:
            yield error
            return
        yield from _expanded(raw, settings)

    return items


def _expanded(raw: RawDocument, settings: Settings) -> Iterator[Item]:
    """Yield a document, or what an archive holds; an archive that fails yields the error."""
    if not is_archive(raw.source, raw.media_type):
        yield raw
        return
    try:
        yield from members(raw, settings)
    except DocumentError as error:
        yield error


def _web_target(url: str, settings: Settings, fetcher: Fetcher) -> Callable[[], Iterator[Item]]:
    """Fetch a page, or the pages that a sitemap names, when it is asked for."""

    def items() -> Iterator[Item]:
        try:
            if not is_sitemap(url):
                yield from _expanded(fetcher.fetch(url), settings)
                return
            for page in pages_of(url, fetcher, max_pages=settings.max_pages):
                yield from _page(page, settings, fetcher)
        except DocumentError as error:
            yield error

    return items


def _page(page: str | DocumentError, settings: Settings, fetcher: Fetcher) -> Iterator[Item]:
    try:
        if isinstance(page, DocumentError):
            raise page
        yield from _expanded(fetcher.fetch(page), settings)
    except DocumentError as error:
        yield error
