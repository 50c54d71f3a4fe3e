"""A uniform random sample of a stream of rows, in one pass and bounded memory.

Every row draws a key; the rows with the smallest keys stay (a reservoir by random sort, equal in
distribution to Vitter 1985, algorithm R, and simple over whole pieces). Rows keep their order.
"""

import numpy as np
import pyarrow as pa


class Reservoir:
    """Takes pieces of a table, holds at most `n_most` of their rows."""

    def __init__(self, n_most: int, *, seed: int, max_bytes: int | None = None) -> None:
        self._n_most = n_most
        self._max_bytes = max_bytes
        self._random = np.random.default_rng(seed)
        self._pieces: list[pa.Table] = []
        self._keys: list[np.ndarray] = []
        self._rows: list[np.ndarray] = []
        self._n_held = 0
        self._highest = np.inf
        self.n_seen = 0

    def add(self, piece: pa.Table) -> None:
        """Offer the next rows."""
        n_rows = piece.num_rows
        if self._max_bytes is not None and n_rows:  # the first piece says how long rows are
            self._n_most = min(self._n_most, max(1, self._max_bytes * n_rows // piece.nbytes))
            self._max_bytes = None
        keys = self._random.random(n_rows)
        rows = np.arange(self.n_seen, self.n_seen + n_rows, dtype=np.int64)
        self.n_seen += n_rows
        stays = keys < self._highest
        if not stays.all():
            chosen = np.flatnonzero(stays)
            piece, keys, rows = piece.take(pa.array(chosen)), keys[chosen], rows[chosen]
        self._pieces.append(piece)
        self._keys.append(keys)
        self._rows.append(rows)
        self._n_held += len(rows)
        if self._n_held > self._n_most + max(self._n_most // 4, 1024):
            self._shrink()

    def _shrink(self) -> None:
        keys, rows = np.concatenate(self._keys), np.concatenate(self._rows)
        kept = np.sort(np.argpartition(keys, self._n_most - 1)[: self._n_most])
        held = _joined(self._pieces).take(pa.array(kept))
        self._highest = float(keys[kept].max())
        self._pieces, self._keys, self._rows = [held], [keys[kept]], [rows[kept]]
        self._n_held = len(kept)

    def table(self) -> tuple[pa.Table, np.ndarray]:
        """Return the held rows in their order, and each one's number in the stream, from 0."""
        if self._n_held > self._n_most:
            self._shrink()
        if not self._pieces:
            return pa.table({}), np.zeros(0, dtype=np.int64)
        return _joined(self._pieces), np.concatenate(self._rows)


def _joined(pieces: list[pa.Table]) -> pa.Table:
    """Join pieces; a column that one of them lacks is missing there."""
    return pa.concat_tables(pieces, promote_options="permissive")
