"""Trees over many rows at once, with no walk: leaves are bits, and a row is a few `and`s.

The leaves of a tree are the bits of one word. What a value of a column rules out in every tree is
one line of a table, so a row's lines, one a column, leave a single bit a tree: its leaf
(QuickScorer: Lucchese et al., SIGIR 2015, here with both sides of a split ruled out). No branch
hangs on the data, which is what a walk down a hundred trees loses its time to: beyond a few dozen
rows this takes half of ONNX Runtime's time. Leaf values are float32, added up in the order of the
trees as ONNX Runtime does, so that both give the same score to the last bit. NumPy alone.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from p1_prediction_api.encoding import DATE_PARTS, Encoder
from p1_prediction_api.trees import LEAF, Indices, Tree, TreeEnsemble

Matrix = NDArray[np.float32]
Codes = NDArray[np.int64]
Words = NDArray[Any]
MAX_TABLE_BYTES = 8_000_000
"""Beyond what a processor keeps near, a line costs as much as the walk."""
ROWS_AT_ONCE = 256
"""What lies between two steps stays in the cache so."""


class _Word(NamedTuple):
    """An unsigned integer, and the float whose exponent tells which of its bits is set."""

    n_bits: int
    bits: type[np.unsignedinteger[Any]]
    number: type[np.floating[Any]]
    integer: type[np.signedinteger[Any]]
    n_mantissa_bits: int
    bias: int


WORDS = (
    _Word(32, np.uint32, np.float32, np.int32, 23, 127),
    _Word(64, np.uint64, np.float64, np.int64, 52, 1023),
)


class _Rows(NamedTuple):
    """Some encoded rows: each column of numbers on end, and which column of each label's is 1."""

    numbers: Matrix
    codes: Codes
    has_gaps: bool


@dataclass(frozen=True)
class _Number:
    """A column of numbers: line k of the table is of values over k thresholds, the last of NaN."""

    column: int
    thresholds: Matrix
    table: Words

    def lines(self, rows: "_Rows") -> NDArray[np.intp]:
        values = rows.numbers[self.column]
        found = self.thresholds.searchsorted(values)
        if rows.has_gaps:
            found[np.isnan(values)] = len(self.table) - 1
        return found


@dataclass(frozen=True)
class _Label:
    """A label's columns, of which one is 1 at most: line 0 of the table is of none."""

    feature: int
    first: int
    table: Words

    def lines(self, rows: "_Rows") -> NDArray[np.intp]:
        return np.maximum(rows.codes[self.feature] - (self.first - 1), 0)


class _Sum(NamedTuple):
    """One score: which trees add to it, and what their leaves add, tree after tree."""

    trees: slice | Indices
    values: Matrix


class BitTrees:
    """An ensemble in tables; `of` makes one where that is worth it."""

    def __init__(self, ensemble: TreeEnsemble, encoder: Encoder, word: _Word) -> None:
        self._word = word
        self._base = ensemble.base.astype(np.float32)
        tables = _Tables(ensemble, encoder, word)
        self._columns, self._n_numbers = tables.columns, tables.n_numbers
        every = [(1 << len(leaves)) - 1 for leaves in tables.leaves]
        self._every = np.array(every, word.bits)
        starts = np.arange(len(every)) * word.n_bits - word.bias
        self._starts = starts.astype(word.integer)[:, None]
        self._sums = [_sum(ensemble, k, tables.leaves, word) for k in range(ensemble.n_scores)]

    @classmethod
    def of(cls, ensemble: TreeEnsemble, encoder: Encoder) -> Self | None:
        """Make the tables; None when a tree has too many leaves, or all too many thresholds."""
        n_leaves = max(int((tree.feature == LEAF).sum()) for tree in ensemble.trees)
        word = next((one for one in WORDS if n_leaves <= one.n_bits), None)
        if word is None:
            return None
        splits = np.concatenate([_splits(tree) for tree in ensemble.trees])
        n_lines = len(np.unique(splits)) + 2 * ensemble.n_columns
        if n_lines * len(ensemble.trees) * word.n_bits // 8 > MAX_TABLE_BYTES:
            return None
        return cls(ensemble, encoder, word)

    def scores(self, columns: Matrix, codes: Codes) -> Matrix:
        """Return raw scores (n, n_scores) of encoded rows.

        `codes` says which column of each label's is 1, shape (n_labels, n); none for -1.
        """
        found = np.empty((len(columns), len(self._base)), np.float32)
        for start in range(0, len(columns), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            numbers = np.ascontiguousarray(columns[some, : self._n_numbers].T)
            rows = _Rows(numbers, codes[:, some], bool(np.isnan(numbers).any()))
            self._score(rows, found[some])
        return found

    def _score(self, rows: _Rows, found: Matrix) -> None:
        word = self._word
        left = np.empty((len(found), len(self._every)), word.bits)
        left[:] = self._every
        lines = np.empty_like(left)
        for one in self._columns:
            one.table.take(one.lines(rows), axis=0, out=lines, mode="clip")
            np.bitwise_and(left, lines, out=left)
        # One bit is left of each word: the exponent of the word as a float is its place.
        places = left.T.astype(word.number, order="C").view(word.integer)
        places >>= word.n_mantissa_bits
        places += self._starts
        for k, one in enumerate(self._sums):
            parts = one.values.take(places[one.trees])
            np.add(parts.sum(axis=0), self._base[k], out=found[:, k])


def _sum(ensemble: TreeEnsemble, score: int, leaves: list[Indices], word: _Word) -> _Sum:
    """Lay out what the leaves add to one score; trees that add nothing to it are left out."""
    values = np.zeros((len(ensemble.trees), word.n_bits), np.float32)
    for k, tree in enumerate(ensemble.trees):
        if 0 <= score - tree.score < tree.value.shape[1]:
            values[k, : len(leaves[k])] = tree.value[leaves[k], score - tree.score]
    adds = np.flatnonzero(values.any(axis=1)).astype(np.int32)
    which = slice(None) if len(adds) == len(values) else adds
    return _Sum(which, values.reshape(-1))


def _splits(tree: Tree) -> Words:
    """Return a tree's splits as complex numbers of column and threshold, to be told apart."""
    inner = tree.feature != LEAF
    return tree.feature[inner] + 1j * tree.threshold[inner].astype(np.float64)


class _Split(NamedTuple):
    """A split of one tree, and the leaves that it rules out: of its right, or of its left side."""

    tree: int
    threshold: np.float32
    not_right: int
    not_left: int
    goes_left_missing: bool

    def at_most(self, value: float) -> int:
        """Return the leaves that a value leaves."""
        return self.not_right if value <= self.threshold else self.not_left


class _Tables:
    """Tables under construction: for each column the lines of its values."""

    def __init__(self, ensemble: TreeEnsemble, encoder: Encoder, word: _Word) -> None:
        self._word, self._n_trees = word, len(ensemble.trees)
        self._by_column: list[list[_Split]] = [[] for _ in range(ensemble.n_columns)]
        self.leaves = [self._take(k, tree) for k, tree in enumerate(ensemble.trees)]
        first = len(encoder.numbers) + len(DATE_PARTS) * len(encoder.dates)
        self.n_numbers = first
        numbers = (self._number(k) for k in range(first))
        self.columns: list[_Number | _Label] = [one for one in numbers if one is not None]
        for k, known in enumerate(encoder.levels.values()):
            if any(self._by_column[first : first + len(known)]):
                self.columns.append(self._label(k, first, len(known)))
            first += len(known)

    def _take(self, number: int, tree: Tree) -> Indices:
        """Note the splits of a tree; return its leaves from left to right."""
        leaves: list[int] = []
        every = (1 << self._word.n_bits) - 1

        def below(node: int) -> int:
            """Return the bits of the leaves below a node."""
            column = int(tree.feature[node])
            if column == LEAF:
                leaves.append(node)
                return 1 << len(leaves) - 1
            left, right = below(int(tree.left[node])), below(int(tree.right[node]))
            split = _Split(
                number,
                tree.threshold[node],
                every ^ right,
                every ^ left,
                bool(tree.goes_left_missing[node]),
            )
            self._by_column[column].append(split)
            return left | right

        below(0)
        return np.array(leaves, np.int32)

    def _number(self, column: int) -> _Number | None:
        splits = self._by_column[column]
        if not splits:
            return None
        thresholds = np.unique(np.array([one.threshold for one in splits], np.float32))
        table = self._all(len(thresholds) + 2)
        for one in splits:
            n = int(thresholds.searchsorted(one.threshold)) + 1
            table[:n, one.tree] &= self._word.bits(one.not_right)
            table[n:-1, one.tree] &= self._word.bits(one.not_left)
            kept = one.not_right if one.goes_left_missing else one.not_left
            table[-1, one.tree] &= self._word.bits(kept)
        return _Number(column, thresholds, table)

    def _label(self, feature: int, first: int, n_levels: int) -> _Label:
        table = self._all(n_levels + 1)
        for k in range(n_levels):
            for one in self._by_column[first + k]:
                # Of this level's column the own line has a 1, every other a 0.
                kept = np.full(len(table), self._word.bits(one.at_most(0.0)))
                kept[k + 1] = self._word.bits(one.at_most(1.0))
                table[:, one.tree] &= kept
        return _Label(feature, first, table)

    def _all(self, n_lines: int) -> Words:
        return np.full((n_lines, self._n_trees), -1, self._word.integer).view(self._word.bits)
