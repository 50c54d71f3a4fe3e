"""pgvector in PostgreSQL, through LangChain: cosine distance, metadata as JSONB."""

from collections.abc import Sequence

import sqlalchemy as sa
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_postgres import PGVector
from sqlalchemy.exc import SQLAlchemyError

from p3_rag_chatbot.retrieval.vector_stores import Filters


class PgvectorStores:
    """Collections in LangChain's two tables of one database."""

    failures: tuple[type[Exception], ...] = (SQLAlchemyError,)

    def __init__(self, url: str, n_dims: int) -> None:
        address = sa.make_url(url).set(drivername="postgresql+psycopg")
        self._engine = sa.create_engine(address, pool_pre_ping=True)
        self._n_dims = n_dims

    def open(self, name: str, embeddings: Embeddings) -> "OnePgvector":
        """Open a collection, made where it is missing, and the extension with it."""
        with self._engine.begin() as connection:
            connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS vector"))
        store = PGVector(
            embeddings,
            connection=self._engine,
            embedding_length=self._n_dims,
            collection_name=name,
            create_extension=False,  # above: it would hide why it could not
        )
        return OnePgvector(store)


class OnePgvector:
    """One collection in pgvector."""

    def __init__(self, store: PGVector) -> None:
        self.store = store

    def ids(self, chunk_ids: Sequence[int]) -> list[str]:
        """Return chunks' ids as texts, as the table's key is for all collections."""
        return [str(one) for one in chunk_ids]

    def nearest(
        self, vector: list[float], k: int, filters: Filters
    ) -> list[tuple[Document, float]]:
        """Return the nearest with their cosines."""
        wanted = {
            key: {"$in": [one] if isinstance(one, str) else list(one)}
            for key, one in filters.items()
        }
        found = self.store.similarity_search_with_score_by_vector(vector, k, wanted or None)
        return [(one, 1 - distance) for one, distance in found]

    def drop(self) -> None:
        """Remove the collection's rows, and its name."""
        self.store.delete_collection()
