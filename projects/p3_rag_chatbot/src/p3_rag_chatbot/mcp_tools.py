"""The service's abilities as MCP tools: search, ask, list collections, index a document.

Tools see what a caller without a key of its own sees: collections that are limited to keys stay
hidden.
"""

from collections.abc import Callable

from anyio import to_thread
from pydantic import BaseModel, Field

from p3_rag_chatbot.contracts import Citation, Collection, Depth, Hit, RagOptions, SearchRequest
from p3_rag_chatbot.errors import GenerationError
from p3_rag_chatbot.ingestion.fetching import Fetcher
from p3_rag_chatbot.ingestion.indexing import Indexer
from p3_rag_chatbot.ingestion.loading import RawDocument
from p3_rag_chatbot.ingestion.progress import IndexReport
from p3_rag_chatbot.ingestion.sources import corpus_of, uploads
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.openai_contracts import ChatRequest, Message
from p3_rag_chatbot.ports import ChatModel
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings


class Answered(BaseModel):
    """An answer from documents, with what it cites."""

    answer: str
    is_answered: bool = Field(description="Whether the documents say.")
    confidence: float
    citations: tuple[Citation, ...]
    nearest: tuple[Citation, ...] = Field(description="Where the documents do not say.")


def document_tools(
    library: Callable[[], Library],
    searcher: Callable[[], Searcher],
    indexer: Callable[[], Indexer],
    rag: ChatModel,
    settings: Settings,
    *,
    listed: Callable[[Library], tuple[Collection, ...]],
) -> tuple[Callable[..., object], ...]:
    """Make the tools; `listed` lists the collections of a caller's view, with what ails them."""

    async def search_documents(query: str, collection: str = "", k: int = 5) -> list[Hit]:
        """Find passages of indexed documents by words and meaning, best first, with scores."""
        shown = library().visible_to(None)
        asked = SearchRequest(query=query, collection=collection or None, k=max(1, min(k, 50)))
        found = await to_thread.run_sync(lambda: searcher().search(asked, library=shown))
        return list(found.hits)

    async def ask_documents(
        question: str, collection: str = "", depth: Depth = "extract"
    ) -> Answered:
        """Answer a question from indexed documents with citations, or say that they do not say."""
        options = RagOptions(collection=collection or None, depth=depth)
        request = ChatRequest(messages=(Message(role="user", content=question),), rag=options)
        text, about = "", None
        async for piece in rag.stream(request):
            text += piece.text
            about = piece.rag or about
        if about is None:
            raise GenerationError("the answer broke off")
        return Answered(
            answer=text, is_answered=about.verdict == "answered", confidence=about.confidence,
            citations=about.citations, nearest=about.nearest,
        )  # fmt: skip

    async def list_collections() -> list[Collection]:
        """List the collections of documents that can be searched."""
        return list(await to_thread.run_sync(listed, library().visible_to(None)))

    async def index_document(
        text: str = "", url: str = "", title: str = "note.md", collection: str = ""
    ) -> IndexReport:
        """Index a text under a title (such as notes.md), or a web page of an allowed host."""
        name = collection or settings.collection
        await to_thread.run_sync(library().visible_to(None).collection, name)
        corpus = (
            corpus_of([url], settings, Fetcher(settings))
            if url
            else uploads([RawDocument(title, text.encode())], settings)
        )
        return await to_thread.run_sync(lambda: indexer().index(name, corpus))

    return (search_documents, ask_documents, list_collections, index_document)
