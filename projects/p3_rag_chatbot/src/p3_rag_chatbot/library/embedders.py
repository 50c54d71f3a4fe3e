"""Which model the vectors of a collection are of: one, for only its own can be compared.

Statements of `Library`'s transactions.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from common.request_ids import random_id

from p3_rag_chatbot.errors import CollectionIndexError, OtherEmbedderError
from p3_rag_chatbot.library.documents import NewDocument
from p3_rag_chatbot.library.tables import CHUNKS, DOCUMENTS
from p3_rag_chatbot.library.views import CollectionView
from p3_rag_chatbot.ports import Vectors


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


def replace_vectors(
    connection: sa.Connection, view: CollectionView, revision: str, vectors: Mapping[int, Vectors]
) -> None:
    """Put vectors in place of all that a view showed of a collection that has this revision now.

    Documents get new revisions, so that indices take them in. Raises `CollectionIndexError` where
    the view shows another revision.
    """
    if revision != view.revision:
        raise CollectionIndexError(
            f"the collection {view.collection!r} was changed while it was embedded anew; "
            "nothing was replaced: do it again"
        )
    chunk = sa.update(CHUNKS).where(CHUNKS.c.id == sa.bindparam("of"))
    made = [{"of": one, "made": row.astype("<f2").tobytes()} for one, row in vectors.items()]
    document = sa.update(DOCUMENTS).where(DOCUMENTS.c.id == sa.bindparam("of"))
    changed = [{"of": one, "now": random_id(64)} for one in view.documents]
    if made:
        connection.execute(chunk.values(vector=sa.bindparam("made")), made)
        connection.execute(document.values(revision=sa.bindparam("now")), changed)
