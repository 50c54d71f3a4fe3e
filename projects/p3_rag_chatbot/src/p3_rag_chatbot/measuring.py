"""What an operator sees of the chatbot at `/metrics`: how chats end, how soon, and what is found.

Counted here, in one process, are its chats by whatever route they come, its searches and its runs
of the indexer. Every value of a label that is known begins at 0, so that a first failure is a rise.
`docs/how-to/watch.md` says what to make of the numbers.
"""

import time
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, contextmanager
from typing import Literal, get_args

from common.telemetry import Telemetry

from p3_rag_chatbot.contracts import RagAnswer, SearchAnswer
from p3_rag_chatbot.errors import (
    ContextLengthError,
    ModelBusyError,
    RequestError,
    SchemaError,
    UnknownCollectionError,
)
from p3_rag_chatbot.generating.engine import EmbeddedModel
from p3_rag_chatbot.ingestion.progress import EventKind, IndexEvent, Tell
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta, FinishReason, Usage
from p3_rag_chatbot.ports import ChatModel

Ending = Literal[FinishReason, "refused", "busy", "failed", "abandoned"]
"""How a chat ended: as its answer says, or without a whole one. `abandoned` is given up by the one
who asked, or past its time."""
FAULTS_OF_REQUESTS = (RequestError, SchemaError, ContextLengthError, UnknownCollectionError)
PATIENCE_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Of what a person waits for."""


class Measures:
    """The chatbot's numbers for Prometheus; safe in threads."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._chats = telemetry.counter(
            "chats_total", "Chats, by how they ended.", ("model", "ending")
        )
        self._first_piece_s = telemetry.histogram(
            "chat_first_piece_seconds", "Time from a chat's request to its first words or calls.",
            PATIENCE_BUCKETS_S, ("model",),
        )  # fmt: skip
        self._tokens = telemetry.counter(
            "chat_tokens_total", "Tokens of whole answers and their prompts.", ("model", "of")
        )
        self._answers = telemetry.counter(
            "answers_total", "Answers from documents, by what came of them.", ("depth", "verdict")
        )
        self._answer_s = telemetry.histogram(
            "answer_seconds", "Time to a whole answer from documents.", PATIENCE_BUCKETS_S,
            ("depth",),
        )  # fmt: skip
        self._reading_s = telemetry.histogram(
            "reading_seconds", "Time in which the reader read what was found for a question."
        )
        self._sentences = telemetry.counter(
            "sentences_checked_total", "Generated sentences held against passages.", ("verdict",)
        )
        self._search_s = telemetry.histogram("search_seconds", "Time of one search.")
        self._runs = telemetry.counter("index_runs_total", "Runs of the indexer.", ("ending",))
        self._documents = telemetry.counter(
            "index_documents_total", "Documents that runs of the indexer came to.", ("outcome",)
        )
        self._chunks = telemetry.counter("index_chunks_total", "Chunks that were indexed.")
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        for depth, verdicts in {
            "extract": ("answered", "not_in_documents"),
            "generate": ("answered", "not_in_documents"),
            "free": ("free",),
        }.items():
            self._answer_s.labels(depth)
            for verdict in verdicts:
                self._answers.labels(depth, verdict)
        for verdict in ("supported", "unsupported"):
            self._sentences.labels(verdict)
        for ending in ("finished", "failed"):
            self._runs.labels(ending)
        for outcome in get_args(EventKind):
            self._documents.labels(outcome)

    # -------------------------------------------------------------------------------- chats
    def expects(self, model: str) -> None:
        """Begin the numbers of a model at 0."""
        self._first_piece_s.labels(model)
        for ending in get_args(Ending):
            self._chats.labels(model, ending)
        for kind in ("prompt", "answer"):
            self._tokens.labels(model, kind)

    def chat_ended(self, model: str, ending: Ending) -> None:
        """Count a chat."""
        self._chats.labels(model, ending).inc()

    def first_piece(self, model: str, seconds: float) -> None:
        """Note how long the first words, or calls, took."""
        self._first_piece_s.labels(model).observe(seconds)

    def tokens(self, model: str, usage: Usage) -> None:
        """Count what an answer took."""
        self._tokens.labels(model, "prompt").inc(usage.prompt_tokens)
        self._tokens.labels(model, "answer").inc(usage.completion_tokens)

    def answered(self, answer: RagAnswer) -> None:
        """Count an answer from documents: its verdict, its sentences, its steps."""
        self._answers.labels(answer.depth, answer.verdict).inc()
        for one in answer.checks:
            self._sentences.labels("supported" if one.is_supported else "unsupported").inc()
        took = answer.timings_ms
        if "total" in took:
            self._answer_s.labels(answer.depth).observe(took["total"] / 1e3)
        if "read" in took:
            self._reading_s.observe(took["read"] / 1e3)

    def room(self, generator: EmbeddedModel) -> None:
        """Show, whenever it is asked, how full the embedded generator is."""
        gauge = self._telemetry.gauge
        gauge("chats_generating", "Chats that the embedded generator works on now.").set_function(
            lambda: generator.n_chats
        )
        gauge("chats_waiting", "Chats that wait for the embedded generator now.").set_function(
            lambda: generator.n_waiting
        )
        gauge(
            "chat_cache_reserved_ratio", "Share of P3_CACHE_TOKENS that its chats have reserved."
        ).set_function(lambda: generator.reserved_share)

    # -------------------------------------------------------------------- searches and the indexer
    def searched(self, answer: SearchAnswer) -> None:
        """Note how long a search took."""
        self._search_s.observe(answer.latency_ms / 1e3)

    @contextmanager
    def indexing(self) -> Generator[Tell]:
        """Count a run of the indexer; what is yielded is told of each document as it is done."""
        try:
            yield self._document
        except Exception:
            self._runs.labels("failed").inc()
            raise
        self._runs.labels("finished").inc()

    def _document(self, event: IndexEvent) -> None:
        self._documents.labels(event.kind).inc()
        self._chunks.inc(event.n_chunks)


class Measured:
    """A `ChatModel` around another, whose chats are counted."""

    def __init__(self, model: ChatModel, measures: Measures) -> None:
        self._model, self._measures = model, measures
        measures.expects(model.name)

    @property
    def name(self) -> str:
        """Which model this is."""
        return self._model.name

    def count_tokens(self, request: ChatRequest) -> int:
        """Count the prompt's tokens."""
        return self._model.count_tokens(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Answer as the model does."""
        began, is_silent = time.perf_counter(), True
        ending: Ending = "abandoned"
        try:
            async with aclosing(self._model.stream(request)) as pieces:
                async for piece in pieces:
                    if is_silent and (piece.text or piece.tool_calls):
                        is_silent = False
                        self._measures.first_piece(self.name, time.perf_counter() - began)
                    ending = piece.finish_reason or ending
                    self._count(piece)
                    yield piece
        except Exception as error:
            ending = _ending_of(error)
            raise
        finally:
            self._measures.chat_ended(self.name, ending)

    def _count(self, piece: Delta) -> None:
        if piece.usage is not None:
            self._measures.tokens(self.name, piece.usage)
        if piece.rag is not None:
            self._measures.answered(piece.rag)


def _ending_of(error: Exception) -> Ending:
    if isinstance(error, FAULTS_OF_REQUESTS):
        return "refused"
    return "busy" if isinstance(error, ModelBusyError) else "failed"
