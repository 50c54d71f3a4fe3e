"""`Library`: collections of documents in SQL, changed in whole transactions.

Synchronous and safe in threads: a route runs it in one. Several processes share one library, and
each sees what another commits. Knows no model and no index: it stores the vectors it is given.
Read next: `views.py`, which an index is built from.
"""

import json
import re
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from types import TracebackType
from typing import Self, TypeVar

import sqlalchemy as sa
from common.errors import FieldError
from common.request_ids import random_id
from common.store import Store, open_store, store_location, upsert

from p3_rag_chatbot.contracts import COLLECTION_NAME, Collection, Document, Feedback, Passage
from p3_rag_chatbot.errors import (
    CollectionExistsError,
    RequestError,
    UnknownCollectionError,
    UnknownDocumentError,
)
from p3_rag_chatbot.library import rows
from p3_rag_chatbot.library.documents import NewDocument, Placed, storable
from p3_rag_chatbot.library.embedders import check_embedder
from p3_rag_chatbot.library.next_vectors import NextVectors
from p3_rag_chatbot.library.sketches import sketch
from p3_rag_chatbot.library.tables import (
    CHUNKS,
    COLLECTIONS,
    DOCUMENTS,
    FEEDBACK,
    MIGRATIONS,
    PLACED,
)
from p3_rag_chatbot.library.views import CollectionView, as_vectors
from p3_rag_chatbot.ports import Vectors
from p3_rag_chatbot.settings import Settings

T = TypeVar("T")

IDS_AT_ONCE = 500


def open_library(settings: Settings) -> "Library":
    """Open the library of these settings, tables brought up to date; raises `StoreError`."""
    where = store_location(settings.database_url, settings.data_dir, "p3-rag-chatbot")
    return Library(open_store(where, migrations=MIGRATIONS))


class Library:
    """An open library; a context manager that closes it.

    It shows every collection. `visible_to` gives the same library as one caller may see it: to
    that, a collection limited to other keys does not exist.
    """

    def __init__(self, store: Store, *, key_digest: str | None = None, is_all: bool = True) -> None:
        self._store = store
        self._key_digest = key_digest
        self._is_all = is_all

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    def visible_to(self, key_digest: str | None) -> "Library":
        """Return the library as the holder of an API key sees it, by the key's SHA-256 hex digest.

        None is a caller without a key. Both share one database: close only the first.
        """
        return Library(self._store, key_digest=key_digest, is_all=False)

    # ------------------------------------------------------------------------------- collections
    def create_collection(
        self, name: str, *, description: str = "", key_digests: Sequence[str] = ()
    ) -> Collection:
        """Make an empty collection, for the holders of these keys alone if there are any.

        Raises `CollectionExistsError`, whoever may see it, and `RequestError` for a name that is
        none.
        """
        _check_name(name)
        row = {
            "name": name,
            "description": storable(description),
            "embedder": "",
            "key_digests": json.dumps(sorted(digest.lower() for digest in key_digests)),
            "revision": random_id(64),
            "changed_at": time.time(),
        }

        def work(connection: sa.Connection) -> None:
            asked = sa.select(COLLECTIONS.c.name).where(COLLECTIONS.c.name == name)
            if connection.scalar(asked) is not None:
                raise CollectionExistsError(name)
            connection.execute(sa.insert(COLLECTIONS), row)

        self._store.run(work)
        return self.collection(name)

    def collection(self, name: str) -> Collection:
        """Return a collection; raises `UnknownCollectionError`, also for one not to be seen."""
        with self._store.read() as connection:
            self._row(connection, name)
            return rows.collections(connection, [name])[0]

    def collections(self) -> list[Collection]:
        """Return every collection that may be seen, by name."""
        with self._store.read() as connection:
            found = connection.execute(sa.select(COLLECTIONS.c.name, COLLECTIONS.c.key_digests))
            names = sorted(one.name for one in found if self._may_see(one.key_digests))
            return rows.collections(connection, names)

    def revision(self, collection: str) -> str:
        """Return what differs after every change of a collection: one small query."""
        with self._store.read() as connection:
            return str(self._row(connection, collection).revision)

    def delete_collection(self, name: str) -> None:
        """Remove a collection with its documents."""

        def work(connection: sa.Connection) -> None:
            self._row(connection, name, is_changing=True)
            connection.execute(sa.delete(COLLECTIONS).where(COLLECTIONS.c.name == name))

        self._store.run(work)

    # --------------------------------------------------------------------------------- documents
    def put_document(self, collection: str, document: NewDocument) -> Document:
        """Put a document into a collection in place of any of the same source: all of it or none.

        Raises `RequestError` for parts that do not fit together, `UnknownCollectionError`,
        `OtherEmbedderError` for vectors of another model than the collection's, and `StoreError`.
        """
        document.check()
        text = storable(document.text)
        chunks = [
            {
                "start": chunk.start,
                "end": chunk.end,
                "headings": json.dumps([storable(heading) for heading in chunk.headings]),
                "page": chunk.page,
                "vector": vector.tobytes(),
                "sketch": sketch(text[chunk.start : chunk.end]),
            }
            for chunk, vector in zip(document.chunks, document.vectors.astype("<f2"), strict=True)
        ]
        row = rows.new_document(collection, document, text)
        row["id"] = _document_id(collection, document.source)

        def work(connection: sa.Connection) -> None:
            kept = self._row(connection, collection, is_changing=True)
            check_embedder(connection, collection, kept.embedder, document)
            connection.execute(sa.delete(DOCUMENTS).where(DOCUMENTS.c.id == row["id"]))
            connection.execute(sa.insert(DOCUMENTS), row)
            if chunks:
                of = [{"document": row["id"], **chunk} for chunk in chunks]
                connection.execute(sa.insert(CHUNKS), of)
            embedder = document.embedder if chunks else kept.embedder
            rows.touch(connection, collection, embedder=embedder)

        self._store.run(work)
        return rows.document(row)

    def remove_document(self, document_id: str) -> None:
        """Remove a document from its collection; raises `UnknownDocumentError`."""

        def work(connection: sa.Connection) -> None:
            collection = self._collection_of(connection, document_id)
            self._row(connection, collection, is_changing=True)
            connection.execute(sa.delete(DOCUMENTS).where(DOCUMENTS.c.id == document_id))
            rows.touch(connection, collection)

        self._store.run(work)

    def documents(
        self, collection: str, *, after: str = "", limit: int | None = None
    ) -> list[Document]:
        """Return a collection's documents by source, those after a source first if one is given."""
        with self._store.read() as connection:
            self._row(connection, collection)
            query = (
                sa.select(*rows.DOCUMENT_COLUMNS)
                .where(DOCUMENTS.c.collection == collection, DOCUMENTS.c.source > after)
                .order_by(DOCUMENTS.c.source)
                .limit(limit)
            )
            return [rows.document(row) for row in connection.execute(query).mappings()]

    def document(self, document_id: str) -> Document:
        """Return a document; raises `UnknownDocumentError`, also where it may not be seen."""
        with self._store.read() as connection:
            self._collection_of(connection, document_id)
            query = sa.select(*rows.DOCUMENT_COLUMNS).where(DOCUMENTS.c.id == document_id)
            return rows.document(connection.execute(query).mappings().one())

    def document_text(self, document_id: str) -> str:
        """Return a document's whole text; raises `UnknownDocumentError`."""
        with self._store.read() as connection:
            self._collection_of(connection, document_id)
            query = sa.select(DOCUMENTS.c.text).where(DOCUMENTS.c.id == document_id)
            return str(connection.scalar(query))

    def hash_of(self, collection: str, source: str) -> str | None:
        """Return the SHA-256 of a source as it is kept; None where it is not."""
        return self.hashes(collection, [source]).get(source)

    def hashes(self, collection: str, sources: Sequence[str] | None = None) -> dict[str, str]:
        """Return the SHA-256 of every source of a collection, or of some."""
        ids = None if sources is None else [_document_id(collection, one) for one in sources]
        query = sa.select(DOCUMENTS.c.source, DOCUMENTS.c.sha256)
        with self._store.read() as connection:
            self._row(connection, collection)
            if ids is None:
                found = connection.execute(query.where(DOCUMENTS.c.collection == collection))
                return {row.source: row.sha256 for row in found}
            kept: dict[str, str] = {}
            for some in _in_parts(ids):
                found = connection.execute(query.where(DOCUMENTS.c.id.in_(some)))
                kept |= {row.source: row.sha256 for row in found}
            return kept

    def passages(self, ids: Sequence[str]) -> list[Passage]:
        """Return passages in the order of their ids; those that are gone are left out."""
        numbers = [int(one) for one in ids if one.isdecimal() and len(one) < 19]
        found: dict[str, Passage] = {}
        with self._store.read() as connection:
            for some in _in_parts(numbers):
                seen = rows.passages(connection, some)
                found |= {one.id: one for one, keys in seen if self._may_see(keys)}
        return [found[one] for one in ids if one in found]

    # ----------------------------------------------------------------------- what indices ask for
    @contextmanager
    def view(self, collection: str) -> Generator[CollectionView]:
        """Show what an index is built from: one view of the data, held while the block runs."""
        with self._store.read() as connection:
            row = self._row(connection, collection)
            yield CollectionView(connection, collection, str(row.revision), str(row.embedder))

    def vectors(self, chunk_ids: Sequence[int]) -> Vectors:
        """Return chunks' vectors, in the order of their ids; a chunk that is gone has zeros."""
        query = sa.select(CHUNKS.c.id, CHUNKS.c.vector)
        with self._store.read() as connection:
            found = {
                row.id: row.vector
                for some in _in_parts(chunk_ids)
                for row in connection.execute(query.where(CHUNKS.c.id.in_(some)))
            }
        gone = bytes(max(map(len, found.values()), default=0))
        return as_vectors([found.get(one, gone) for one in chunk_ids])

    def next_vectors(self, collection: str, embedder: str) -> NextVectors:
        """Return what gathers another model's vectors of a collection until they are whole."""
        with self._store.read() as connection:
            self._row(connection, collection)

        def enter(connection: sa.Connection) -> None:
            self._row(connection, collection, is_changing=True)

        return NextVectors(self._store, collection, embedder, enter)

    # ------------------------------------------------------------- what lies in a store outside
    def placed(self, collection: str) -> list[Placed]:
        """Return what of a collection was placed outside, also of one that is gone."""
        query = sa.select(PLACED).where(PLACED.c.collection == collection)
        with self._store.read() as connection:
            return [
                Placed(row.document, row.revision, json.loads(row.chunks))
                for row in connection.execute(query)
            ]

    def note_placed(self, collection: str, placed: Placed) -> None:
        """Remember that a document's vectors were placed outside."""
        row = {
            "document": placed.document,
            "revision": placed.revision,
            "collection": collection,
            "chunks": json.dumps(list(placed.chunk_ids)),
        }
        key = ("document", "revision")
        self._store.run(lambda connection: upsert(connection, PLACED, [row], key=key))

    def forget_placed(self, placed: Placed) -> None:
        """Forget what was removed outside."""
        gone = sa.delete(PLACED).where(
            PLACED.c.document == placed.document, PLACED.c.revision == placed.revision
        )
        self._store.run(lambda connection: connection.execute(gone))

    # ---------------------------------------------------------------------------------- feedback
    def store_feedback(self, feedback: Feedback) -> None:
        """Keep what a reader thought of an answer, in place of what was said of it before."""
        row = {
            "answer_id": feedback.answer_id,
            "told_at": time.time(),
            "rating": feedback.rating,
            "comment": storable(feedback.comment),
            "collection": feedback.collection,
            "passages": json.dumps(feedback.passages),
        }
        self._store.run(lambda connection: upsert(connection, FEEDBACK, [row], key=("answer_id",)))

    def feedback(self, *, limit: int = 1000) -> list[Feedback]:
        """Return the feedback on answers from collections that may be seen, the latest first."""
        names = {one.name for one in self.collections()}
        query = sa.select(FEEDBACK).order_by(FEEDBACK.c.told_at.desc()).limit(limit)
        with self._store.read() as connection:
            said = [rows.feedback(row) for row in connection.execute(query).mappings()]
        return [one for one in said if self._is_all or one.collection in names]

    # ------------------------------------------------------------------------------------ access
    def _may_see(self, keys: str) -> bool:
        digests = json.loads(keys)
        return self._is_all or not digests or self._key_digest in digests

    def _row(
        self, connection: sa.Connection, name: str, *, is_changing: bool = False
    ) -> sa.Row[str, str, str]:
        """Return a collection's state; who changes it is alone with it until the end."""
        columns = COLLECTIONS.c.key_digests, COLLECTIONS.c.revision, COLLECTIONS.c.embedder
        query = sa.select(*columns).where(COLLECTIONS.c.name == name)
        row = connection.execute(query.with_for_update() if is_changing else query).one_or_none()
        if row is None or not self._may_see(row.key_digests):
            raise UnknownCollectionError(name)
        return row

    def _collection_of(self, connection: sa.Connection, document_id: str) -> str:
        query = (
            sa.select(DOCUMENTS.c.collection, COLLECTIONS.c.key_digests)
            .join_from(DOCUMENTS, COLLECTIONS)
            .where(DOCUMENTS.c.id == document_id)
        )
        row = connection.execute(query).one_or_none()
        if row is None or not self._may_see(row.key_digests):
            raise UnknownDocumentError(document_id)
        return str(row.collection)


def _check_name(name: str) -> None:
    if not re.fullmatch(COLLECTION_NAME, name):
        accepted = "up to 64 of a-z, 0-9, - and _, a letter or digit first"
        raise RequestError(
            [FieldError(field="name", message=f"is {name[:80]!r}", accepted=accepted)]
        )


def _document_id(collection: str, source: str) -> str:
    key = f"{collection}\n{storable(source)}"
    return sha256(key.encode()).hexdigest()[:24]


def _in_parts(items: Sequence[T]) -> Generator[list[T]]:
    """Cut ids into lists that are short enough for one statement."""
    left = iter(items)
    while some := list(islice(left, IDS_AT_ONCE)):
        yield some
