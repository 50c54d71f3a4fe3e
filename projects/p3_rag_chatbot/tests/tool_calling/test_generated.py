"""A generator finishes what rules left open, as far as the request bears its values out."""

import json
from collections.abc import AsyncGenerator
from datetime import date
from typing import Any

import anyio
import anyio.to_thread
import pytest
from p3_rag_chatbot.errors import GenerationError
from p3_rag_chatbot.fakes import FakeChatModel, FakeEmbedder
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta, FunctionSpec
from p3_rag_chatbot.ports import ChatModel
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.tool_calling.caller import (
    Call,
    CallRequest,
    Calls,
    Question,
    ToolCaller,
)
from p3_rag_chatbot.tool_calling.filling import Filled
from p3_rag_chatbot.tool_calling.finding import Said
from p3_rag_chatbot.tool_calling.generated import GeneratorFinisher, finisher_of
from p3_rag_chatbot.tool_calling.schemas import Function, read_function

SAID = Said("remind ann to water the roses, two cans each, on the 3rd of May", date(2026, 4, 1))


class Failing(FakeChatModel):
    """Begins an answer, and fails in it."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Say a brace."""
        yield Delta(text="{")
        raise GenerationError("the generator stopped")


class Silent(FakeChatModel):
    """Never answers."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Wait for what does not come."""
        await anyio.sleep_forever()
        yield Delta()


def function(properties: dict[str, Any], required: tuple[str, ...] | None = None) -> Function:
    names = list(properties) if required is None else list(required)
    schema = {"type": "object", "properties": properties, "required": names}
    spec = FunctionSpec(name="remind", description="Remind somebody.", parameters=schema)
    return read_function(spec)


def finished(
    model: ChatModel, wanted: Function, filled: Filled | None = None, timeout_s: float = 30
) -> Filled:
    before = filled or Filled({}, wanted.required)
    finisher = GeneratorFinisher(model, timeout_s=timeout_s)

    async def work() -> Filled:
        return await anyio.to_thread.run_sync(finisher.finish, SAID, wanted, before)

    return anyio.run(work)


def says(**arguments: Any) -> FakeChatModel:
    return FakeChatModel(says=json.dumps(arguments))


def test_what_is_open_is_filled_what_is_filled_stays_and_only_the_open_is_asked_for() -> None:
    wanted = function({"who": {"type": "string"}, "what": {"type": "string"}})
    model = says(who="somebody else", what="Water the roses")
    before = Filled({"who": "ann"}, wanted.parameters[1:], n_said=1)
    assert finished(model, wanted, before) == Filled(
        {"who": "ann", "what": "water the roses"}, n_said=2
    )
    (asked,) = model.asked
    assert [one.role for one in asked.messages] == ["system", "user"]
    assert "what (string)" in asked.messages[0].text
    assert "who" not in asked.messages[0].text
    assert (asked.adapter, asked.temperature) == ("tools", 0)
    assert before == Filled({"who": "ann"}, wanted.parameters[1:], n_said=1)


def test_a_value_hangs_where_its_parameter_is_nested() -> None:
    to = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    wanted = function({"to": to})
    before = Filled({}, wanted.parameters[0].properties)
    assert finished(says(**{"to.name": "Ann"}), wanted, before).arguments == {"to": {"name": "ann"}}


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "string"}, "roses", "roses"),
        ({"type": "string"}, "watering roses", "watering roses"),
        ({"type": "string", "description": "Day, as YYYY-MM-DD."}, "3rd of May", "2026-05-03"),
        ({"type": "integer"}, 2, 2),
        ({"type": "number"}, 2, 2.0),
        ({"type": "string", "enum": ["low", "high"]}, "high", "high"),
        ({"type": "array", "items": {"type": "string"}}, ["roses", "cans"], ["roses", "cans"]),
    ],
)
def test_a_value_stays_that_follows_from_the_request(
    schema: dict[str, Any], value: object, expected: object
) -> None:
    assert finished(says(one=value), function({"one": schema})).arguments == {"one": expected}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "tulips"),
        ({"type": "string"}, "rose"),
        ({"type": "string"}, 2),
        ({"type": "string"}, ""),
        ({"type": "string"}, None),
        ({"type": "integer"}, 7),
        ({"type": "integer"}, "two"),
        ({"type": "integer"}, True),
        ({"type": "string", "enum": ["low", "high"]}, "middling"),
        ({"type": "integer", "enum": [0, 1]}, True),
        ({"type": "array", "items": {"type": "string"}}, ["roses", "tulips"]),
        ({"type": "array", "items": {"type": "string"}}, []),
        ({"type": "object"}, {"made": "up"}),
    ],
)
def test_a_value_of_another_type_or_that_nobody_said_stays_missing(
    schema: dict[str, Any], value: object
) -> None:
    wanted = function({"one": schema})
    assert finished(says(one=value), wanted) == Filled({}, wanted.required)


@pytest.mark.parametrize(
    ("model", "timeout_s"),
    [
        (Failing(), 30),
        (FakeChatModel(says='{"one": "ro'), 30),
        (FakeChatModel(says='["roses"]'), 30),
        (Silent(), 0.01),
    ],
    ids=["fails", "is cut", "is no object", "is silent"],
)
def test_a_generator_that_fails_leaves_open_what_was_open(
    model: ChatModel, timeout_s: float
) -> None:
    wanted = function({"one": {"type": "string"}})
    assert finished(model, wanted, timeout_s=timeout_s) == Filled({}, wanted.required)


def test_a_value_that_another_parameter_has_is_not_given_away_again() -> None:
    wanted = function({"cans": {"type": "integer"}, "people": {"type": "integer"}})
    before = Filled({"cans": 2}, wanted.parameters[1:], n_said=1)
    assert finished(says(people=2), wanted, before) == before


def test_where_nothing_is_missing_or_the_request_is_long_the_generator_is_not_asked() -> None:
    model = says(one="roses")
    optional = function({"one": {"type": "string"}}, ())
    assert finished(model, optional) == Filled({})
    finisher = GeneratorFinisher(model, timeout_s=30)
    long, required = Said("roses " * 1_000, SAID.today), function({"one": {"type": "string"}})
    missing = Filled({}, required.required)
    assert finisher.finish(long, required, missing) == missing
    assert model.asked == []


def test_a_call_is_made_that_without_the_generator_is_a_question_back() -> None:
    wanted = function({"what": {"enum": ["water", "feed"]}, "city": {"type": "string"}})
    request = CallRequest(Said("remind somebody in york to water", SAID.today), (wanted,))
    model = says(city="York")

    async def outcome(finisher: GeneratorFinisher | None) -> object:
        caller = ToolCaller(FakeEmbedder(), finisher=finisher)
        return await anyio.to_thread.run_sync(caller.call, request)

    asked_back = anyio.run(outcome, None)
    assert isinstance(asked_back, Question)
    assert [one.name for one in asked_back.missing] == ["city"]
    made = anyio.run(outcome, GeneratorFinisher(model, timeout_s=30))
    assert made == Calls((Call("remind", {"what": "water", "city": "york"}),))


def test_a_generator_without_the_adapter_finishes_nothing() -> None:
    settings = Settings()
    assert finisher_of(says(), ("grounded",), settings) is None
    assert finisher_of(says(), ("grounded", "tools"), settings) is not None
    never = Settings(argument_timeout_s=0)
    assert finisher_of(says(), ("grounded", "tools"), never) is None
