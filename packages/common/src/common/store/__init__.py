"""One way to speak SQL: SQLite in the data directory by default, PostgreSQL by URL.

Start with `opening.py` (`open_store`, `Store`); `writing.py` is the queue that keeps inserts off
the hot path.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.store.bulk import insert_rows
    from common.store.opening import (
        Store,
        StoreError,
        StoreFullError,
        open_store,
        store_location,
        upsert,
    )
    from common.store.writing import BackgroundInserts

_HOMES = {
    "BackgroundInserts": "common.store.writing",
    "Store": "common.store.opening",
    "StoreError": "common.store.opening",
    "StoreFullError": "common.store.opening",
    "insert_rows": "common.store.bulk",
    "open_store": "common.store.opening",
    "store_location": "common.store.opening",
    "upsert": "common.store.opening",
}

__all__ = [
    "BackgroundInserts",
    "Store",
    "StoreError",
    "StoreFullError",
    "insert_rows",
    "open_store",
    "store_location",
    "upsert",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'common.store' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
