"""The next token's chances, as a model tells them."""

import math
from collections.abc import AsyncGenerator

import pytest
from p3_rag_chatbot.errors import RequestError
from p3_rag_chatbot.fakes import FakeChatModel
from p3_rag_chatbot.inside.contracts import NextAsked
from p3_rag_chatbot.inside.next_tokens import N_CANDIDATES, next_tokens
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta, TokenLogprob, TopLogprob

pytestmark = pytest.mark.anyio


class Telling(FakeChatModel):
    """Tells two candidates of its first token."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        self.asked.append(request)
        top = tuple(
            TopLogprob(token=token, logprob=math.log(p)) for token, p in ((" a", 0.75), (" b", 0.2))
        )
        first = TokenLogprob(token=" b", logprob=math.log(0.2), top_logprobs=top)
        yield Delta(text=" b", logprobs=(first,))
        yield Delta(finish_reason="length")


async def test_the_candidates_are_told_whatever_was_drawn() -> None:
    found = await next_tokens(Telling("told"), NextAsked(prompt="Say a or b"))
    assert found.model == "told"
    assert [(one.text, round(math.exp(one.logprob), 3)) for one in found.candidates] == [
        (" a", 0.75),
        (" b", 0.2),
    ]


async def test_a_begun_answer_is_the_last_turn_and_one_token_is_asked_for() -> None:
    model = Telling()
    await next_tokens(model, NextAsked(prompt="What?", answer="It is"))
    (request,) = model.asked
    assert [(one.role, one.text) for one in request.messages] == [
        ("user", "What?"),
        ("assistant", "It is"),
    ]
    assert (request.token_limit, request.top_logprobs) == (1, N_CANDIDATES)


async def test_a_model_that_tells_no_probabilities_is_an_error() -> None:
    with pytest.raises(RequestError, match="tells no probabilities"):
        await next_tokens(FakeChatModel(), NextAsked(prompt="What?"))
