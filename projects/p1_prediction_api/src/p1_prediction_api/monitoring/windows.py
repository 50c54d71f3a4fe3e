"""Windows of counts in the database: added by every replica, read together, merged with age.

A replica adds a window every few seconds. After an hour those of ten minutes are one, after a day
those of an hour, so that a week reads in a few hundred rows. A merge deletes and inserts in one
transaction, and merges what it deleted itself: two replicas that merge at once count nothing twice.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from common.request_ids import random_id
from common.store import Store

from p1_prediction_api.database import WINDOWS
from p1_prediction_api.monitoring.counting import Counts

MERGED = ((3_600.0, 600.0), (86_400.0, 3_600.0))
"""From which age on, in seconds, windows are merged into how long ones."""
SWEPT_ROWS = 1_000


@dataclass(frozen=True)
class WindowOwner:
    """Whose windows: a version, and the reference its counts are laid out by."""

    model: str
    version: int
    digest: str


@dataclass(frozen=True)
class Window:
    """What one replica, or several once merged, saw from a moment (Unix time) on."""

    started_at: float
    counts: Counts


def add_window(store: Store, owner: WindowOwner, window: Window) -> None:
    """Commit a window; raises `StoreError`."""
    row = _row(owner.model, owner.version, window, owner.digest)
    store.run(lambda connection: connection.execute(sa.insert(WINDOWS), row))


def read_windows(store: Store, owner: WindowOwner, since: float) -> list[Window]:
    """Return what every replica added of a version since a moment; raises `StoreError`."""
    chosen = (
        sa.select(WINDOWS.c.started_at, WINDOWS.c.counts)
        .where(
            WINDOWS.c.started_at >= since,
            WINDOWS.c.model == owner.model,
            WINDOWS.c.version == owner.version,
        )
        .order_by(WINDOWS.c.started_at)
    )
    with store.read() as connection:
        rows = connection.execute(chosen).all()
    read = ((started_at, *Counts.from_json(text)) for started_at, text in rows)
    return [Window(at, counts) for at, digest, counts in read if digest == owner.digest]


def remove_old(store: Store, before: float) -> None:
    """Remove windows that began before a moment, a little at a time."""
    old = sa.select(WINDOWS.c.id).where(WINDOWS.c.started_at < before).limit(SWEPT_ROWS)
    statement = sa.delete(WINDOWS).where(WINDOWS.c.id.in_(old))
    while store.run(lambda connection: connection.execute(statement)).rowcount == SWEPT_ROWS:
        time.sleep(0.1)  # others write between two transactions


def merge_windows(store: Store, now: float) -> int:
    """Merge windows by their age; return how many rows became one with another."""
    n_merged = 0
    for age_s, length_s in MERGED:
        for started_at, ids in _mergeable(store, now - age_s, length_s):
            n_merged += store.run(
                lambda connection, ids=ids, at=started_at: _merge(connection, ids, at)
            )
    return n_merged


def _mergeable(store: Store, before: float, length_s: float) -> Iterator[tuple[float, list[str]]]:
    """Find stretches that hold several windows of a version, wholly older than a moment."""
    columns = sa.select(WINDOWS.c.id, WINDOWS.c.started_at, WINDOWS.c.model, WINDOWS.c.version)
    end = before - before % length_s
    with store.read() as connection:
        found = connection.execute(columns.where(WINDOWS.c.started_at < end)).all()
    stretches: dict[tuple[float, str, int], list[str]] = defaultdict(list)
    for made, started_at, model, version in found:
        stretches[started_at - started_at % length_s, model, version].append(made)
    return ((start, ids) for (start, _, _), ids in stretches.items() if len(ids) > 1)


def _merge(connection: sa.Connection, ids: list[str], started_at: float) -> int:
    taken = sa.delete(WINDOWS).where(WINDOWS.c.id.in_(ids))
    returned = (WINDOWS.c.model, WINDOWS.c.version, WINDOWS.c.counts)
    sums: dict[tuple[str, int, str], Counts] = defaultdict(Counts)
    rows = connection.execute(taken.returning(*returned)).all()
    for model, version, text in rows:
        digest, counts = Counts.from_json(text)
        sums[model, version, digest].add(counts)
    for (model, version, digest), counts in sums.items():
        row = _row(model, version, Window(started_at, counts), digest)
        connection.execute(sa.insert(WINDOWS), row)
    return len(rows) - len(sums)


def _row(model: str, version: int, window: Window, digest: str) -> dict[str, object]:
    return {
        "id": random_id(96),
        "started_at": window.started_at,
        "model": model,
        "version": version,
        "n_rows": window.counts.n_rows,
        "counts": window.counts.to_json(digest),
    }
