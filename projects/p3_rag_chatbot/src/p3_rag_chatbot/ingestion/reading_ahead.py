"""Loads documents in a thread while others are being embedded, a few ahead and no more."""

import hashlib
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.ingestion.documents import LoadedDocument
from p3_rag_chatbot.ingestion.formats import format_of
from p3_rag_chatbot.ingestion.loading import DocumentLoader, RawDocument
from p3_rag_chatbot.ingestion.sources import MEMBER, Corpus, Item

_AHEAD = 8
_PATIENCE_S = 5.0  # with a thread that waits for a web server; it ends by itself then
_MAX_ATTACHMENT_DEPTH = 3


@dataclass(frozen=True)
class Loaded:
    """A document that is new or has changed."""

    source: str
    sha256: str
    document: LoadedDocument
    n_done: int


@dataclass(frozen=True)
class Unchanged:
    """A document whose bytes are those that were indexed."""

    source: str
    n_done: int


@dataclass(frozen=True)
class Failed:
    """A document that cannot be read."""

    error: DocumentError
    n_done: int


Outcome = Loaded | Unchanged | Failed


class _End:
    """Nothing comes after this; `error` is what ended it, where it was not the end."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class ReadingAhead:
    """Iterates what became of each document of a corpus, in its order."""

    def __init__(self, corpus: Corpus, loader: DocumentLoader, known: Mapping[str, str]) -> None:
        self._corpus, self._loader, self._known = corpus, loader, known
        self._outcomes: queue.Queue[Outcome | _End] = queue.Queue(_AHEAD)
        self._is_stopped = threading.Event()
        self._met: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="reading-ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_stopped.set()
        if self._thread.is_alive():
            self._loader.interrupt()
        deadline = time.monotonic() + _PATIENCE_S
        while self._thread.is_alive() and time.monotonic() < deadline:
            with suppress(queue.Empty):
                self._outcomes.get(timeout=0.05)  # it may be waiting for room

    @property
    def has_one_ready(self) -> bool:
        """Whether the next outcome is there without waiting."""
        return not self._outcomes.empty()

    def __iter__(self) -> Iterator[Outcome]:
        while True:
            outcome = self._outcomes.get()
            if not isinstance(outcome, _End):
                yield outcome
            elif outcome.error is not None:
                raise outcome.error
            else:
                return

    def _work(self) -> None:
        try:
            for n_done, target in enumerate(self._corpus.targets):
                for item in target():
                    for outcome in self._outcomes_of(item, n_done):
                        self._outcomes.put(outcome)
                    if self._is_stopped.is_set():
                        return
        except BaseException as error:  # noqa: BLE001 - raised again where the outcomes are taken
            self._outcomes.put(_End(error))
        else:
            self._outcomes.put(_End())

    def _outcomes_of(self, item: Item, n_done: int, depth: int = 0) -> Iterator[Outcome]:
        """Load a document and what is attached to it; the attachments come first.

        Were a run interrupted between them, the document would not be there and be read anew.
        """
        if isinstance(item, DocumentError):
            yield Failed(item, n_done)
            return
        if item.source in self._met:  # such as two addresses that lead to one page
            return
        self._met.add(item.source)
        sha256 = hashlib.sha256(item.content).hexdigest()
        if self._known.get(item.source) == sha256:
            yield Unchanged(item.source, n_done)
            return
        try:
            document = self._loader.load(item)
        except DocumentError as error:
            yield Failed(error, n_done)
            return
        unread: list[str] = []
        for attachment in document.attachments:
            if depth == _MAX_ATTACHMENT_DEPTH or format_of(attachment.name) is None:
                unread.append(
                    f"attachment {attachment.name}: not read; save it as a file of its own"
                )
                continue
            inner = RawDocument(f"{item.source}{MEMBER}{attachment.name}", attachment.content)
            yield from self._outcomes_of(inner, n_done, depth + 1)
        document = replace(document, notes=(*document.notes, *unread), attachments=())
        yield Loaded(item.source, sha256, document, n_done)
