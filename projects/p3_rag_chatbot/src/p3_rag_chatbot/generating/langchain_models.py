"""Any LangChain chat model as a `ChatModel`.

The other way round needs nothing of ours: LangChain's ChatOpenAI speaks to `/v1` of this service.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessageChunk, convert_to_messages
from pydantic_core import to_json

from p3_rag_chatbot.errors import ChatbotError, ContextLengthError, GenerationError
from p3_rag_chatbot.generating.patience import never_silent
from p3_rag_chatbot.generating.remote import is_too_long
from p3_rag_chatbot.openai_contracts import (
    ChatRequest,
    Delta,
    FinishReason,
    FunctionCall,
    NamedTool,
    ToolCall,
    Usage,
)

PASSED_ON = ("temperature", "top_p", "seed")


class LangChainModel:
    """A LangChain chat model; what it raises is a `GenerationError`."""

    def __init__(self, model: BaseChatModel, *, name: str, stall_s: float = 30.0) -> None:
        self.name = name
        self._model, self._stall_s = model, stall_s

    def count_tokens(self, request: ChatRequest) -> int:
        """Count the prompt's tokens as the model does; many estimate."""
        return sum(self._model.get_num_tokens(message.text) for message in request.messages)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Answer piece by piece; see `ports.ChatModel`."""
        whole: BaseMessageChunk | None = None
        try:
            chunks = self._chunks(request)
            patient = never_silent(chunks, self._stall_s, self.name)
            async with aclosing(chunks), aclosing(patient):
                async for chunk in patient:
                    whole = chunk if whole is None else whole + chunk
                    if text := _text(chunk):
                        yield Delta(text=text)
            if not isinstance(whole, AIMessageChunk):
                raise GenerationError(f"{self.name} gave no answer")
            yield self._end(request, whole)
        except ChatbotError:
            raise
        except Exception as error:  # what a foreign model raises is not known
            reason = f"{self.name} failed: {error}"
            if is_too_long(f"{getattr(error, 'code', '')} {error}"):
                raise ContextLengthError(None, None, told=reason) from error
            raise GenerationError(reason) from error

    async def _chunks(self, request: ChatRequest) -> AsyncGenerator[BaseMessageChunk]:
        messages = convert_to_messages(
            [one.model_dump(exclude_none=True) for one in request.messages]
        )
        given = {k: v for k in PASSED_ON if (v := getattr(request, k)) is not None}
        if request.token_limit is not None:
            given["max_tokens"] = request.token_limit
        model: Any = self._model
        if request.tools and request.tool_choice != "none":
            tools = [tool.model_dump(exclude_none=True) for tool in request.tools]
            model = model.bind_tools(tools, tool_choice=_choice(request))
        answer = model.astream(messages, stop=list(request.stops) or None, **given)
        async with aclosing(answer):
            async for chunk in answer:
                yield chunk

    def _end(self, request: ChatRequest, whole: AIMessageChunk) -> Delta:
        calls = tuple(
            ToolCall(
                id=call["id"] or f"call_{k}",
                function=FunctionCall(name=call["name"], arguments=to_json(call["args"]).decode()),
            )
            for k, call in enumerate(whole.tool_calls)
        )
        told = whole.usage_metadata
        n_prompt = told["input_tokens"] if told else self.count_tokens(request)
        n_answer = (
            told["output_tokens"] if told else self._model.get_num_tokens(_text(whole) or " ")
        )
        return Delta(
            tool_calls=calls,
            finish_reason=_finish(whole, has_calls=bool(calls)),
            usage=Usage(
                prompt_tokens=n_prompt,
                completion_tokens=n_answer,
                total_tokens=n_prompt + n_answer,
            ),
        )


def _text(chunk: BaseMessageChunk) -> str:
    return str(chunk.text)


def _choice(request: ChatRequest) -> str | None:
    if isinstance(request.tool_choice, NamedTool):
        return request.tool_choice.function.name
    return {"required": "any", "auto": "auto"}.get(request.tool_choice or "")


def _finish(whole: AIMessageChunk, *, has_calls: bool) -> FinishReason:
    if has_calls:
        return "tool_calls"
    told = whole.response_metadata.get("finish_reason")
    return "length" if told == "length" else "stop"
