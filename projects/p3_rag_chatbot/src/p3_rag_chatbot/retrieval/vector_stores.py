"""The same vectors searched elsewhere: pgvector, Qdrant or Pinecone, through LangChain.

What goes out are vectors, ids and what documents are filtered by, never a text. The library stays
the truth. It also remembers which revision of which document has been placed outside, after it
was: a crash in between places it once more, which changes nothing, as ids of chunks are never used
twice. Filters are applied by the store, before its search. pgvector is asked for an exact scan.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from numpy.typing import NDArray
from typing_extensions import override

from p3_rag_chatbot.errors import CollectionIndexError
from p3_rag_chatbot.library.documents import Placed, StoredChunk, StoredDocument
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.library.views import CollectionView, as_vectors
from p3_rag_chatbot.ports import Vectors
from p3_rag_chatbot.settings import Settings

Filters = Mapping[str, str | tuple[str, ...]]

CHUNKS_AT_ONCE = 200
DEPTH = 200
"""Most candidates that a store is asked for: each travels with what it is filtered by."""
PREFIX = "roadmap_"
"""Of the names that collections have there, beside those of others."""


class OneStore(Protocol):
    """What differs between stores, for one collection."""

    @property
    def store(self) -> VectorStore:
        """The collection there."""
        ...

    def ids(self, chunk_ids: Sequence[int]) -> list[Any]:
        """Return chunks' ids in the form that the store takes."""
        ...

    def nearest(
        self, vector: list[float], k: int, filters: Filters
    ) -> list[tuple[Document, float]]:
        """Return the nearest with their cosines, by filters on `field_name`s."""
        ...

    def drop(self) -> None:
        """Remove the collection there."""
        ...


class Stores(Protocol):
    """One kind of vector store."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """The errors that it raises."""
        ...

    def open(self, name: str, embeddings: Embeddings) -> OneStore:
        """Open a collection there, made where it is missing."""
        ...

    def close(self) -> None:
        """Close its connections."""
        ...


class StoredVectors(Embeddings):
    """Gives LangChain vectors that are there already: a text is the id of one."""

    def __init__(self, vectors: Mapping[str, Sequence[float]]) -> None:
        self._vectors = vectors

    @override
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [list(self._vectors[one]) for one in texts]

    @override
    def embed_query(self, text: str) -> list[float]:
        return list(self._vectors[text])


class OutsideVectors:
    """The vectors of every collection in a vector store; safe in threads as far as the store is."""

    def __init__(self, library: Library, stores: Stores, name: str) -> None:
        self._library = library
        self._stores = stores
        self._name = name

    def follow(self, collection: str, view: CollectionView) -> None:
        """Bring the store to what the view shows; raises `CollectionIndexError`."""
        placed = self._library.placed(collection)
        stale = [one for one in placed if view.documents.get(one.document) != one.revision]
        known = {(one.document, one.revision) for one in placed}
        missing = [one for one, revision in view.documents.items() if (one, revision) not in known]
        if not stale and not missing:
            return
        with self._told():
            for one in stale:
                there = self._stores.open(PREFIX + collection, StoredVectors({}))
                there.store.delete(there.ids(one.chunk_ids))
                self._library.forget_placed(one)
            for document, chunks in view.read(missing):
                self._add(collection, document, chunks)
                ids = [one.id for one in chunks]
                self._library.note_placed(collection, Placed(document.id, document.revision, ids))

    def nearest(
        self, collection: str, vector: Vectors, filters: Filters, k: int = DEPTH
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the ids of the nearest chunks with their cosines, best first."""
        named = {field_name(key): value for key, value in filters.items()}
        with self._told():
            there = self._stores.open(PREFIX + collection, StoredVectors({}))
            found = there.nearest(vector.tolist(), k, named)
        ids = np.array([int(one.page_content) for one, _ in found], dtype=np.int64)
        return ids, np.array([cosine for _, cosine in found], dtype=np.float32)

    def forget(self, collection: str) -> None:
        """Remove a collection from the store."""
        with self._told():
            self._stores.open(PREFIX + collection, StoredVectors({})).drop()
            for one in self._library.placed(collection):
                self._library.forget_placed(one)

    def close(self) -> None:
        """Close the connections to the store."""
        self._stores.close()

    def _add(
        self, collection: str, document: StoredDocument, chunks: Sequence[StoredChunk]
    ) -> None:
        metadata = {field_name(key): value for key, value in document.fields.items()}
        for start in range(0, len(chunks), CHUNKS_AT_ONCE):
            some = chunks[start : start + CHUNKS_AT_ONCE]
            texts = [str(one.id) for one in some]
            vectors = as_vectors([one.vector for one in some]).tolist()
            held = StoredVectors(dict(zip(texts, vectors, strict=True)))
            there = self._stores.open(PREFIX + collection, held)
            ids = there.ids([one.id for one in some])
            there.store.add_texts(texts, [dict(metadata) for _ in some], ids=ids)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._stores.failures as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise CollectionIndexError(
                f"{self._name} failed: {reason}; check P3_VECTOR_STORE_URL and that it runs"
            ) from error


def field_name(key: str) -> str:
    """Return a metadata key in the form that every store takes: a word."""
    return "f_" + re.sub(r"\W", "_", key, flags=re.ASCII)


def open_vector_store(settings: Settings, library: Library, n_dims: int) -> OutsideVectors:
    """Return the vector store of the settings, one of those outside.

    Nothing is asked of it yet. Raises `CollectionIndexError` for one that is not installed or has
    no address.
    """
    kind = settings.vector_store
    url = settings.vector_store_url
    if url is None:
        raise CollectionIndexError(f"{kind} needs an address: set P3_VECTOR_STORE_URL")
    key = settings.vector_store_key.get_secret_value() if settings.vector_store_key else ""
    try:
        stores = _stores(kind, url.get_secret_value(), key, n_dims)
    except ModuleNotFoundError as error:
        extra = f"ai-roadmap-p3-rag-chatbot[{kind}]"
        raise CollectionIndexError(f"{kind} is not installed; install {extra}") from error
    return OutsideVectors(library, stores, kind)


def _stores(kind: str, url: str, key: str, n_dims: int) -> Stores:
    """Load what speaks to one kind of store: only where it is used."""
    if kind == "pgvector":
        from p3_rag_chatbot.retrieval.pgvector_store import PgvectorStores  # noqa: PLC0415

        return PgvectorStores(url, n_dims)
    if kind == "qdrant":
        from p3_rag_chatbot.retrieval.qdrant_store import QdrantStores  # noqa: PLC0415

        return QdrantStores(url, key, n_dims)
    from p3_rag_chatbot.retrieval.pinecone_store import PineconeStores  # noqa: PLC0415

    return PineconeStores(url, key)
