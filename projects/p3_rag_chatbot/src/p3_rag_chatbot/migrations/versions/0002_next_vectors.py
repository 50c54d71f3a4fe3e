"""Another model's vectors of chunks, until all of a collection are there."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; a chunk that goes takes its vectors with it."""
    op.create_table(
        "next_vectors",
        sa.Column(
            "chunk",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            sa.ForeignKey("chunks.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("embedder", sa.Text, primary_key=True),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
