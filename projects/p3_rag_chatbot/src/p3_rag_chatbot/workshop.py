"""What commands work with: the library, the models and a search, without a server.

Opened for one command and closed after it. The generator is loaded where the answer needs it.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from typing import Self

import anyio

from p3_rag_chatbot.answering.rag_model import RagModel
from p3_rag_chatbot.contracts import SearchAnswer, SearchRequest
from p3_rag_chatbot.errors import ModelsLoadingError
from p3_rag_chatbot.generating.choice import Generators
from p3_rag_chatbot.guides import keep_guides
from p3_rag_chatbot.ingestion.indexing import Indexer
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.loading import Models, load_models
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings

LOADING_S = 120.0


@dataclass(frozen=True)
class Workshop:
    """An open library with its models; searches without regard to keys: a person's own machine."""

    settings: Settings
    library: Library
    models: Models
    searcher: Searcher

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Generator[Self]:
        """Open everything but the generator; raises `WeightsError`, `StoreError`."""
        with open_library(settings) as library:
            models = load_models(settings)
            searcher = Searcher(settings, library, models.embedder, reranker=models.reranker)
            with closing(searcher):
                yield cls(settings, library, models, searcher)

    def keep_guides(self) -> None:
        """Bring the built-in collection up to date, as the service does when it starts."""
        with closing(Indexer(self.library, self.models.embedder, self.settings)) as indexer:
            keep_guides(self.library, indexer, self.settings)

    def search(self, request: SearchRequest, *, key_digest: str | None = None) -> SearchAnswer:
        """Search (`ports.Searches`), as the holder of a key where one is named."""
        seen = self.library if key_digest is None else self.library.visible_to(key_digest)
        return self.searcher.search(request, library=seen)

    @asynccontextmanager
    async def answering(self, *, needs_generator: bool) -> AsyncGenerator[RagModel]:
        """Give the model that answers; its generator is loaded where that is needed."""
        generators = Generators.of(self.settings)
        rag = RagModel(
            self, self.models.embedder, self.models.reader, generators.chosen, self.settings,
            adapter=generators.adapter,
        )  # fmt: skip
        if not needs_generator:
            yield rag
            return
        async with generators.opened():
            with anyio.move_on_after(LOADING_S):
                while (missing := generators.not_ready()) is not None:
                    if "being loaded" not in missing:
                        raise ModelsLoadingError(missing)
                    await anyio.sleep(0.05)
            yield rag
