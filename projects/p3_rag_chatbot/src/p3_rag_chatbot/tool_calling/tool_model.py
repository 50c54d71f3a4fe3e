"""The embedded tool caller as part of any chat model: what `tools` asks for is answered here.

A request without tools goes to the model that is wrapped, and so does one that no tool fits: it is
then an ordinary question. After results (`tool` turns), what is still wanted is called, and when
nothing is, the answer is put in words from them. Read first: `caller.py`.
"""

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime

import anyio.to_thread
from common.errors import FieldError
from common.request_ids import random_id

from p3_rag_chatbot.errors import RequestError
from p3_rag_chatbot.openai_contracts import (
    ChatRequest,
    Delta,
    FunctionCall,
    Message,
    NamedTool,
    ToolCall,
    Usage,
)
from p3_rag_chatbot.ports import ChatModel, Embedder, Reader
from p3_rag_chatbot.tool_calling.caller import (
    Call,
    CallRequest,
    Calls,
    Question,
    ToolCaller,
    asked_back,
)
from p3_rag_chatbot.tool_calling.dates import stated_today
from p3_rag_chatbot.tool_calling.filling import ArgumentFinisher
from p3_rag_chatbot.tool_calling.finding import Said
from p3_rag_chatbot.tool_calling.results import Result, in_sentences
from p3_rag_chatbot.tool_calling.schemas import Function, read_functions

MAX_LOOKED_BACK = 4
"""Turns that a question of ours may lie back."""


def today_here() -> date:
    """Return today's date, in UTC."""
    return datetime.now(UTC).date()


class ToolModel:
    """A `ChatModel` that calls tools; everything else is the wrapped model's."""

    def __init__(
        self,
        model: ChatModel,
        caller: ToolCaller,
        embedder: Embedder,
        reader: Reader | None = None,
        *,
        today: Callable[[], date] = today_here,
    ) -> None:
        self.model, self.caller = model, caller
        self.embedder, self.reader, self.today = embedder, reader, today

    @property
    def name(self) -> str:
        """The wrapped model's name."""
        return self.model.name

    def count_tokens(self, request: ChatRequest) -> int:
        """Count as the wrapped model does."""
        return self.model.count_tokens(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Answer by calls, by a question back, from results, or as the wrapped model does."""
        last = request.messages[-1]
        is_result = last.role == "tool"
        if not is_result and (not request.tools or request.tool_choice == "none"):
            async with aclosing(self.model.stream(request)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        functions = _offered(request)
        outcome = await anyio.to_thread.run_sync(self._outcome, request, functions)
        match outcome:
            case Calls(calls):
                yield self._called(request, calls)
            case Question():
                yield self._spoken(request, asked_back(outcome))
            case _ if is_result:
                text = await anyio.to_thread.run_sync(self._in_words, request)
                yield self._spoken(request, text)
            case _:
                async with aclosing(self.model.stream(_without_tools(request))) as pieces:
                    async for piece in pieces:
                        yield piece

    def _outcome(self, request: ChatRequest, functions: tuple[Function, ...]) -> object:
        """Ask the caller; of its calls only those that were not made in this turn yet."""
        if request.messages[-1].role == "tool" and request.parallel_tool_calls:
            return None
        made = _made(request.messages)
        is_forced = request.tool_choice == "required" or isinstance(request.tool_choice, NamedTool)
        asked = CallRequest(
            said_in(request.messages, self.today()), functions, must=is_forced and not made
        )
        outcome = self.caller.call(asked)
        if not isinstance(outcome, Calls):
            return None if made else outcome
        left = tuple(one for one in outcome.calls if (one.name, one.arguments) not in made)
        if not left or (made and len(outcome.calls) == 1):
            return None
        return Calls(left if request.parallel_tool_calls else left[:1])

    def _in_words(self, request: ChatRequest) -> str:
        question = said_in(request.messages, self.today()).text
        return in_sentences(question, _results(request.messages), self.reader)

    def _called(self, request: ChatRequest, calls: Sequence[Call]) -> Delta:
        written = tuple(
            ToolCall(
                id=f"call_{random_id(96)}",
                function=FunctionCall(
                    name=one.name, arguments=json.dumps(one.arguments, ensure_ascii=False)
                ),
            )
            for one in calls
        )
        text = "".join(f"{one.function.name}{one.function.arguments}" for one in written)
        return Delta(
            tool_calls=written, finish_reason="tool_calls", usage=self._usage(request, text)
        )

    def _spoken(self, request: ChatRequest, text: str) -> Delta:
        return Delta(text=text, finish_reason="stop", usage=self._usage(request, text))

    def _usage(self, request: ChatRequest, text: str) -> Usage:
        """Count as the embedder does, which is what has read the request."""
        tools = [f"{one.function.name} {one.function.description}" for one in request.tools]
        counted = self.embedder.count_tokens([*(m.text for m in request.messages), *tools, text])
        n_prompt, n_answer = sum(counted[:-1]), counted[-1]
        return Usage(
            prompt_tokens=n_prompt, completion_tokens=n_answer, total_tokens=n_prompt + n_answer
        )


def with_tools(
    models: Sequence[ChatModel],
    embedder: Embedder,
    reader: Reader,
    finisher: ArgumentFinisher | None = None,
) -> dict[str, ChatModel]:
    """Give models the embedded tool caller, one for all of them; by the name each is asked by."""
    caller = ToolCaller(embedder, reader, finisher=finisher)
    return {one.name: ToolModel(one, caller, embedder, reader) for one in models}


def said_in(messages: Sequence[Message], today: date) -> Said:
    """Return what the user said last; an answer to a question of ours joins what it is about."""
    today = stated_today("\n".join(one.text for one in messages), today)
    turns = [one for one in messages if one.role in ("user", "assistant")]
    while turns and turns[-1].role == "assistant":
        turns.pop()
    if not turns:
        return Said("", today)
    said = [turns[-1].text]
    for before in range(len(turns) - 2, max(-1, len(turns) - 2 - MAX_LOOKED_BACK), -2):
        is_question = turns[before].role == "assistant" and turns[before].text.endswith("?")
        if not is_question or before == 0 or turns[before - 1].role != "user":
            break
        said.insert(0, turns[before - 1].text)
    return Said("\n".join(said).strip(), today)


def _offered(request: ChatRequest) -> tuple[Function, ...]:
    functions = read_functions(request.tools)
    if not isinstance(request.tool_choice, NamedTool):
        return functions
    name = request.tool_choice.function.name
    named = tuple(one for one in functions if one.name == name)
    if not named:
        offered = ", ".join(one.name for one in functions[:10])
        raise RequestError(
            [FieldError(
                field="tool_choice.function.name", message=f"{name!r} is not among the tools",
                accepted=offered,
            )]
        )  # fmt: skip
    return named


def _without_tools(request: ChatRequest) -> ChatRequest:
    return request.model_copy(update={"tools": (), "tool_choice": None})


def _made(messages: Sequence[Message]) -> list[tuple[str, object]]:
    """Return the calls of this turn: since the user spoke last."""
    found: list[tuple[str, object]] = []
    for one in reversed(messages):
        if one.role == "user":
            break
        for call in one.tool_calls or ():
            try:
                found.append((call.function.name, json.loads(call.function.arguments)))
            except json.JSONDecodeError:
                found.append((call.function.name, call.function.arguments))
    return found


def _results(messages: Sequence[Message]) -> list[Result]:
    """Return the results of this turn, each with the function that gave it."""
    names = {call.id: call.function.name for one in messages for call in one.tool_calls or ()}
    found: list[Result] = []
    for one in reversed(messages):
        if one.role == "user":
            break
        if one.role == "tool":
            found.insert(0, Result(names.get(one.tool_call_id or "", one.name or ""), one.text))
    return found
