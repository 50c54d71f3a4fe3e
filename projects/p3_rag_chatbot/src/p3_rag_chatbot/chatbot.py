"""Everything that answers, opened with the service: library, indices, embedder, reader, models.

Loading takes seconds and goes on beside the start of the service; `not_ready` says what it waits
for. Then the built-in collection is brought up to date (`guides.py`).
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

import structlog
from anyio import to_thread
from common.errors import DomainError
from common.memory import give_back_memory

from p3_rag_chatbot.contracts import Collection, SearchAnswer, SearchRequest
from p3_rag_chatbot.errors import ModelsLoadingError, OtherEmbedderError
from p3_rag_chatbot.guides import GUIDES, keep_guides
from p3_rag_chatbot.ingestion.indexing import Indexer
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.loading import Models, load_models
from p3_rag_chatbot.measuring import Measures
from p3_rag_chatbot.ports import Embedder, Reader, Reading, Vectors
from p3_rag_chatbot.reading.trust import Trust
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings

log = structlog.get_logger()
T = TypeVar("T")


class Chatbot:
    """What the service's routes ask; a context that `Service.owns`."""

    def __init__(
        self,
        settings: Settings,
        measures: Measures,
        load: Callable[[Settings], Models] = load_models,
    ) -> None:
        self._settings, self._measures, self._load_models = settings, measures, load
        self._library: Library | None = None
        self._models: Models | None = None
        self._searcher: Searcher | None = None
        self._indexer: Indexer | None = None
        self._trouble = ""
        self._loading: asyncio.Task[None] | None = None
        self._stop = threading.Event()

    async def __aenter__(self) -> Self:
        self._library = await to_thread.run_sync(open_library, self._settings)
        self._loading = asyncio.create_task(self._load())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._indexer is not None:
            await to_thread.run_sync(self._indexer.close)
        if self._loading is not None:
            await self._loading
        if self._searcher is not None:
            await to_thread.run_sync(self._searcher.close)
        if self._library is not None:
            await to_thread.run_sync(self._library.close)

    def not_ready(self) -> str | None:
        """What is still missing; None when questions are answered."""
        if self._searcher is not None:
            return None
        return self._trouble or "the embedder and the reader are being loaded"

    async def _load(self) -> None:
        try:
            await to_thread.run_sync(self._open)
        except DomainError as error:
            self._trouble = str(error)
            log.exception("models_not_loaded")
            return
        try:
            await to_thread.run_sync(self._keep_guides)
        except DomainError:
            log.exception("guides_not_indexed")
        finally:
            await to_thread.run_sync(give_back_memory)

    def _open(self) -> None:
        library = self.library
        models = self._load_models(self._settings)
        measures = self._measures
        searcher = Searcher(
            self._settings, library, models.embedder,
            reranker=models.reranker, told=measures.searched,
        )  # fmt: skip
        names = [one.name for one in library.collections()]
        if self._settings.collection in names:
            try:
                searcher.warm(self._settings.collection)
            except OtherEmbedderError as error:  # the other collections can be asked
                log.warning("collection_of_another_embedder", reason=str(error))
        give_back_memory()
        self._models = models
        self._indexer = Indexer(library, models.embedder, self._settings, watch=measures.indexing)
        self._searcher = searcher
        log.info("models_loaded", embedder=models.embedder.name, reader=models.reader.name)

    def _keep_guides(self) -> None:
        if not self._settings.index_guides:
            return
        report = keep_guides(self.library, self.indexer, self._settings, stop=self._stop)
        if report.is_complete:
            self.searcher.warm(GUIDES)
        log.info("guides_indexed", n=report.n_indexed, unchanged=report.n_unchanged)

    # ------------------------------------------------------------------------- what routes ask
    @property
    def library(self) -> Library:
        """The library, open as long as the service runs."""
        return self._there(self._library)

    @property
    def searcher(self) -> Searcher:
        """Searches collections."""
        return self._there(self._searcher)

    @property
    def indexer(self) -> Indexer:
        """Brings documents into collections."""
        return self._there(self._indexer)

    @property
    def models(self) -> Models:
        """The embedder and the reader."""
        return self._there(self._models)

    def _there(self, one: T | None) -> T:
        if one is None:
            raise ModelsLoadingError(self.not_ready() or "the service is being started")
        return one

    def collections(self, shown: Library) -> tuple[Collection, ...]:
        """List the collections of a caller's view of the library, with what ails them."""
        return tuple(
            one.model_copy(
                update={
                    "is_default": one.name == self._settings.collection,
                    "trouble": self._trouble_of(one),
                }
            )
            for one in shown.collections()
        )

    def _trouble_of(self, collection: Collection) -> str:
        """Say why a collection cannot be searched; empty where it can, or while models load."""
        if self._models is None or not collection.n_chunks:
            return ""
        name = self._models.embedder.name
        if collection.embedder == name:
            return ""
        return str(OtherEmbedderError(collection.name, collection.embedder, name))

    def search(self, request: SearchRequest, *, key_digest: str | None = None) -> SearchAnswer:
        """Search as the holder of a key may (`ports.Searches`)."""
        return self.searcher.search(request, library=self.library.visible_to(key_digest))


class LiveEmbedder:
    """The embedder of a service that may still be loading it."""

    def __init__(self, chatbot: Chatbot) -> None:
        self._chatbot = chatbot

    @property
    def _embedder(self) -> Embedder:
        return self._chatbot.models.embedder

    @property
    def name(self) -> str:
        """Which model this is."""
        return self._embedder.name

    @property
    def n_dims(self) -> int:
        """Length of a vector."""
        return self._embedder.n_dims

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts."""
        return self._embedder.embed(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens."""
        return self._embedder.count_tokens(texts)


class LiveReader:
    """The reader of a service that may still be loading it."""

    def __init__(self, chatbot: Chatbot) -> None:
        self._chatbot = chatbot

    @property
    def _reader(self) -> Reader:
        return self._chatbot.models.reader

    @property
    def name(self) -> str:
        """Which model this is."""
        return self._reader.name

    @property
    def trust(self) -> Trust:
        """How its marks are weighed with the search's."""
        return self._reader.trust

    def read(self, pairs: Sequence[tuple[str, str]]) -> list[Reading]:
        """Read (question, passage) pairs."""
        return self._reader.read(pairs)

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Say how probably each passage supports its claim."""
        return self._reader.support(pairs)
