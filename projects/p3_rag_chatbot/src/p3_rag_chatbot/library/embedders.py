"""Which model the vectors of a collection are of: one, for only its own can be compared.

A statement of `Library`'s transactions. Read next: `next_vectors.py`, how a collection gets
another one's.
"""

import sqlalchemy as sa

from p3_rag_chatbot.errors import OtherEmbedderError
from p3_rag_chatbot.library.documents import NewDocument
from p3_rag_chatbot.library.tables import DOCUMENTS


def check_embedder(
    connection: sa.Connection, collection: str, embedder: str, document: NewDocument
) -> None:
    """Refuse vectors that cannot be compared with those of the collection."""
    if not embedder or not document.chunks or document.embedder == embedder:
        return
    others = sa.select(DOCUMENTS.c.id).where(
        DOCUMENTS.c.collection == collection,
        DOCUMENTS.c.n_chunks > 0,
        DOCUMENTS.c.source != document.source,
    )
    if connection.scalar(others.limit(1)) is not None:
        raise OtherEmbedderError(collection, embedder, document.embedder)
