"""What an index lacks, told document by document from one view of the data."""

import json
from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from p3_rag_chatbot.library.documents import StoredChunk, StoredDocument
from p3_rag_chatbot.library.tables import CHUNKS, DOCUMENTS

DOCUMENTS_AT_ONCE = 32


class Changes:
    """The difference between a collection and an index of it; see `Library.changes`.

    `revision` is the collection's; `removed` are ids of documents that are gone or are not as they
    were known, `added` documents that are new or are not as they were known.
    """

    def __init__(
        self, connection: sa.Connection, collection: str, revision: str, known: Mapping[str, str]
    ) -> None:
        self._connection = connection
        self.revision = revision
        now = {one.id: one for one in _documents(connection, collection)}
        self.removed = frozenset(
            one for one, seen in known.items() if one not in now or now[one].revision != seen
        )
        self.added = [one for one in now.values() if known.get(one.id) != one.revision]

    def chunks(self) -> Iterator[tuple[StoredDocument, list[StoredChunk]]]:
        """Read the chunks of each added document, a few documents at a time."""
        for start in range(0, len(self.added), DOCUMENTS_AT_ONCE):
            some = {one.id: one for one in self.added[start : start + DOCUMENTS_AT_ONCE]}
            found: dict[str, list[StoredChunk]] = {one: [] for one in some}
            for document, chunk in _chunks(self._connection, list(some)):
                found[document].append(chunk)
            yield from ((some[one], chunks) for one, chunks in found.items())


def _documents(connection: sa.Connection, collection: str) -> Iterator[StoredDocument]:
    columns = DOCUMENTS.c
    query = sa.select(
        columns.id,
        columns.revision,
        columns.source,
        columns.title,
        columns.media_type,
        columns.metadata,
    )
    ordered = query.where(columns.collection == collection).order_by(columns.source)
    for row in connection.execute(ordered):
        own = {
            "document_id": row.id,
            "source": row.source,
            "title": row.title,
            "media_type": row.media_type,
        }
        yield StoredDocument(row.id, row.revision, own | json.loads(row.metadata))


def _chunks(connection: sa.Connection, ids: list[str]) -> Iterator[tuple[str, StoredChunk]]:
    texts = sa.select(DOCUMENTS.c.id, DOCUMENTS.c.title, DOCUMENTS.c.text)
    kept = {row.id: row for row in connection.execute(texts.where(DOCUMENTS.c.id.in_(ids)))}
    query = sa.select(CHUNKS).where(CHUNKS.c.document.in_(ids)).order_by(CHUNKS.c.id)
    for row in connection.execute(query):
        of = kept[row.document]
        words = "\n".join([of.title, *json.loads(row.headings), of.text[row.start : row.end]])
        yield row.document, StoredChunk(row.id, words, row.vector, row.sketch)
