"""The way of a question through the documents, as a chat model: `rag`.

Follow-up rewritten, passages searched and read, then one of three depths: extract, generate, free.
It knows no HTTP; `openai_routes.py` serves it as it serves any other model. Read next:
`extracting.py`, `generating.py`.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import anyio.to_thread
from common.errors import FieldError

from p3_rag_chatbot.answering.checking import Checker
from p3_rag_chatbot.answering.extracting import Extracted, Found, extract, read_hits
from p3_rag_chatbot.answering.follow_ups import proposals
from p3_rag_chatbot.answering.generating import Written, checked, citations_of, confidence_of
from p3_rag_chatbot.answering.prompts import with_passages
from p3_rag_chatbot.contracts import Depth, Hit, RagAnswer, RagOptions, SearchRequest
from p3_rag_chatbot.errors import RequestError
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta, Usage
from p3_rag_chatbot.ports import ChatModel, Embedder, Reader, Searches
from p3_rag_chatbot.settings import Settings

MAX_READ = 8
"""Hits that the reader reads: it takes some 15 ms each, and the rest seldom answers."""
MAX_PASSAGES = 3
"""Passages that the embedded generator is shown: it was taught with one to three."""
MIN_CHARACTERS_AHEAD = 48
"""Pieces that a whole answer is streamed in, so that a client sees it grow like any other."""


@dataclass
class _Retrieved:
    """What was found for a question: as asked of the search, with the reader's marks."""

    question: str
    found: list[Found]
    timings_ms: dict[str, float] = field(default_factory=dict)

    @property
    def hits(self) -> tuple[Hit, ...]:
        """The hits in the reader's order, ranked anew."""
        return tuple(
            one.hit.model_copy(
                update={
                    "rank": rank,
                    "scores": one.hit.scores.model_copy(update={"reranked": round(one.trust, 4)}),
                }
            )
            for rank, one in enumerate(self.found, start=1)
        )


class RagModel:
    """Answers from documents; a `ChatModel` whose last piece carries a `RagAnswer`."""

    name = "rag"

    def __init__(
        self,
        searches: Searches,
        embedder: Embedder,
        reader: Reader,
        generator: ChatModel,
        settings: Settings,
        *,
        adapter: str | None = None,
    ) -> None:
        self.searches, self.embedder, self.reader = searches, embedder, reader
        self.generator = generator
        self.settings, self.adapter = settings, adapter

    def count_tokens(self, request: ChatRequest) -> int:
        """Count as the generator does, without passages."""
        return self.generator.count_tokens(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Answer the last user turn; raises `RequestError` where there is none to answer."""
        question = self._question(request)
        options = request.rag or RagOptions()
        depth = options.depth or self.settings.depth
        began = time.perf_counter()
        if depth == "free":
            pieces = self._free(request, question)
        else:
            retrieved = await anyio.to_thread.run_sync(self._retrieve, question, request, options)
            if depth == "extract" or self._declines_for_the_generator(retrieved):
                pieces = self._extracted(depth, retrieved, options, request)
            else:
                pieces = self._generated(request, retrieved, options)
        async with aclosing(pieces):
            async for piece in pieces:
                yield _timed(piece, began)

    def _question(self, request: ChatRequest) -> str:
        last = request.messages[-1]
        text = last.text.strip()
        most = self.settings.max_question_characters
        if last.role != "user" or not text:
            raise RequestError([_field("the last message asks nothing", "a user's text")])
        if len(text) > most:
            raise RequestError(
                [_field(f"the question has {len(text):,} characters", f"at most {most:,}")]
            )
        return text

    # -------------------------------------------------------------------------------- retrieving
    def _retrieve(self, question: str, request: ChatRequest, options: RagOptions) -> _Retrieved:
        """Search each form of the question, read what was found, keep the form best answered."""
        forms = [
            self._retrieve_one(form, options, request.key_digest)
            for form in proposals(question, request.messages[:-1])
        ]
        return max(forms, key=lambda one: one.found[0].trust if one.found else 0.0)

    def _retrieve_one(
        self, question: str, options: RagOptions, key_digest: str | None
    ) -> _Retrieved:
        began = time.perf_counter()
        k = options.k or self.settings.n_passages
        answer = self.searches.search(
            SearchRequest(
                query=question, collection=options.collection or self.settings.collection,
                k=max(k, MAX_READ), filters=options.filters,
            ),
            key_digest=key_digest,
        )  # fmt: skip
        searched = time.perf_counter()
        found = read_hits(question, answer.hits[:MAX_READ], self.reader)
        read = time.perf_counter()
        timings = {"search": (searched - began) * 1e3, "read": (read - searched) * 1e3}
        return _Retrieved(question, found, timings)

    def _about(
        self, depth: Depth, retrieved: _Retrieved, options: RagOptions, **more: object
    ) -> RagAnswer:
        values = {
            "depth": depth,
            "collection": options.collection or self.settings.collection,
            "question": retrieved.question,
            "hits": retrieved.hits,
            "timings_ms": {name: round(ms, 1) for name, ms in retrieved.timings_ms.items()},
        }
        return RagAnswer.model_validate(values | more)

    # --------------------------------------------------------------------------- the three depths
    def _declines_for_the_generator(self, retrieved: _Retrieved) -> bool:
        """Whether the reader says that the documents do not say, where the generator cannot.

        A small model with its adapter has learned to answer and to cite alone; a large one decides
        by itself.
        """
        trust = retrieved.found[0].trust if retrieved.found else 0.0
        return self.adapter is not None and trust < self.settings.answer_threshold

    async def _extracted(
        self, depth: Depth, retrieved: _Retrieved, options: RagOptions, request: ChatRequest
    ) -> AsyncGenerator[Delta]:
        threshold = self.settings.answer_threshold
        answer: Extracted = await anyio.to_thread.run_sync(extract, retrieved.found, threshold)
        for piece in _in_pieces(answer.text):
            yield Delta(text=piece)
        rag = self._about(
            depth, retrieved, options, confidence=round(answer.confidence, 4),
            verdict="answered" if answer.is_answered else "not_in_documents",
            answer=answer.answer, citations=answer.citations, nearest=answer.nearest,
        )  # fmt: skip
        usage = self._usage(request, answer.text)
        yield Delta(finish_reason="stop", usage=usage, rag=rag)

    async def _generated(
        self, request: ChatRequest, retrieved: _Retrieved, options: RagOptions
    ) -> AsyncGenerator[Delta]:
        generator = self.generator
        n_answer = request.token_limit or self.settings.max_new_tokens
        n_answer = min(n_answer, self.settings.context_tokens // 2)
        k = options.k or self.settings.n_passages
        k = min(k, MAX_PASSAGES) if self.adapter else k
        passages = [one.passage for one in retrieved.hits[:k]]
        asked, n_used = await anyio.to_thread.run_sync(
            lambda: with_passages(
                request.model_copy(update={"adapter": request.adapter or self.adapter}),
                retrieved.question, passages, count_tokens=generator.count_tokens,
                n_context=self.settings.context_tokens, n_answer=n_answer,
            )
        )  # fmt: skip
        asked = asked.model_copy(
            update={"max_tokens": n_answer, "max_completion_tokens": None}
            | ({"temperature": 0.0} if request.temperature is None else {})
        )
        checker = Checker(self.reader, passages[:n_used], self.settings.support_threshold)
        withhold = options.withhold_unsupported
        withhold = self.settings.withhold_unsupported if withhold is None else withhold
        written, text = Written(), ""
        pieces = generator.stream(asked)
        shown = checked(pieces, checker, written, withhold=withhold)
        async with aclosing(pieces), aclosing(shown):
            async for piece in shown:
                text += piece.text
                yield piece
        is_answered = any(one.is_supported for one in written.checks)
        rag = self._about(
            "generate", retrieved, options, confidence=round(confidence_of(written.checks), 4),
            verdict="answered" if is_answered else "not_in_documents",
            checks=tuple(written.checks),
            citations=citations_of(text, written.checks, passages[:n_used]),
        )  # fmt: skip
        yield Delta(finish_reason=written.finish_reason or "stop", usage=written.usage, rag=rag)

    async def _free(self, request: ChatRequest, question: str) -> AsyncGenerator[Delta]:
        bare = request.model_copy(update={"rag": None, "tools": ()})
        rag = RagAnswer(
            depth="free", verdict="free", collection="", question=question, confidence=0.0
        )
        async with aclosing(self.generator.stream(bare)) as pieces:
            async for piece in pieces:
                is_last = piece.finish_reason is not None
                yield piece.model_copy(update={"rag": rag}) if is_last else piece

    def _usage(self, request: ChatRequest, text: str) -> Usage:
        """Count as the model that answered counts: of an extracted answer, the reader's tokens."""
        counted = self.embedder.count_tokens([*(one.text for one in request.messages), text])
        n_prompt, n_answer = sum(counted[:-1]), counted[-1]
        return Usage(
            prompt_tokens=n_prompt, completion_tokens=n_answer, total_tokens=n_prompt + n_answer
        )


def _field(message: str, accepted: str) -> FieldError:
    return FieldError(field="messages", message=message, accepted=accepted)


def _timed(piece: Delta, began: float) -> Delta:
    if piece.rag is None:
        return piece
    timings = piece.rag.timings_ms | {"total": round((time.perf_counter() - began) * 1e3, 1)}
    return piece.model_copy(update={"rag": piece.rag.model_copy(update={"timings_ms": timings})})


def _in_pieces(text: str) -> list[str]:
    """Cut a whole answer at blanks into pieces of some length."""
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = text.find(" ", start + MIN_CHARACTERS_AHEAD)
        end = len(text) if end < 0 else end
        pieces.append(text[start:end])
        start = end
    return pieces
