"""The service's own database: questions and answers, later truths, what was seen.

One database a service, SQLite in the data directory or PostgreSQL by URL. Every replica reads and
writes the same tables, so that any of them can tell how all of them do. Knows no model. Read next:
`prediction_log.py`.
"""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from common.store import Store, open_store, store_location

from p1_prediction_api.settings import Settings

IDS_AT_ONCE = 500
MIGRATIONS = Path(__file__).parent / "migrations"
_METADATA = sa.MetaData()

PREDICTIONS = sa.Table(
    "predictions",
    _METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("n_rows", sa.Integer, nullable=False),
    sa.Column("request", sa.Text),
    sa.Column("answer", sa.Text, nullable=False),
)
"""One row a request. `made_at` is Unix time in seconds; `request` and `answer` are the JSON that
travelled. `request` is null when it was too long, when inputs are not to be kept, and for tensors
(V2)."""

TRUTHS = sa.Table(
    "truths",
    _METADATA,
    sa.Column("prediction_id", sa.Text, primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("told_at", sa.Float, nullable=False),
    sa.Column("truth", sa.Text, nullable=False),
)
"""What a predicted row turned out to be: `truth` is JSON, a class or a number; the last one told.

No foreign key: a truth may come before its prediction is stored."""

SHADOW_ANSWERS = sa.Table(
    "shadow_answers",
    _METADATA,
    sa.Column("prediction_id", sa.Text, primary_key=True),
    sa.Column("made_at", sa.Float, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
)
"""What the candidate would have answered to a logged request, as JSON like `predictions.answer`."""

WINDOWS = sa.Table(
    "windows",
    _METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("started_at", sa.Float, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("n_rows", sa.Integer, nullable=False),
    sa.Column("counts", sa.Text, nullable=False),
)
"""What one replica saw of a version in a stretch of time, as counts (JSON) that add up."""


class Database:
    """The open database; an async context manager.

    Entering opens it, applies its migrations and raises `StoreError` when that cannot be done.
    """

    store: Store

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __aenter__(self) -> Self:
        chosen = self._settings
        where = store_location(chosen.database_url, chosen.data_dir, "p1-prediction-api")
        self.store = await asyncio.to_thread(open_store, where, migrations=MIGRATIONS)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.store.close()


def in_parts(ids: Iterable[str]) -> Iterator[list[str]]:
    """Cut ids into lists that are short enough for one statement."""
    left = iter(ids)
    while some := list(islice(left, IDS_AT_ONCE)):
        yield some
