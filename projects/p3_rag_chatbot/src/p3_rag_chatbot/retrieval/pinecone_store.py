"""A Pinecone index, addressed by its host, through LangChain: a namespace a collection.

The index is the operator's: of the embedder's length, with the cosine metric.
"""

from collections.abc import Sequence

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_pinecone import PineconeVectorStore
from pinecone import Pinecone
from pinecone.exceptions import PineconeException
from urllib3.exceptions import HTTPError

from p3_rag_chatbot.retrieval.vector_stores import Filters


class PineconeStores:
    """Namespaces of one Pinecone index."""

    failures: tuple[type[Exception], ...] = (PineconeException, HTTPError)

    def __init__(self, host: str, key: str) -> None:
        self._index = Pinecone(api_key=key or "none").Index(host=host)

    def open(self, name: str, embeddings: Embeddings) -> "OnePinecone":
        """Open a namespace: it is there once something is in it."""
        store = PineconeVectorStore(index=self._index, embedding=embeddings, namespace=name)
        return OnePinecone(store)

    def close(self) -> None:
        """Close the connections."""
        self._index.close()


class OnePinecone:
    """One namespace of a Pinecone index."""

    def __init__(self, store: PineconeVectorStore) -> None:
        self.store = store

    def ids(self, chunk_ids: Sequence[int]) -> list[str]:
        """Return chunks' ids as texts."""
        return [str(one) for one in chunk_ids]

    def nearest(
        self, vector: list[float], k: int, filters: Filters
    ) -> list[tuple[Document, float]]:
        """Return the nearest with their cosines."""
        wanted = {
            key: {"$in": [one] if isinstance(one, str) else list(one)}
            for key, one in filters.items()
        }
        return self.store.similarity_search_by_vector_with_score(vector, k=k, filter=wanted or None)

    def drop(self) -> None:
        """Remove everything in the namespace."""
        self.store.delete(delete_all=True)
