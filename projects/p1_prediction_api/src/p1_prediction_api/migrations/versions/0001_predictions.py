"""Predictions, the truths told later, a shadow's answers, and windows of what was seen."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and the indices that retention and monitoring walk along."""
    op.create_table(
        "predictions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("n_rows", sa.Integer, nullable=False),
        sa.Column("request", sa.Text),
        sa.Column("answer", sa.Text, nullable=False),
    )
    op.create_index("predictions_made_at", "predictions", ["made_at"])
    op.create_table(
        "truths",
        sa.Column("prediction_id", sa.Text, primary_key=True),
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("told_at", sa.Float, nullable=False),
        sa.Column("truth", sa.Text, nullable=False),
    )
    op.create_index("truths_told_at", "truths", ["told_at"])
    op.create_table(
        "shadow_answers",
        sa.Column("prediction_id", sa.Text, primary_key=True),
        sa.Column("made_at", sa.Float, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
    )
    op.create_index("shadow_answers_made_at", "shadow_answers", ["made_at"])
    op.create_table(
        "windows",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("n_rows", sa.Integer, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
    )
    op.create_index("windows_started_at", "windows", ["started_at"])
