"""`Searcher`: a question to passages, best first, each with the reasons for its place.

Filters decide which rows take part; BM25 and vectors each bring candidates; a blend ranks them;
near-duplicates leave; a reranker, where there is one, orders what is left; diversity chooses among
it. An index follows its collection: every search compares revisions with one small query, and takes
in what changed, here or in another process. Knows no HTTP.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from p3_rag_chatbot.contracts import Hit, Passage, Scores, SearchAnswer, SearchRequest
from p3_rag_chatbot.errors import CollectionIndexError, OtherEmbedderError
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.ports import Embedder, Vectors
from p3_rag_chatbot.retrieval import bm25, dense, fusion
from p3_rag_chatbot.retrieval.bm25 import Bools, Floats
from p3_rag_chatbot.retrieval.collection_index import CollectionIndex, refreshed
from p3_rag_chatbot.retrieval.diversity import diverse
from p3_rag_chatbot.retrieval.index_folders import IndexFolder
from p3_rag_chatbot.retrieval.near_duplicates import first_of_each
from p3_rag_chatbot.retrieval.terms import terms
from p3_rag_chatbot.settings import Settings

if TYPE_CHECKING:
    from p3_rag_chatbot.retrieval.vector_stores import OutsideVectors

log = structlog.get_logger()

Way = Literal["bm25", "dense", "hybrid"]
Rows = NDArray[np.int64]
Side = tuple[Rows, Floats]
"""What one way to search found: rows, best first, with their scores."""
Filters = Mapping[str, str | tuple[str, ...]]


class Reranker(Protocol):
    """Scores passages for a question again, more carefully: the reader, or a cross-encoder."""

    def score(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """Score each passage; higher is better, only the order counts."""
        ...


@dataclass(frozen=True)
class Ranking:
    """Rows of an index, best first, with what decided: a side that took no part is None."""

    rows: Rows
    fused: Floats
    bm25: Floats | None
    dense: Floats | None


class Searcher:
    """Searches the collections of a library; safe in threads.

    Its indices are loaded when first asked for (`warm` asks before), and saved in the data
    directory. `told` hears of every answer. `close` it.
    """

    def __init__(
        self,
        settings: Settings,
        library: Library,
        embedder: Embedder,
        *,
        reranker: Reranker | None = None,
        told: Callable[[SearchAnswer], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._library = library
        self._embedder = embedder
        self._reranker, self._told = reranker, told
        self._outside = _outside(settings, library, embedder.n_dims)
        self._indices: dict[str, CollectionIndex] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def search(self, request: SearchRequest, *, library: Library | None = None) -> SearchAnswer:
        """Find passages; `library` is a caller's view of it, see `Library.visible_to`.

        Raises `UnknownCollectionError`, `OtherEmbedderError` for vectors of another model.
        """
        began = time.perf_counter()
        collection = request.collection or self._settings.collection
        seen = library or self._library
        index = self._follow(collection, seen.revision(collection))
        n_wanted = max(request.k, self._settings.n_candidates if self._chooses(request) else 0)
        ranking = self._rank(collection, index, request, n_wanted)
        passages = seen.passages([str(index.chunk_ids[row]) for row in ranking.rows])
        hits = self._hits(request, index, ranking, passages)
        latency_ms = (time.perf_counter() - began) * 1_000
        answer = SearchAnswer(collection=collection, hits=hits, latency_ms=latency_ms)
        self._told(answer)
        return answer

    def rank(self, collection: str, query: str, k: int, *, way: Way = "hybrid") -> list[str]:
        """Return the ids of the best passages by one way to search alone, for measuring."""
        index = self._follow(collection, self._library.revision(collection))
        ranking = self._candidates(collection, index, query, index.allowed({}), {}, way)
        return [str(index.chunk_ids[row]) for row in ranking.rows[:k]]

    def warm(self, collection: str) -> None:
        """Load, or build, what a search of a collection needs."""
        self._follow(collection, self._library.revision(collection))

    def close(self) -> None:
        """Close what is searched outside; the library stays open."""
        if self._outside is not None:
            self._outside.close()

    def forget(self, collection: str) -> None:
        """Drop the index of a collection that was deleted, also from the disk."""
        with self._locked(collection):
            self._indices.pop(collection, None)
            self._folder(collection).remove()
            if self._outside is not None:
                self._outside.forget(collection)

    # -------------------------------------------------------------------------------- the steps
    def _follow(self, collection: str, revision: str) -> CollectionIndex:
        """Return the index at this revision or a later one, made from what is at hand."""
        index = self._indices.get(collection)
        if index is not None and index.revision == revision:
            return index
        with self._locked(collection):
            folder = self._folder(collection)
            index = self._indices.get(collection) or folder.load()
            exact_up_to = None if self._outside else self._settings.exact_up_to
            with self._library.view(collection) as view:
                if view.revision == index.revision:
                    return index
                self._check_embedder(collection, view.embedder)
                index = refreshed(index, view, exact_up_to=exact_up_to)
                if self._outside is not None:
                    self._outside.follow(collection, view)
            self._indices[collection] = index
            try:
                folder.save(index)
            except CollectionIndexError as error:  # it is in memory: a search can be answered
                log.warning("index_not_saved", collection=collection, reason=str(error))
            return index

    def _check_embedder(self, collection: str, embedder: str) -> None:
        if embedder and embedder != self._embedder.name:
            raise OtherEmbedderError(collection, embedder, self._embedder.name)

    def _chooses(self, request: SearchRequest) -> bool:
        """Say whether more passages than are wanted are needed, to choose among them."""
        is_reranked = self._reranker is not None and request.rerank
        return is_reranked or request.diversity > 0

    def _rank(
        self, collection: str, index: CollectionIndex, request: SearchRequest, n_wanted: int
    ) -> Ranking:
        """Rank candidates by words and meaning, without near-duplicates."""
        allowed = index.allowed(request.filters)
        ranking = self._candidates(
            collection, index, request.query, allowed, request.filters, "hybrid"
        )
        return _part_of(ranking, _unlike(index, ranking.rows, n_wanted))

    def _candidates(
        self,
        collection: str,
        index: CollectionIndex,
        query: str,
        allowed: Sequence[Bools],
        filters: Filters,
        way: Way,
    ) -> Ranking:
        by_words = _by_words(index, query, allowed) if way != "dense" else None
        by_meaning = (
            self._by_meaning(collection, index, query, allowed, filters) if way != "bm25" else None
        )
        weights = (1 - fusion.DENSE_WEIGHT, fusion.DENSE_WEIGHT)
        sides = zip(weights, (by_words, by_meaning), strict=True)
        taking_part = [(w, *side) for w, side in sides if side is not None]
        rows, fused = fusion.blend(taking_part, index.chunk_ids)
        return Ranking(
            rows,
            fused,
            _scores_of(index.n_rows, rows, by_words),
            _scores_of(index.n_rows, rows, by_meaning),
        )

    def _by_meaning(
        self,
        collection: str,
        index: CollectionIndex,
        query: str,
        allowed: Sequence[Bools],
        filters: Filters,
    ) -> Side | None:
        if not index.n_rows:
            return None
        vector = self._embedder.embed([query])[0]
        if self._outside is not None:
            ids, cosines = self._outside.nearest(collection, vector, filters)
            return _allowed(*index.rows_of(ids, cosines), allowed)
        found_rows: list[Rows] = []
        found_cosines: list[Floats] = []
        for part, mask in zip(index.parts, allowed, strict=True):
            if part.segment.vectors is not None:
                rows, scores = dense.nearest(part.segment.vectors, vector, mask, fusion.DEPTH)
                found_rows.append(rows + part.offset)
                found_cosines.append(scores)
        if not found_rows:
            return None
        return _top(np.concatenate(found_rows), np.concatenate(found_cosines))

    def _hits(
        self,
        request: SearchRequest,
        index: CollectionIndex,
        ranking: Ranking,
        passages: Sequence[Passage],
    ) -> tuple[Hit, ...]:
        """Order the passages that are still there, and say why each stands where it does."""
        by_id = {one.id: one for one in passages}
        ids = [str(index.chunk_ids[row]) for row in ranking.rows]
        places = [place for place, one in enumerate(ids) if one in by_id]
        reranked = self._rerank(request, [by_id[ids[place]] for place in places])
        relevance = ranking.fused[places] if reranked is None else reranked
        order = self._order(request, index, ranking.rows[places], relevance)
        return tuple(
            Hit(
                passage=by_id[ids[places[k]]],
                rank=rank,
                scores=Scores(
                    fused=float(ranking.fused[places[k]]),
                    bm25=_score(ranking.bm25, places[k]),
                    dense=_score(ranking.dense, places[k]),
                    reranked=_score(reranked, k),
                ),
            )
            for rank, k in enumerate(order, start=1)
        )

    def _rerank(self, request: SearchRequest, passages: Sequence[Passage]) -> Floats | None:
        if self._reranker is None or not request.rerank or not passages:
            return None
        scores = self._reranker.score(request.query, [one.text for one in passages])
        return np.asarray(scores, dtype=np.float32)

    def _order(
        self, request: SearchRequest, index: CollectionIndex, rows: Rows, relevance: Floats
    ) -> list[int]:
        by_relevance = np.argsort(-relevance, kind="stable")
        if not request.diversity or len(rows) < 2:
            return by_relevance[: request.k].tolist()
        vectors = self._vectors(index, rows[by_relevance])
        chosen = diverse(relevance[by_relevance], vectors, request.k, diversity=request.diversity)
        return by_relevance[chosen].tolist()

    def _vectors(self, index: CollectionIndex, rows: Rows) -> Vectors:
        """Return rows' vectors from the library: an index may hold them more coarsely."""
        return self._library.vectors([int(index.chunk_ids[row]) for row in rows])

    def _folder(self, collection: str) -> IndexFolder:
        kind = "words" if self._outside else f"exact-{self._settings.exact_up_to}"
        return IndexFolder(self._settings.data_dir / "p3-indices" / collection / kind)

    def _locked(self, collection: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(collection, threading.Lock())


def _outside(settings: Settings, library: Library, n_dims: int) -> "OutsideVectors | None":
    """Open the vector store of the settings; None for FAISS in this process."""
    if settings.vector_store == "faiss":
        return None
    from p3_rag_chatbot.retrieval.vector_stores import open_vector_store  # noqa: PLC0415 - LangChain

    return open_vector_store(settings, library, n_dims)


def _by_words(index: CollectionIndex, query: str, allowed: Sequence[Bools]) -> Side:
    """Rank by BM25. What a filter leaves out is not found, yet counts in how rare a term is."""
    weights = {term: float(n) for term, n in Counter(terms(query)).items()}
    scored = bm25.score(weights, [(part.segment.postings, part.alive) for part in index.parts])
    masked = [np.where(mask, one, 0) for one, mask in zip(scored, allowed, strict=True)]
    scores = np.concatenate([np.zeros(0, dtype=np.float32), *masked])
    rows = fusion.best(scores, fusion.DEPTH, index.chunk_ids)
    return rows, scores[rows]


def _unlike(index: CollectionIndex, rows: Rows, n_wanted: int) -> list[int]:
    """Return the places of the first rows that are no near-duplicates of one before."""
    n_looked_at = 2 * n_wanted
    while True:
        places = list(islice(first_of_each(index.sketches(rows[:n_looked_at])), n_wanted))
        if len(places) == n_wanted or n_looked_at >= len(rows):
            return places
        n_looked_at *= 4


def _allowed(rows: Rows, scores: Floats, allowed: Sequence[Bools]) -> Side:
    """Leave out what is not to be found: a store may lag behind, or filter more coarsely."""
    is_allowed = np.concatenate(list(allowed))[rows]
    return rows[is_allowed], scores[is_allowed]


def _top(rows: Rows, scores: Floats) -> Side:
    order = np.argsort(-scores, kind="stable")[: fusion.DEPTH]
    return rows[order], scores[order]


def _scores_of(n_rows: int, rows: Rows, side: Side | None) -> Floats | None:
    """Return one side's scores of some rows: not a number where it did not find them."""
    if side is None:
        return None
    scores = np.full(n_rows, np.nan, dtype=np.float32)
    scores[side[0]] = side[1]
    return scores[rows]


def _part_of(ranking: Ranking, places: Sequence[int]) -> Ranking:
    some = np.asarray(places, dtype=np.int64)
    return Ranking(
        ranking.rows[some],
        ranking.fused[some],
        None if ranking.bm25 is None else ranking.bm25[some],
        None if ranking.dense is None else ranking.dense[some],
    )


def _score(scores: Floats | None, place: int) -> float | None:
    if scores is None or np.isnan(scores[place]):
        return None
    return float(scores[place])
