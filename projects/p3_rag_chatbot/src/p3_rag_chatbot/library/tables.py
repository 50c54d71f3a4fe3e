"""How the library lies in SQL: SQLite in the data directory, or PostgreSQL by URL.

A document's text is kept once, whole; a chunk is a place in it, with its vector. `revision` is a
random text that changes with every change: who holds an index compares it, and reads again what
differs. Ids of chunks are never used twice.
"""

from pathlib import Path

import sqlalchemy as sa

MIGRATIONS = Path(__file__).parent.parent / "migrations"
_METADATA = sa.MetaData()

COLLECTIONS = sa.Table(
    "collections",
    _METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("embedder", sa.Text, nullable=False),
    sa.Column("key_digests", sa.Text, nullable=False),
    sa.Column("revision", sa.Text, nullable=False),
    sa.Column("changed_at", sa.Float, nullable=False),
)
"""`key_digests` are those of the API keys that may see it, as a JSON list; an empty list: all.
`embedder` is empty until the first document brings vectors. `changed_at` is Unix time."""

DOCUMENTS = sa.Table(
    "documents",
    _METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("collection", sa.Text, sa.ForeignKey("collections.name"), nullable=False),
    sa.Column("revision", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("n_characters", sa.Integer, nullable=False),
    sa.Column("n_pages", sa.Integer),
    sa.Column("n_chunks", sa.Integer, nullable=False),
    sa.Column("indexed_at", sa.Float, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)
"""`metadata` (an object of texts) and `notes` (a list) are JSON. One row a source of a collection;
its id is made of both, so that a link to a document outlives its being indexed anew."""

CHUNKS = sa.Table(
    "chunks",
    _METADATA,
    sa.Column(
        "id",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    sa.Column("document", sa.Text, sa.ForeignKey("documents.id"), nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("headings", sa.Text, nullable=False),
    sa.Column("page", sa.Integer),
    sa.Column("vector", sa.LargeBinary, nullable=False),
    sa.Column("sketch", sa.LargeBinary, nullable=False),
)
"""`text[start:end]` of its document. `headings` is a JSON list; `vector` is float16, little-endian;
`sketch` is what near-duplicates are told by (`retrieval/near_duplicates.py`)."""

NEXT_VECTORS = sa.Table(
    "next_vectors",
    _METADATA,
    sa.Column("chunk", CHUNKS.c.id.type, sa.ForeignKey("chunks.id"), primary_key=True),
    sa.Column("embedder", sa.Text, primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
)
"""Another model's vectors, until each chunk of its collection has one (`next_vectors.py`)."""

FEEDBACK = sa.Table(
    "feedback",
    _METADATA,
    sa.Column("answer_id", sa.Text, primary_key=True),
    sa.Column("told_at", sa.Float, nullable=False),
    sa.Column("rating", sa.Text, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("collection", sa.Text, nullable=False),
    sa.Column("passages", sa.Text, nullable=False),
)
"""What a reader thought of an answer, the last word of each: `passages` are the ids it cited."""

PLACED = sa.Table(
    "placed",
    _METADATA,
    sa.Column("document", sa.Text, primary_key=True),
    sa.Column("revision", sa.Text, primary_key=True),
    sa.Column("collection", sa.Text, nullable=False),
    sa.Column("chunks", sa.Text, nullable=False),
)
"""Documents whose vectors lie in a store outside: `chunks` are their ids, as a JSON list.

No foreign key: what was removed here has to be found there until it is removed there too."""
