"""Where cells are missing: down the rows, and in which columns together.

Takes one column's marks at a time and keeps a bit of each cell, so that a million rows of forty
columns cost five megabytes. Knows no table.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from p0_foundations.figures import GapPair, Gaps

N_BANDS = 60


class GapTally:
    """Counts missing cells in bands of rows, of the first `n_most` columns that miss some."""

    def __init__(self, n_rows: int, *, n_most: int) -> None:
        self._n_rows = n_rows
        self._n_most = n_most
        self._edges = np.linspace(0, n_rows, min(N_BANDS, n_rows) + 1).astype(np.int64)
        self._bits: dict[str, NDArray[np.uint8]] = {}
        self._n_missing: dict[str, NDArray[np.int64]] = {}

    def add(self, name: str, is_missing: NDArray[np.bool_]) -> None:
        """Take the marks of a column; one without gaps, or of nothing else, says nothing."""
        if len(self._bits) < self._n_most and 0 < np.count_nonzero(is_missing) < self._n_rows:
            self._bits[name] = np.packbits(is_missing)
            in_bands = np.add.reduceat(is_missing, self._edges[:-1], dtype=np.int64)
            self._n_missing[name] = in_bands

    def gaps(self) -> Gaps | None:
        """Return what was found; None where no column misses some of its cells."""
        if not self._bits:
            return None
        pairs = [self._pair(a, b) for a, b in combinations(self._bits, 2)]
        return Gaps(
            columns=tuple(self._bits),
            edges=tuple(self._edges.tolist()),
            n_missing=tuple(tuple(one.tolist()) for one in self._n_missing.values()),
            pairs=tuple(sorted(pairs, key=lambda pair: -abs(pair.value))),
        )

    def _pair(self, a: str, b: str) -> GapPair:
        """Return phi: Pearson's correlation of the two columns' marks."""
        n = self._n_rows
        n_a, n_b = int(self._n_missing[a].sum()), int(self._n_missing[b].sum())
        n_both = int(np.bitwise_count(self._bits[a] & self._bits[b]).sum())
        spread = (n_a * (n - n_a) * n_b * (n - n_b)) ** 0.5
        return GapPair(a=a, b=b, value=max(-1.0, min(1.0, (n * n_both - n_a * n_b) / spread)))
