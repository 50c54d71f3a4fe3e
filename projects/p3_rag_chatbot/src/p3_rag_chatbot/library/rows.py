"""Between rows of SQL and what travels."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from common.request_ids import random_id

from p3_rag_chatbot.contracts import Collection, Document, Feedback, Passage
from p3_rag_chatbot.library.documents import NewDocument, storable
from p3_rag_chatbot.library.tables import CHUNKS, COLLECTIONS, DOCUMENTS

DOCUMENT_COLUMNS = tuple(
    column for column in DOCUMENTS.c if column.name not in {"text", "revision"}
)


def new_document(collection: str, document: NewDocument, text: str) -> dict[str, object]:
    """Return a document's row, without its id."""
    metadata = {storable(key): storable(value) for key, value in document.metadata.items()}
    return {
        "collection": collection,
        "revision": random_id(64),
        "source": storable(document.source),
        "title": storable(document.title),
        "media_type": document.media_type,
        "sha256": document.sha256,
        "n_characters": len(text),
        "n_pages": document.n_pages,
        "n_chunks": len(document.chunks),
        "indexed_at": time.time(),
        "metadata": json.dumps(metadata),
        "notes": json.dumps([storable(note) for note in document.notes]),
        "text": text,
    }


def document(row: sa.RowMapping | Mapping[str, Any]) -> Document:
    """Read a document's row, as it is kept or about to be."""
    read = {
        "indexed_at": _moment(row["indexed_at"]),
        "metadata": json.loads(row["metadata"]),
        "notes": json.loads(row["notes"]),
    }
    return Document.model_validate({**row, **read})


def collections(connection: sa.Connection, names: Sequence[str]) -> list[Collection]:
    """Read collections with the numbers of their documents and chunks, in the order of names."""
    columns = COLLECTIONS.c
    query = (
        sa.select(
            columns.name,
            columns.description,
            columns.embedder,
            columns.changed_at,
            sa.func.count(DOCUMENTS.c.id).label("n_documents"),
            sa.func.coalesce(sa.func.sum(DOCUMENTS.c.n_chunks), 0).label("n_chunks"),
        )
        .join_from(COLLECTIONS, DOCUMENTS, isouter=True)
        .where(columns.name.in_(names))
        .group_by(columns.name)
    )
    found = {
        row["name"]: Collection.model_validate({**row, "changed_at": _moment(row["changed_at"])})
        for row in connection.execute(query).mappings()
    }
    return [found[name] for name in names]


def passages(connection: sa.Connection, ids: Iterable[int]) -> list[tuple[Passage, str]]:
    """Read passages by the numbers of their chunks, each with the keys that may see it (JSON)."""
    start, end = CHUNKS.c.start, CHUNKS.c.end
    query = (
        sa.select(
            CHUNKS.c.id,
            CHUNKS.c.document,
            CHUNKS.c.headings,
            CHUNKS.c.page,
            start,
            end,
            DOCUMENTS.c.source,
            DOCUMENTS.c.title,
            COLLECTIONS.c.key_digests,
            sa.func.substr(DOCUMENTS.c.text, start + 1, end - start).label("text"),
        )
        .join_from(CHUNKS, DOCUMENTS)
        .join(COLLECTIONS)
        .where(CHUNKS.c.id.in_(ids))
    )
    return [
        (
            Passage(
                id=str(row.id),
                document_id=row.document,
                source=row.source,
                title=row.title,
                headings=tuple(json.loads(row.headings)),
                page=row.page,
                start=row.start,
                end=row.end,
                text=row.text,
            ),
            row.key_digests,
        )
        for row in connection.execute(query)
    ]


def feedback(row: sa.RowMapping) -> Feedback:
    """Read a row of feedback."""
    return Feedback.model_validate({**row, "passages": json.loads(row["passages"])})


def touch(connection: sa.Connection, collection: str, **values: str) -> None:
    """Note that a collection was changed, now."""
    changed = {"revision": random_id(64), "changed_at": time.time(), **values}
    table = COLLECTIONS
    connection.execute(sa.update(table).where(table.c.name == collection).values(changed))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
