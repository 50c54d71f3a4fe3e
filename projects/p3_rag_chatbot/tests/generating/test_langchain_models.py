"""Any LangChain chat model as a `ChatModel`."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from p3_rag_chatbot.errors import GenerationError
from p3_rag_chatbot.generating.langchain_models import LangChainModel
from pydantic import Field

from .asking import pieces_of, question

pytestmark = pytest.mark.anyio


class Scripted(BaseChatModel):
    """Streams its chunks and notes what it was asked; an exception is raised, None is a silence."""

    chunks: list[Any]
    asked: dict[str, Any] = Field(default_factory=dict)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=tools, **kwargs)

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **given: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        self.asked.update(messages=messages, stop=stop, **given)
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            if chunk is None:
                await asyncio.sleep(30)
            yield ChatGenerationChunk(message=chunk)

    def get_num_tokens(self, text: str) -> int:
        return len(text.split())


async def test_text_usage_and_settings_pass_through() -> None:
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    scripted = Scripted(
        chunks=[
            AIMessageChunk(content="Deep "),
            AIMessageChunk(content=[{"type": "text", "text": "blue."}]),
            AIMessageChunk(content="", usage_metadata=usage),
        ]
    )
    model = LangChainModel(scripted, name="scripted")
    *pieces, end = await pieces_of(model, question(stop="x", temperature=0.5))
    assert [piece.text for piece in pieces] == ["Deep ", "blue."]
    assert end.finish_reason == "stop"
    assert end.usage is not None
    assert end.usage.total_tokens == 5
    assert scripted.asked["stop"] == ["x"]
    assert scripted.asked["temperature"] == 0.5
    assert "top_p" not in scripted.asked
    assert [one.content for one in scripted.asked["messages"]] == ["What is the sea?"]


async def test_tools_are_bound_and_its_calls_come_back_whole() -> None:
    part = {"name": "add", "args": '{"a": ', "id": "c1", "index": 0}
    more = {"name": None, "args": "1}", "id": None, "index": 0}
    scripted = Scripted(
        chunks=[AIMessageChunk(content="", tool_call_chunks=[one]) for one in (part, more)]
    )
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
    *_, end = await pieces_of(
        LangChainModel(scripted, name="scripted"), question(tools=[tool], tool_choice="required")
    )
    assert scripted.asked["tool_choice"] == "any"
    assert scripted.asked["tools"][0]["function"]["name"] == "add"
    assert end.finish_reason == "tool_calls"
    assert [(c.id, c.function.name, c.function.arguments) for c in end.tool_calls] == [
        ("c1", "add", '{"a":1}')
    ]


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        ([RuntimeError("no key")], "scripted failed: no key"),
        ([AIMessageChunk(content="Half "), ValueError("cut")], "scripted failed: cut"),
        ([AIMessageChunk(content="Half "), None], "silent for 0.1 s"),
    ],
)
async def test_what_it_raises_and_its_silence_are_errors_of_ours(chunks, words: str) -> None:
    model = LangChainModel(Scripted(chunks=chunks), name="scripted", stall_s=0.1)
    with pytest.raises(GenerationError, match=words):
        await pieces_of(model, question())
