"""A model that is held to a schema by checking: for those whose server has no grammar.

The answer is kept back until it is whole and fits; one that does not is sent back once with what is
wrong. The embedded generator needs none of this: `grammar.py` lets it write nothing else.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from p3_rag_chatbot.errors import GenerationError
from p3_rag_chatbot.generating.grammar import Schema, answer_schema, checked
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta, Message
from p3_rag_chatbot.ports import ChatModel


class Repairing:
    """A `ChatModel` around another: answers with a `response_format` fit it, or are an error."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """Which model this is."""
        return self._model.name

    def count_tokens(self, request: ChatRequest) -> int:
        """Count the prompt's tokens."""
        return self._model.count_tokens(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Answer piece by piece, or at once where a schema asks for it."""
        wanted = answer_schema(request.response_format)
        if wanted is None:
            async with aclosing(self._model.stream(request)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        for piece in await self._fitting(request, checked(wanted)):
            yield piece

    async def _fitting(self, request: ChatRequest, schema: Schema) -> list[Delta]:
        pieces, text = await self._whole(request)
        wrong = fault(text, schema)
        if wrong and _is_over(pieces):
            said = Message(role="assistant", content=text)
            asked = Message(
                role="user",
                content=f"That is not the JSON that was asked for: {wrong}. Answer again, with the "
                f"corrected JSON alone. Its schema: {json.dumps(schema)}",
            )
            again = request.model_copy(update={"messages": (*request.messages, said, asked)})
            pieces, text = await self._whole(again)
            wrong = fault(text, schema)
        if wrong and _is_over(pieces):
            raise GenerationError(f"{self.name} did not keep to the schema, asked twice: {wrong}")
        return pieces

    async def _whole(self, request: ChatRequest) -> tuple[list[Delta], str]:
        async with aclosing(self._model.stream(request)) as stream:
            pieces = [piece async for piece in stream]
        return pieces, "".join(piece.text for piece in pieces)


def fault(text: str, schema: Schema) -> str:
    """Say what keeps a text from being an instance of the schema; empty when nothing does."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only where a schema is sent

    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return f"it is not JSON ({error})"
    wrong = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
    return "" if wrong is None else f"{wrong.json_path}: {wrong.message[:200]}"


def _is_over(pieces: list[Delta]) -> bool:
    """Whether the model ended by itself: one that ran out of tokens, or calls, is left as it is."""
    return pieces[-1].finish_reason == "stop" if pieces else True
