"""Qdrant, on a server or embedded in a folder or in memory, through LangChain.

An embedded folder belongs to one process at a time; a server to any number.
"""

from collections.abc import Sequence

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_qdrant import QdrantVectorStore
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import ApiException

from p3_rag_chatbot.retrieval.vector_stores import Filters


class QdrantStores:
    """Collections of one Qdrant: an address, a folder, or `:memory:`."""

    failures: tuple[type[Exception], ...] = (ApiException, OSError, RuntimeError)

    def __init__(self, url: str, key: str, n_dims: int) -> None:
        self._n_dims = n_dims
        self._client = (
            QdrantClient(url=url, api_key=key or None, check_compatibility=False)
            if "://" in url
            else QdrantClient(url)
            if url == ":memory:"
            else QdrantClient(path=url)
        )

    def open(self, name: str, embeddings: Embeddings) -> "OneQdrant":
        """Open a collection, made where it is missing."""
        if not self._client.collection_exists(name):
            size = models.VectorParams(size=self._n_dims, distance=models.Distance.COSINE)
            self._client.create_collection(name, vectors_config=size)
        store = QdrantVectorStore(
            self._client,
            name,
            embeddings,
            validate_embeddings=False,  # they are looked up, not computed
            validate_collection_config=False,
        )
        return OneQdrant(store)


class OneQdrant:
    """One collection in Qdrant."""

    def __init__(self, store: QdrantVectorStore) -> None:
        self.store = store

    def ids(self, chunk_ids: Sequence[int]) -> list[int]:
        """Return chunks' ids: whole numbers are ids there."""
        return list(chunk_ids)

    def nearest(
        self, vector: list[float], k: int, filters: Filters
    ) -> list[tuple[Document, float]]:
        """Return the nearest with their cosines."""
        wanted = [
            models.FieldCondition(
                key=f"metadata.{key}",
                match=models.MatchAny(any=[one] if isinstance(one, str) else list(one)),
            )
            for key, one in filters.items()
        ]
        return self.store.similarity_search_with_score_by_vector(
            vector, k, models.Filter(must=wanted) if wanted else None
        )

    def drop(self) -> None:
        """Remove the collection."""
        self.store.client.delete_collection(self.store.collection_name)
