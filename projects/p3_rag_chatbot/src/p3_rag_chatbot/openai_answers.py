"""Answers as the OpenAI API gives them: whole, or as the chunks of a stream.

Field for field what api.openai.com sends, `rag` beside it: see `openai_contracts.py` for requests.
"""

import time
from collections.abc import AsyncIterator
from typing import Any, Literal

from common.request_ids import random_id
from pydantic import BaseModel, ConfigDict, Field

from p3_rag_chatbot.contracts import RagAnswer
from p3_rag_chatbot.errors import GenerationError
from p3_rag_chatbot.openai_contracts import (
    Delta,
    FinishReason,
    TokenLogprob,
    ToolCall,
    Usage,
)


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True)


class Logprobs(_Wire):
    """Log-probabilities of an answer's tokens."""

    content: tuple[TokenLogprob, ...] | None = None
    refusal: None = None


class AnswerMessage(_Wire):
    """What the model said."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None


class Choice(_Wire):
    """The one answer of a completion."""

    index: int = 0
    message: AnswerMessage
    logprobs: Logprobs | None = None
    finish_reason: FinishReason


class ChatCompletion(_Wire):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int = Field(description="Seconds since 1970.")
    model: str
    choices: tuple[Choice, ...]
    usage: Usage
    system_fingerprint: str | None = None
    rag: RagAnswer | None = Field(None, description="Extension: where the answer comes from.")

    def as_json(self) -> str:
        """Write the answer; what OpenAI leaves out when there is none is left out."""
        message = {"tool_calls"} if self.choices[0].message.tool_calls is None else set()
        choices = {"choices": {"__all__": {"message": message}}}
        return self.model_dump_json(exclude=choices | ({"rag": True} if self.rag is None else {}))


class ServedModel(_Wire):
    """A model that can be asked."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="Seconds since 1970: when this process began to serve it.")
    owned_by: str = "p3-rag-chatbot"


class ModelList(_Wire):
    """`GET /v1/models`."""

    object: Literal["list"] = "list"
    data: tuple[ServedModel, ...]


async def whole(model: str, pieces: AsyncIterator[Delta]) -> ChatCompletion:
    """Put an answer's pieces together."""
    texts: list[str] = []
    calls: list[ToolCall] = []
    logprobs: list[TokenLogprob] = []
    end = rag = None
    async for piece in pieces:
        texts.append(piece.text)
        calls += piece.tool_calls
        logprobs += piece.logprobs
        rag = piece.rag or rag
        end = piece
    if end is None or end.finish_reason is None or end.usage is None:
        raise GenerationError(f"{model} ended without saying why or what it took")
    text = "".join(texts)
    message = AnswerMessage(
        content=text if text or not calls else None, tool_calls=tuple(calls) or None
    )
    choice = Choice(
        message=message,
        logprobs=Logprobs(content=tuple(logprobs)) if logprobs else None,
        finish_reason=end.finish_reason,
    )
    return ChatCompletion(
        id=new_id(), created=int(time.time()), model=model, choices=(choice,), usage=end.usage,
        rag=rag,
    )  # fmt: skip


class Chunks:
    """Writes the chunks of one streamed answer."""

    def __init__(self, model: str, *, include_usage: bool) -> None:
        self._head: dict[str, Any] = {
            "id": new_id(),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": None,
        }
        self._include_usage = include_usage
        self._n_calls = 0

    def opening(self) -> dict[str, Any]:
        """Write the first chunk: who speaks."""
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def written(self, piece: Delta) -> list[dict[str, Any]]:
        """Write the chunks of a piece; its end, and what it took, are chunks of their own."""
        chunks = []
        if piece.text or piece.logprobs:
            chunks.append(self._chunk({"content": piece.text}, logprobs=piece.logprobs))
        chunks += [self._call(call) for call in piece.tool_calls]
        if piece.rag is not None:
            chunks.append(self._chunk({}) | {"rag": piece.rag.model_dump(mode="json")})
        if piece.finish_reason is not None:
            chunks.append(self._chunk({}, finish_reason=piece.finish_reason))
            if self._include_usage and piece.usage is not None:
                usage = piece.usage.model_dump()
                chunks.append({**self._head, "choices": [], "usage": usage})
        return chunks

    def _call(self, call: ToolCall) -> dict[str, Any]:
        told = {"index": self._n_calls, **call.model_dump()}
        self._n_calls += 1
        return self._chunk({"tool_calls": [told]})

    def _chunk(
        self,
        delta: dict[str, Any],
        *,
        logprobs: tuple[TokenLogprob, ...] = (),
        finish_reason: FinishReason | None = None,
    ) -> dict[str, Any]:
        told = Logprobs(content=logprobs).model_dump() if logprobs else None
        choice = {"index": 0, "delta": delta, "logprobs": told, "finish_reason": finish_reason}
        usage: dict[str, None] = {"usage": None} if self._include_usage else {}
        return {**self._head, "choices": [choice], **usage}


def new_id() -> str:
    """Name an answer."""
    return f"chatcmpl-{random_id(128)}"
