"""The index of one collection: segments that never change, and which of their rows still count.

An index is a value: a change makes another that shares what did not change, so that a search in
another thread goes on undisturbed. What a change adds becomes a segment; a segment at least half as
large as the one before it is merged into it (as log-structured trees do), so that there are few.
Read next: `index_folders.py`, where segments are saved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from p3_rag_chatbot.library.sketches import N_PLACES
from p3_rag_chatbot.library.views import CollectionView
from p3_rag_chatbot.retrieval.bm25 import Bools
from p3_rag_chatbot.retrieval.segments import (
    Segment,
    build_segment,
    merge_segments,
)

MOST_DEAD = 0.3
"""Share of a segment's rows that may be dead before it is built anew without them."""


@dataclass(frozen=True)
class Part:
    """A segment, which of its rows are alive, and where its rows begin among all rows."""

    segment: Segment
    alive: Bools
    offset: int = 0

    @property
    def n_alive(self) -> int:
        """Number of rows that count."""
        return int(self.alive.sum())


@dataclass(frozen=True)
class CollectionIndex:
    """What is searched of a collection at a revision; rows are numbered through all parts."""

    revision: str = ""
    parts: tuple[Part, ...] = ()
    chunk_ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def n_rows(self) -> int:
        """Number of rows, dead ones included."""
        return len(self.chunk_ids)

    def allowed(self, filters: Mapping[str, str | tuple[str, ...]]) -> list[Bools]:
        """Return, for each part, the rows that are alive and whose document has what is asked."""
        if not filters:
            return [part.alive for part in self.parts]
        wanted = {key: {one} if isinstance(one, str) else set(one) for key, one in filters.items()}
        found = []
        for part in self.parts:
            fits = np.array(
                [
                    all(one.fields.get(key) in values for key, values in wanted.items())
                    for one in part.segment.documents
                ],
                dtype=bool,
            )
            found.append(part.alive & fits[part.segment.document_of])
        return found

    def sketches(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the sketches of rows."""
        found = np.empty((len(rows), N_PLACES), dtype=np.uint8)
        for part in self.parts:
            is_here = (rows >= part.offset) & (rows < part.offset + part.segment.n_rows)
            found[is_here] = part.segment.sketches[rows[is_here] - part.offset]
        return found

    def rows_of(
        self, chunk_ids: NDArray[np.int64], scores: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows of chunks with their scores; those that are not here are left out."""
        order = np.argsort(self.chunk_ids)
        places = np.searchsorted(self.chunk_ids, chunk_ids, sorter=order)
        rows = order[np.minimum(places, len(order) - 1)]
        is_here = self.chunk_ids[rows] == chunk_ids
        return rows[is_here], scores[is_here]


def refreshed(
    index: CollectionIndex, view: CollectionView, *, exact_up_to: int | None
) -> CollectionIndex:
    """Return the index of what the view shows, made from an index of what was there before."""
    alive = [_still_alive(part.segment, view.documents) for part in index.parts]
    held = {(one.id, one.revision) for part in index.parts for one in part.segment.documents}
    added = [one for one, revision in view.documents.items() if (one, revision) not in held]
    pairs = zip(index.parts, alive, strict=True)
    parts = [Part(part.segment, mask) for part, mask in pairs if mask.any()]
    if added:
        segment = build_segment(view.read(added), exact_up_to=exact_up_to)
        parts.append(Part(segment, np.ones(segment.n_rows, dtype=bool)))
    merged = _merged([part for part in parts if part.segment.n_rows], view, exact_up_to)
    return numbered(view.revision, merged)


def _still_alive(segment: Segment, documents: Mapping[str, str]) -> Bools:
    is_current = [documents.get(one.id) == one.revision for one in segment.documents]
    return np.array(is_current, dtype=bool)[segment.document_of]


def _merged(parts: list[Part], view: CollectionView, exact_up_to: int | None) -> list[Part]:
    """Merge from the end, until each part is more than twice as large as the next."""
    start = len(parts)
    for k, part in reversed(list(enumerate(parts[:-1]))):
        if part.n_alive > 2 * sum(smaller.n_alive for smaller in parts[k + 1 :]):
            break
        start = k
    wasteful = [
        k for k, part in enumerate(parts) if part.n_alive < (1 - MOST_DEAD) * part.segment.n_rows
    ]
    start = min([start, *wasteful])
    if start >= len(parts):
        return parts
    some = [(part.segment, part.alive) for part in parts[start:]]
    ids = np.concatenate([segment.chunk_ids[alive] for segment, alive in some])
    vectors = view.vectors(ids.tolist() if exact_up_to is not None else [])
    segment = merge_segments(some, vectors, exact_up_to=exact_up_to)
    return [*parts[:start], Part(segment, np.ones(segment.n_rows, dtype=bool))]


def numbered(revision: str, parts: list[Part]) -> CollectionIndex:
    """Make an index of parts, their rows numbered through."""
    offsets = np.cumsum([0, *(part.segment.n_rows for part in parts)])
    placed = tuple(
        Part(part.segment, part.alive, int(offset))
        for part, offset in zip(parts, offsets[:-1], strict=True)
    )
    ids = [np.zeros(0, dtype=np.int64), *(part.segment.chunk_ids for part in parts)]
    return CollectionIndex(revision, placed, np.concatenate(ids))
