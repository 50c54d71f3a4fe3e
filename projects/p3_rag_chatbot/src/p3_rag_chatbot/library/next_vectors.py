"""Another model's vectors of a collection, gathered until there is one for every chunk.

They lie beside those that are searched, which stay the collection's until `take` puts the new ones
in their place, in one transaction inside the database. What was put survives whatever ends the
work: a chunk never changes, so that its vector stays right as long as it is there.
"""

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from common.request_ids import random_id
from common.store import Store, upsert

from p3_rag_chatbot.library.rows import touch
from p3_rag_chatbot.library.tables import CHUNKS, DOCUMENTS, NEXT_VECTORS
from p3_rag_chatbot.ports import Vectors

Enter = Callable[[sa.Connection], None]
"""Is alone with the collection until the transaction ends; raises where it is no more."""


class NextVectors:
    """The vectors that a model, by its name, has made so far; see `Library.next_vectors`."""

    def __init__(self, store: Store, collection: str, embedder: str, enter: Enter) -> None:
        self._store, self._enter = store, enter
        self._collection, self._embedder = collection, embedder
        self._documents = sa.select(DOCUMENTS.c.id).where(DOCUMENTS.c.collection == collection)
        self._chunks = sa.select(CHUNKS.c.id).where(CHUNKS.c.document.in_(self._documents))
        self._made = sa.select(NEXT_VECTORS.c.chunk).where(
            NEXT_VECTORS.c.chunk == CHUNKS.c.id, NEXT_VECTORS.c.embedder == embedder
        )
        self._missing = self._chunks.where(~self._made.exists())

    def missing(self) -> list[int]:
        """Return the ids of the chunks that have none yet."""
        with self._store.read() as connection:
            return list(connection.scalars(self._missing.order_by(CHUNKS.c.id)))

    def put(self, chunk_ids: Sequence[int], vectors: Vectors) -> None:
        """Keep vectors, in the order of their chunks' ids; those of chunks that are gone, not."""
        made = zip(chunk_ids, vectors.astype("<f2"), strict=True)
        rows = {
            one: {"chunk": one, "embedder": self._embedder, "vector": vector.tobytes()}
            for one, vector in made
        }

        def work(connection: sa.Connection) -> None:
            self._enter(connection)
            there = connection.scalars(self._chunks.where(CHUNKS.c.id.in_(rows)))
            kept = [rows[one] for one in there]
            if kept:
                upsert(connection, NEXT_VECTORS, kept, key=("chunk", "embedder"))

        self._store.run(work)

    def take(self) -> bool:
        """Make them the collection's, with new revisions, so that indices take them in.

        Changes nothing and returns False where a chunk has none, such as one that came meanwhile.
        """

        def work(connection: sa.Connection) -> bool:
            self._enter(connection)
            if connection.scalar(self._missing.limit(1)) is not None:
                return False
            self._replace(connection)
            touch(connection, self._collection, embedder=self._embedder)
            return True

        return self._store.run(work)

    def _replace(self, connection: sa.Connection) -> None:
        is_own = CHUNKS.c.document.in_(self._documents)
        made = self._made.with_only_columns(NEXT_VECTORS.c.vector).scalar_subquery()
        connection.execute(sa.update(CHUNKS).where(is_own).values(vector=made))
        connection.execute(
            sa.update(DOCUMENTS)
            .where(DOCUMENTS.c.collection == self._collection, DOCUMENTS.c.n_chunks > 0)
            .values(revision=random_id(64))
        )
        connection.execute(sa.delete(NEXT_VECTORS).where(NEXT_VECTORS.c.chunk.in_(self._chunks)))
