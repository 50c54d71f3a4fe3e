"""Keeps a collection like its sources: what is new or changed is embedded, what vanished removed.

Every document is replaced in one transaction, so that whatever ends a run, the collection holds
whole documents, and the next run goes on where it was. Loading goes on in another process while
this one embeds the chunks of many documents at a time. Knows no format and no database.
"""

import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from p3_rag_chatbot.contracts import Document
from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.ingestion.chunks import Chunk, chunk, embedding_text
from p3_rag_chatbot.ingestion.loading import DocumentLoader
from p3_rag_chatbot.ingestion.progress import (
    EventKind,
    Failure,
    IndexEvent,
    IndexReport,
    Tell,
    Watch,
    silent,
    unwatched,
)
from p3_rag_chatbot.ingestion.reading_ahead import Failed, Loaded, Outcome, ReadingAhead, Unchanged
from p3_rag_chatbot.ingestion.sources import MEMBER, Corpus
from p3_rag_chatbot.library.documents import NewDocument
from p3_rag_chatbot.ports import Embedder, Vectors
from p3_rag_chatbot.settings import Settings

# Chunks of several documents that are embedded together: enough to sort them by length.
CHUNKS_AT_ONCE = 256


class Shelf(Protocol):
    """What indexing needs of the library."""

    def hashes(self, collection: str) -> Mapping[str, str]:
        """Return the SHA-256 of every source of a collection."""
        ...

    def documents(self, collection: str) -> Sequence[Document]:
        """Return the documents of a collection."""
        ...

    def put_document(self, collection: str, document: NewDocument) -> Document:
        """Put a document in place of any of the same source: all of it or nothing."""
        ...

    def remove_document(self, document_id: str) -> None:
        """Remove a document."""
        ...


class Indexer:
    """Indexes corpora into collections, one at a time; its reading process is kept between them.

    `watch` is entered for each run, whoever asked for it.
    """

    def __init__(
        self,
        shelf: Shelf,
        embedder: Embedder,
        settings: Settings,
        *,
        chunks_at_once: int = CHUNKS_AT_ONCE,
        watch: Watch = unwatched,
    ) -> None:
        self._shelf, self.embedder, self._settings = shelf, embedder, settings
        self._chunks_at_once, self._watch = chunks_at_once, watch
        self._loader = DocumentLoader(settings)
        self._lock = threading.Lock()

    def index(
        self,
        collection: str,
        corpus: Corpus,
        *,
        tell: Tell = silent,
        stop: threading.Event | None = None,
        is_forced: bool = False,
    ) -> IndexReport:
        """Bring a collection up to date; `tell` hears of every document as it is done.

        Ends early, between documents, when `stop` is set. Documents that cannot be read are told
        and kept as they were. Raises what the library raises, such as for a full disk.
        """
        with self._lock, self._watch() as watcher:

            def both(event: IndexEvent) -> None:
                watcher(event)
                tell(event)

            known = dict(self._shelf.hashes(collection))
            run = _Run(collection, corpus, self._shelf, self.embedder, self._settings, both, known)
            hashes = {} if is_forced else known
            try:
                with ReadingAhead(corpus, self._loader, hashes) as ahead:
                    run.work(ahead, stop or threading.Event(), self._chunks_at_once)
            finally:
                corpus.close()
            return run.report

    def close(self) -> None:
        """End the reading process."""
        self._loader.close()


@dataclass(frozen=True)
class _Waiting:
    """A document whose chunks are still to be embedded."""

    loaded: Loaded
    chunks: list[Chunk]


class _Run:
    """One run over a corpus."""

    def __init__(
        self,
        collection: str,
        corpus: Corpus,
        shelf: Shelf,
        embedder: Embedder,
        settings: Settings,
        tell: Tell,
        known: Mapping[str, str],
    ) -> None:
        self.report = IndexReport()
        self._collection, self._corpus, self._shelf = collection, corpus, shelf
        self._embedder, self._settings = embedder, settings
        self._tell, self._known = tell, known
        self._seen: set[str] = set()
        self._spared: set[str] = set()  # sources that could not be looked into
        self._waiting: list[_Waiting] = []

    def work(self, ahead: ReadingAhead, stop: threading.Event, chunks_at_once: int) -> None:
        started = time.monotonic()
        try:
            for outcome in ahead:
                self._take(outcome)
                n_waiting = sum(len(one.chunks) for one in self._waiting)
                if n_waiting >= chunks_at_once or not ahead.has_one_ready:
                    self._embed_waiting(chunks_at_once, stop)
                if stop.is_set():
                    return
            self._embed_waiting(chunks_at_once, stop)
            if not stop.is_set():
                self._remove_vanished()
                self.report.is_complete = True
        finally:
            self.report.seconds = time.monotonic() - started

    def _take(self, outcome: Outcome) -> None:
        if isinstance(outcome, Failed):
            self._fail(outcome.error, outcome.n_done)
        elif isinstance(outcome, Unchanged):
            self._seen.add(outcome.source)
            self._spared.add(outcome.source)  # what it holds has not changed either
            self.report.n_unchanged += 1
            self._say("unchanged", outcome.source, outcome.n_done)
        else:
            self._seen.add(outcome.source)
            chunks = chunk(
                outcome.document,
                self._embedder.count_tokens,
                max_tokens=self._settings.chunk_tokens,
                overlap_tokens=min(
                    self._settings.chunk_overlap_tokens, self._settings.chunk_tokens - 1
                ),
            )
            self._waiting.append(_Waiting(outcome, chunks))

    def _fail(self, error: DocumentError, n_done: int) -> None:
        self._spared.add(error.source)
        self.report.failures.append(Failure(source=error.source, reason=error.reason))
        self._say("failed", error.source, n_done, detail=error.reason)

    def _embed_waiting(self, chunks_at_once: int, stop: threading.Event) -> None:
        """Embed what waits, and keep each document whose chunks all have their vectors."""
        waiting = self._waiting.copy()
        self._waiting.clear()
        texts = [
            embedding_text(one.loaded.document.title, part)
            for one in waiting
            for part in one.chunks
        ]
        vectors = np.zeros((len(texts), self._embedder.n_dims), dtype=np.float32)
        done = first = 0
        for one in waiting:
            end = first + len(one.chunks)
            while done < end:
                if stop.is_set():
                    return
                some = texts[done : done + chunks_at_once]
                vectors[done : done + len(some)] = self._embedder.embed(some)
                done += len(some)
            self._keep(one, vectors[first:end])
            first = end

    def _keep(self, one: _Waiting, vectors: Vectors) -> None:
        document, source = one.loaded.document, one.loaded.source
        self._shelf.put_document(
            self._collection,
            NewDocument(
                source=source,
                title=document.title,
                media_type=document.media_type,
                sha256=one.loaded.sha256,
                text=document.text,
                chunks=one.chunks,
                vectors=vectors,
                embedder=self._embedder.name,
                metadata=dict(document.metadata),
                notes=document.notes,
                n_pages=document.n_pages,
            ),
        )
        self.report.n_indexed += 1
        self.report.n_chunks += len(one.chunks)
        self.report.notes += [Failure(source=source, reason=note) for note in document.notes]
        detail = "; ".join(document.notes)
        self._say("indexed", source, one.loaded.n_done, detail=detail, n_chunks=len(one.chunks))

    def _remove_vanished(self) -> None:
        """Remove what was in the folders, archives and mails that were read, and is no more."""
        opened = self._seen - self._spared
        for source in self._seen:
            opened.update(_holders(source))
        gone = {
            source
            for source in self._known.keys() - self._seen - self._spared
            if (source.startswith(self._corpus.folders) or not opened.isdisjoint(_holders(source)))
            and self._spared.isdisjoint([*_holders(source), *_folders(source)])
        }
        for document in self._shelf.documents(self._collection) if gone else ():
            if document.source in gone:
                self._shelf.remove_document(document.id)
                self.report.n_removed += 1
                self._say("removed", document.source, len(self._corpus.targets))

    def _say(
        self, kind: EventKind, source: str, n_done: int, *, detail: str = "", n_chunks: int = 0
    ) -> None:
        n_targets = len(self._corpus.targets)
        self._tell(
            IndexEvent(
                kind=kind,
                source=source,
                detail=detail,
                n_chunks=n_chunks,
                n_done=min(n_done + 1, n_targets),
                n_targets=n_targets,
            )
        )


def _holders(source: str) -> list[str]:
    """Return the archives and mails that a source lies in."""
    return [source[: match.start()] for match in re.finditer(re.escape(MEMBER), source)]


def _folders(source: str) -> list[str]:
    """Return the folders that a source lies in."""
    return [source[: match.start()] for match in re.finditer("/", source)]
