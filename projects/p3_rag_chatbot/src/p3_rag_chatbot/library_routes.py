"""Routes of what is kept: collections, and documents with their text.

Thin: parse, ask the library in a thread, answer. Documents come in by `index_routes.py`, are found
by `search_routes.py`. Changing something is refused to pages of other sites.
"""

from collections.abc import Callable
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from p3_rag_chatbot.callers import key_digest
from p3_rag_chatbot.contracts import (
    COLLECTION_NAME,
    Collection,
    Document,
)
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings

Name = Annotated[str, Path(pattern=COLLECTION_NAME)]


class NewCollection(BaseModel):
    """`POST /v1/collections`."""

    name: Annotated[str, Field(pattern=COLLECTION_NAME)]
    description: Annotated[str, Field(max_length=1_000)] = ""
    is_private: bool = Field(
        False, description="Shown to the key that made it alone; needs API keys."
    )


class DocumentText(BaseModel):
    """A part of a document's text."""

    document: Document
    start: int
    end: int
    text: str


class DocumentPage(BaseModel):
    """Documents in order of their sources; `next_after` asks for more."""

    documents: tuple[Document, ...]
    next_after: str | None = None


def collection_router(
    library: Callable[[], Library],
    searcher: Callable[[], Searcher],
    settings: Settings,
    own_page: Callable[..., object],
    listed: Callable[[Library], tuple[Collection, ...]],
) -> APIRouter:
    """Make the routes; `own_page` is the dependency that refuses pages of other sites.

    `listed` lists the collections of a caller's view, with what ails them.
    """
    router = APIRouter(prefix="/v1", tags=["documents"])

    def seen(request: Request) -> Library:
        return library().visible_to(key_digest(request, settings))

    Seen = Annotated[Library, Depends(seen)]

    @router.get("/collections")
    async def list_collections(shown: Seen) -> tuple[Collection, ...]:
        """List the collections that the caller may see."""
        return await to_thread.run_sync(listed, shown)

    @router.post("/collections", status_code=201, dependencies=[Depends(own_page)])
    async def create_collection(request: Request, asked: NewCollection) -> Collection:
        """Make an empty collection."""
        digest = key_digest(request, settings)
        digests = (digest,) if asked.is_private and digest else ()
        shown = library().visible_to(digest)
        return await to_thread.run_sync(
            lambda: shown.create_collection(
                asked.name, description=asked.description, key_digests=digests
            )
        )

    @router.delete("/collections/{name}", status_code=204, dependencies=[Depends(own_page)])
    async def delete_collection(shown: Seen, name: Name) -> None:
        """Remove a collection with its documents."""
        await to_thread.run_sync(shown.delete_collection, name)
        await to_thread.run_sync(searcher().forget, name)

    return router


def document_router(
    library: Callable[[], Library], settings: Settings, own_page: Callable[..., object]
) -> APIRouter:
    """Make the routes; `own_page` is the dependency that refuses pages of other sites."""
    router = APIRouter(prefix="/v1", tags=["documents"])

    def seen(request: Request) -> Library:
        return library().visible_to(key_digest(request, settings))

    Seen = Annotated[Library, Depends(seen)]

    @router.get("/collections/{name}/documents")
    async def list_documents(
        shown: Seen, name: Name, after: str = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> DocumentPage:
        """List a collection's documents by source."""
        found = await to_thread.run_sync(
            lambda: shown.documents(name, after=after, limit=limit + 1)
        )
        is_more = len(found) > limit
        kept = tuple(found[:limit])
        return DocumentPage(documents=kept, next_after=kept[-1].source if is_more else None)

    @router.get("/documents/{document_id}")
    async def read_document(
        shown: Seen,
        document_id: str,
        start: Annotated[int, Query(ge=0)] = 0,
        n: Annotated[int, Query(ge=1, le=1_000_000)] = 200_000,
    ) -> DocumentText:
        """Read a document's text, or a part of it; citations count in its characters."""
        document = await to_thread.run_sync(shown.document, document_id)
        text = await to_thread.run_sync(shown.document_text, document_id)
        part = text[start : start + n]
        return DocumentText(document=document, start=start, end=start + len(part), text=part)

    @router.delete("/documents/{document_id}", status_code=204, dependencies=[Depends(own_page)])
    async def remove_document(shown: Seen, document_id: str) -> None:
        """Remove a document from its collection."""
        await to_thread.run_sync(shown.remove_document, document_id)

    return router
