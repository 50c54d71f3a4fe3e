"""BM25 over one segment's chunks: an inverted index in three arrays.

Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with Lucene's idf, which is
never negative: ln(1 + (N - n + 0.5) / (n + 0.5)). `k1` and `b` are the usual ones, not tuned.
Written here and not taken from a library: those score a whole corpus ahead and start anew for each
document that is added; this one adds segments, leaves removed rows out of every count, and weighs a
query's terms when they are asked for, so that a search is exact after any change. Read next:
`segments.py`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]

K1, B = 1.2, 0.75


@dataclass(frozen=True)
class Postings:
    """Which rows hold which term how often: those of term t lie at `starts[t]` to `starts[t + 1]`.

    `numbers` are the terms of this segment; `rows` ascend within a term; `lengths` has a place for
    each row, in terms.
    """

    numbers: Mapping[str, int]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.uint16]
    lengths: NDArray[np.int32]

    def of(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
        """Return the rows that hold a term, and how often each does."""
        number = self.numbers.get(term)
        if number is None:
            return self.rows[:0], self.counts[:0]
        place = slice(self.starts[number], self.starts[number + 1])
        return self.rows[place], self.counts[place]


def count_terms(chunks: Iterable[Sequence[str]]) -> Postings:
    """Build the postings of chunks, each given by its terms: row k is the k-th."""
    numbers: dict[str, int] = {}
    lengths: list[int] = []
    rows: list[NDArray[np.int32]] = []
    found: list[NDArray[np.int32]] = []
    counts: list[NDArray[np.uint16]] = []
    for row, terms in enumerate(chunks):
        counted = Counter(terms)
        lengths.append(len(terms))
        found.append(
            np.fromiter((numbers.setdefault(term, len(numbers)) for term in counted), np.int32)
        )
        counts.append(np.minimum(list(counted.values()), 65_535).astype(np.uint16))
        rows.append(np.full(len(counted), row, dtype=np.int32))
    return _ordered(numbers, found, rows, counts, np.array(lengths, dtype=np.int32))


def merge_postings(parts: Sequence[tuple[Postings, Bools]]) -> Postings:
    """Join segments' postings, without the rows that are not alive; rows are numbered anew."""
    numbers: dict[str, int] = {}
    found: list[NDArray[np.int32]] = []
    rows: list[NDArray[np.int32]] = []
    counts: list[NDArray[np.uint16]] = []
    lengths: list[NDArray[np.int32]] = []
    n_rows = 0
    for postings, alive in parts:
        renumbered = np.cumsum(alive, dtype=np.int32) - 1 + n_rows
        to_number = np.array(
            [numbers.setdefault(term, len(numbers)) for term in postings.numbers], dtype=np.int32
        )
        of_each = np.repeat(to_number, np.diff(postings.starts))
        is_kept = alive[postings.rows]
        found.append(of_each[is_kept])
        rows.append(renumbered[postings.rows[is_kept]])
        counts.append(postings.counts[is_kept])
        lengths.append(postings.lengths[alive])
        n_rows += int(alive.sum())
    return _ordered(numbers, found, rows, counts, np.concatenate(lengths))


def score(query: Mapping[str, float], segments: Sequence[tuple[Postings, Bools]]) -> list[Floats]:
    """Score every row of every segment for weighted terms; a row that is not alive has 0.

    Counts are of rows that are alive in all segments, as if they were one index without the others.
    """
    n_alive = sum(int(alive.sum()) for _, alive in segments)
    n_terms = sum(int(postings.lengths.sum(where=alive)) for postings, alive in segments)
    scores = [np.zeros(len(alive), dtype=np.float32) for _, alive in segments]
    if not n_terms:
        return scores
    mean_length = n_terms / n_alive
    for term, weight in query.items():
        held = [_alive(postings.of(term), alive) for postings, alive in segments]
        n_holding = sum(len(rows) for rows, _ in held)
        idf = np.log1p((n_alive - n_holding + 0.5) / (n_holding + 0.5))
        for (rows, counts), (postings, _), into in zip(held, segments, scores, strict=True):
            damping = K1 * (1 - B + B * postings.lengths[rows] / np.float32(mean_length))
            into[rows] += np.float32(weight * idf * (K1 + 1)) * counts / (counts + damping)
    return scores


def _alive(
    held: tuple[NDArray[np.int32], NDArray[np.uint16]], alive: Bools
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    rows, counts = held
    is_alive = alive[rows]
    return rows[is_alive], counts[is_alive].astype(np.float32)


def _ordered(
    numbers: dict[str, int],
    found: Sequence[NDArray[np.int32]],
    rows: Sequence[NDArray[np.int32]],
    counts: Sequence[NDArray[np.uint16]],
    lengths: NDArray[np.int32],
) -> Postings:
    """Bring postings into the order of their terms, and drop terms that no row holds any more."""
    of_each = np.concatenate([np.zeros(0, dtype=np.int32), *found])
    n_holding = np.bincount(of_each, minlength=len(numbers))
    order = np.argsort(of_each, kind="stable")
    kept = np.flatnonzero(n_holding)
    names = list(numbers)
    return Postings(
        {names[number]: k for k, number in enumerate(kept)},
        np.concatenate([[0], np.cumsum(n_holding[kept])]).astype(np.int64),
        np.concatenate([np.zeros(0, dtype=np.int32), *rows])[order],
        np.concatenate([np.zeros(0, dtype=np.uint16), *counts])[order],
        lengths,
    )
