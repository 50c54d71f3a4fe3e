"""Questions asked of a configuration, one after another or several at once; what came back."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio

from p3_rag_chatbot.contracts import Passage, RagAnswer, RagOptions
from p3_rag_chatbot.errors import ChatbotError
from p3_rag_chatbot.evaluating.question_sets import Asked
from p3_rag_chatbot.openai_contracts import ChatRequest, Message, Usage
from p3_rag_chatbot.ports import ChatModel


@dataclass(frozen=True)
class Configuration:
    """How questions are answered; its name stands in tables."""

    name: str
    options: RagOptions
    max_tokens: int = 160


@dataclass(frozen=True)
class Outcome:
    """What became of a question; `error` where it was not answered."""

    asked: Asked
    text: str
    about: RagAnswer | None
    usage: Usage | None
    first_token_s: float
    latency_s: float
    error: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether the answer is that the documents do not say."""
        return self.about is not None and self.about.verdict == "not_in_documents"

    @property
    def answer(self) -> str:
        """The words that answer: of an extracted answer the span, empty for a refusal."""
        if self.is_refused or self.about is None:
            return ""
        return self.about.answer or self.text

    @property
    def passages(self) -> list[Passage]:
        """What was retrieved, best first."""
        return [hit.passage for hit in self.about.hits] if self.about else []


async def ask_all(
    model: ChatModel,
    questions: Sequence[Asked],
    configuration: Configuration,
    *,
    n_at_once: int = 1,
    told: Callable[[int], None] = lambda _: None,
) -> list[Outcome]:
    """Ask every question, at most so many at once; `told` hears how many are answered.

    A question that fails is an outcome with an error; the others go on.
    """
    outcomes: dict[int, Outcome] = {}
    limiter = anyio.CapacityLimiter(n_at_once)

    async def ask(at: int, asked: Asked) -> None:
        async with limiter:
            outcomes[at] = await _ask(model, asked, configuration)
        told(len(outcomes))

    async with anyio.create_task_group() as tasks:
        for at, asked in enumerate(questions):
            tasks.start_soon(ask, at, asked)
    return [outcomes[at] for at in range(len(questions))]


async def _ask(model: ChatModel, asked: Asked, configuration: Configuration) -> Outcome:
    request = ChatRequest(
        messages=(Message(role="user", content=asked.question),), rag=configuration.options,
        max_tokens=configuration.max_tokens, temperature=0.0,
    )  # fmt: skip
    began, first = time.perf_counter(), 0.0
    text, about, usage, error = "", None, None, ""
    try:
        async for piece in model.stream(request):
            if piece.text and not first:
                first = time.perf_counter() - began
            text += piece.text
            about, usage = piece.rag or about, piece.usage or usage
    except ChatbotError as failure:
        error = str(failure)
    return Outcome(asked, text, about, usage, first, time.perf_counter() - began, error)
