"""What the generator may say next: its likeliest tokens, after a question and a begun answer."""

from contextlib import aclosing

from common.errors import FieldError

from p3_rag_chatbot.errors import RequestError
from p3_rag_chatbot.inside.contracts import Candidate, NextAsked, NextTokens
from p3_rag_chatbot.openai_contracts import ChatRequest, Message
from p3_rag_chatbot.ports import ChatModel

N_CANDIDATES = 200


async def next_tokens(model: ChatModel, asked: NextAsked) -> NextTokens:
    """Have the model write one token, and return those it chose among.

    A begun answer is the last turn, which llama.cpp goes on with.
    """
    turns = [Message(role="user", content=asked.prompt)]
    if asked.answer:
        turns.append(Message(role="assistant", content=asked.answer))
    request = ChatRequest(
        messages=tuple(turns), max_tokens=1, temperature=1.0, top_p=1.0, logprobs=True
    )
    # Not validated: the wire allows 20, which are too few to draw a temperature with.
    request = request.model_copy(update={"top_logprobs": N_CANDIDATES})
    async with aclosing(model.stream(request)) as pieces:
        async for piece in pieces:
            if piece.logprobs:
                found = piece.logprobs[0].top_logprobs
                return NextTokens(
                    model=model.name,
                    candidates=tuple(
                        Candidate(text=one.token, logprob=round(one.logprob, 5)) for one in found
                    ),
                )
    raise RequestError(
        [
            FieldError(
                field="text",
                message=f"{model.name} ends here and tells no probabilities",
                accepted="a text that it goes on from",
            )
        ]
    )
