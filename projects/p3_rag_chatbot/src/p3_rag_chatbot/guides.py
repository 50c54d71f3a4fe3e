"""The built-in collection: this repository's guides, named as they lie in it.

No path of the machine gets into it. Read first: `guide_files.py`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from p3_rag_chatbot.errors import CollectionExistsError, DocumentError
from p3_rag_chatbot.guide_files import PACKAGED, guide_names, guides_root
from p3_rag_chatbot.ingestion.folders import read_file
from p3_rag_chatbot.ingestion.indexing import Indexer
from p3_rag_chatbot.ingestion.loading import RawDocument
from p3_rag_chatbot.ingestion.progress import IndexReport
from p3_rag_chatbot.ingestion.reembedding import is_of_another, reembed
from p3_rag_chatbot.ingestion.sources import Corpus, Item
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.settings import Settings

GUIDES = "guides"
_ABOUT = "The guides of this repository, brought up to date at each start."
_FOLDERS = ("docs/", "projects/", "packages/")


def keep_guides(
    library: Library, indexer: Indexer, settings: Settings, *, stop: threading.Event | None = None
) -> IndexReport:
    """Bring the built-in collection up to date; quick when nothing has changed.

    Documents that somebody else put into it stay. All are embedded anew where another model did.
    """
    root = guides_root()
    if root is None:
        return IndexReport()
    with suppress(CollectionExistsError):
        library.create_collection(GUIDES, description=_ABOUT)
    if is_of_another(library, GUIDES, indexer.embedder):
        reembed(library, GUIDES, indexer.embedder, stop=stop)
    return indexer.index(GUIDES, guides_in(root, settings), stop=stop)


def guides_in(root: Path, settings: Settings) -> Corpus:
    """Return the guides below a folder, as documents that are named by their paths in it."""
    names = guide_names(root)
    # An earlier version named them, and more of `docs`, by their whole paths.
    outdated = (f"{PACKAGED}/", f"{root}/docs/", *(f"{root}/{name}" for name in names))
    return Corpus(
        tuple(_target(root, name, settings) for name in names), folders=(*_FOLDERS, *outdated)
    )


def _target(root: Path, name: str, settings: Settings) -> Callable[[], Iterator[Item]]:
    def items() -> Iterator[Item]:
        try:
            yield RawDocument(name, read_file(root / name, settings.max_document_bytes))
        except DocumentError as error:
            yield DocumentError(name, error.reason)

    return items
