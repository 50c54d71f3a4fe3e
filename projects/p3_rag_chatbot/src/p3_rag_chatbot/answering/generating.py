"""The second depth: a generator writes, each of its sentences is checked as it is finished.

What streams is what was checked or is being written: a sentence that nothing supports is marked in
the answer's checks, or left out where the settings say so. With leaving out, a sentence is shown
when it has been checked; without, its tokens are shown as they come.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import anyio.to_thread

from p3_rag_chatbot.answering.checking import Checker, cited
from p3_rag_chatbot.answering.extracting import citation
from p3_rag_chatbot.answering.growing import GrowingText
from p3_rag_chatbot.contracts import Check, Citation, Passage
from p3_rag_chatbot.openai_contracts import Delta, FinishReason, Usage

WITHHELD = "(A sentence was left out: no passage supports it.)"


@dataclass
class Written:
    """What a generation has come to; filled while it streams."""

    checks: list[Check] = field(default_factory=list)
    finish_reason: FinishReason | None = None
    usage: Usage | None = None


async def checked(
    pieces: AsyncGenerator[Delta], checker: Checker, written: Written, *, withhold: bool
) -> AsyncGenerator[Delta]:
    """Pass a generator's pieces on, checking each sentence once it is whole; fills `written`."""
    growing = GrowingText()
    async for piece in pieces:
        written.finish_reason = piece.finish_reason or written.finish_reason
        written.usage = piece.usage or written.usage
        if not withhold and (piece.text or piece.logprobs):
            yield Delta(text=piece.text, logprobs=piece.logprobs)
        for sentence in growing.add(piece.text):
            async for shown in _settled(sentence, checker, written, withhold=withhold):
                yield shown
    async for shown in _settled(growing.rest(), checker, written, withhold=withhold):
        yield shown
    if withhold and written.checks and all(one.is_withheld for one in written.checks):
        yield Delta(text=WITHHELD)


async def _settled(
    sentence: str, checker: Checker, written: Written, *, withhold: bool
) -> AsyncGenerator[Delta]:
    """Check a whole sentence; show it now where it was held back until then."""
    check = await anyio.to_thread.run_sync(checker.check, sentence) if sentence.strip() else None
    if check is not None:
        is_withheld = withhold and not check.is_supported
        written.checks.append(check.model_copy(update={"is_withheld": is_withheld}))
        if is_withheld:
            return
    if withhold and sentence:
        yield Delta(text=sentence)


def citations_of(
    text: str, checks: Sequence[Check], passages: Sequence[Passage]
) -> tuple[Citation, ...]:
    """Return what an answer cites, by the numbers it uses, each as its whole passage."""
    numbers = [n for one in checks if not one.is_withheld for n in one.citations]
    numbers += [n for n in cited(text) if 1 <= n <= len(passages)]
    return tuple(
        citation(n, passages[n - 1], 0, len(passages[n - 1].text)) for n in sorted(set(numbers))
    )


def confidence_of(checks: Sequence[Check]) -> float:
    """Return the share of an answer's checked sentences that are supported; 0 without any."""
    shown = [one for one in checks if not one.is_withheld]
    return sum(one.is_supported for one in shown) / len(shown) if shown else 0.0
