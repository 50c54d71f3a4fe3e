"""What an index of a collection is built from, read from one view of the data."""

import json
from collections.abc import Iterator, Sequence

import numpy as np
import sqlalchemy as sa

from p3_rag_chatbot.library.documents import StoredChunk, StoredDocument
from p3_rag_chatbot.library.tables import CHUNKS, DOCUMENTS
from p3_rag_chatbot.ports import Vectors

DOCUMENTS_AT_ONCE = 32
CHUNKS_AT_ONCE = 500


class CollectionView:
    """A collection at one moment; see `Library.view`.

    `documents` has the revision of each document by its id: an index that knows another one, or
    none, has to read it anew. Documents without chunks are left out.
    """

    def __init__(
        self, connection: sa.Connection, collection: str, revision: str, embedder: str
    ) -> None:
        self._connection = connection
        self.collection = collection
        self.revision = revision
        self.embedder = embedder
        query = sa.select(DOCUMENTS.c.id, DOCUMENTS.c.revision)
        has_chunks = DOCUMENTS.c.collection == collection, DOCUMENTS.c.n_chunks > 0
        ordered = query.where(*has_chunks).order_by(DOCUMENTS.c.source)
        self.documents: dict[str, str] = {
            row.id: row.revision for row in connection.execute(ordered)
        }

    def read(self, ids: Sequence[str]) -> Iterator[tuple[StoredDocument, list[StoredChunk]]]:
        """Read documents with their chunks, a few documents at a time."""
        for start in range(0, len(ids), DOCUMENTS_AT_ONCE):
            yield from self._read(ids[start : start + DOCUMENTS_AT_ONCE])

    def chunks(self) -> list[tuple[int, str]]:
        """Return every chunk's id with its document's, in the documents' order."""
        found: dict[str, list[int]] = {one: [] for one in self.documents}
        ids = list(found)
        for start in range(0, len(ids), CHUNKS_AT_ONCE):
            some = CHUNKS.c.document.in_(ids[start : start + CHUNKS_AT_ONCE])
            query = sa.select(CHUNKS.c.id, CHUNKS.c.document).where(some).order_by(CHUNKS.c.id)
            for row in self._connection.execute(query):
                found[row.document].append(row.id)
        return [(chunk, document) for document, chunks in found.items() for chunk in chunks]

    def vectors(self, chunk_ids: Sequence[int]) -> Vectors:
        """Return the vectors of chunks that are in the collection, in the order of their ids."""
        found: dict[int, bytes] = {}
        for start in range(0, len(chunk_ids), CHUNKS_AT_ONCE):
            some = CHUNKS.c.id.in_(chunk_ids[start : start + CHUNKS_AT_ONCE])
            rows = self._connection.execute(sa.select(CHUNKS.c.id, CHUNKS.c.vector).where(some))
            found |= {row.id: row.vector for row in rows}
        return as_vectors([found[one] for one in chunk_ids])

    def _read(self, ids: Sequence[str]) -> Iterator[tuple[StoredDocument, list[StoredChunk]]]:
        documents = sa.select(DOCUMENTS).where(DOCUMENTS.c.id.in_(ids))
        texts: dict[str, tuple[str, str]] = {}
        found: dict[str, tuple[StoredDocument, list[StoredChunk]]] = {}
        for row in self._connection.execute(documents):
            texts[row.id] = row.title, row.text
            found[row.id] = StoredDocument(row.id, row.revision, _fields(row)), []
        chunks = sa.select(CHUNKS).where(CHUNKS.c.document.in_(ids)).order_by(CHUNKS.c.id)
        for row in self._connection.execute(chunks):
            title, text = texts[row.document]
            words = "\n".join([title, *json.loads(row.headings), text[row.start : row.end]])
            found[row.document][1].append(StoredChunk(row.id, words, row.vector, row.sketch))
        yield from found.values()


def as_vectors(rows: Sequence[bytes]) -> Vectors:
    """Read stored vectors: a row each."""
    if not rows:
        return np.zeros((0, 0), dtype=np.float32)
    return np.frombuffer(b"".join(rows), dtype="<f2").reshape(len(rows), -1).astype(np.float32)


def _fields(row: sa.Row[*tuple[str, ...]]) -> dict[str, str]:
    """Return what a document can be filtered by: its metadata, and its own fields."""
    own = {
        "document_id": row.id,
        "source": row.source,
        "title": row.title,
        "media_type": row.media_type,
    }
    return own | json.loads(row.metadata)
