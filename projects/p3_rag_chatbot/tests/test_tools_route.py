"""Tools as the OpenAI SDK speaks of them, over a real socket and the real embedder."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openai
import pytest
from common.service import create_service
from p3_rag_chatbot.api import PROBLEMS
from p3_rag_chatbot.embedding.embedder import OnnxEmbedder
from p3_rag_chatbot.fakes import FakeChatModel
from p3_rag_chatbot.openai_routes import openai_router
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.tool_calling.caller import ToolCaller
from p3_rag_chatbot.tool_calling.tool_model import ToolModel

from .served import served

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather forecast for a city on a day.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Name of the city."},
                "day": {"type": "string", "description": "The day, in the format YYYY-MM-DD."},
            },
            "required": ["city"],
        },
    },
}
EMAIL = {
    "type": "function",
    "function": {
        "name": "send_email",
        "description": "Send an email message to somebody.",
        "parameters": {
            "type": "object",
            "properties": {
                "to": {"type": "string", "format": "email", "description": "Address."},
                "message": {"type": "string", "description": "The text of the email."},
            },
            "required": ["to", "message"],
        },
    },
}
TOOLS: Any = [WEATHER, EMAIL]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    folder: Path = tmp_path_factory.mktemp("data")
    settings = Settings(data_dir=folder)
    embedder = OnnxEmbedder.of(settings)
    model = ToolModel(
        FakeChatModel(says="I am only a model."), ToolCaller(embedder), embedder,
        today=lambda: date(2026, 11, 25),
    )  # fmt: skip
    service = create_service("p3-rag-chatbot", settings, title="t", summary="s", version="1")
    service.problems(PROBLEMS)
    service.mount(openai_router({"echo": model}, embedder, max_question_characters=8000))
    with (
        served(service.app) as address,
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client
    embedder.close()


def ask(client: openai.OpenAI, *turns: Any, **more: Any) -> Any:
    messages: Any = [{"role": "user", "content": one} if isinstance(one, str) else one
                     for one in turns]  # fmt: skip
    more = {"tools": TOOLS} | more
    return client.chat.completions.create(model="echo", messages=messages, **more).choices[0]


def calls_of(choice: Any) -> list[tuple[str, dict[str, Any]]]:
    return [
        (one.function.name, json.loads(one.function.arguments))
        for one in choice.message.tool_calls or ()
    ]


def test_a_call_its_result_and_the_answer_in_words(client: openai.OpenAI) -> None:
    question = "What will the weather be like in Paris tomorrow?"
    first = ask(client, question)
    assert first.finish_reason == "tool_calls"
    assert calls_of(first) == [("get_weather", {"city": "Paris", "day": "2026-11-26"})]
    result = {
        "role": "tool",
        "tool_call_id": first.message.tool_calls[0].id,
        "content": '{"temperature": 7, "isRaining": true}',
    }
    last = ask(client, question, first.message.model_dump(exclude_none=True), result)
    assert last.finish_reason == "stop"
    assert last.message.content == "temperature: 7\nis raining: yes"


def test_a_compound_request_has_several_calls_and_one_at_a_time_where_asked(
    client: openai.OpenAI,
) -> None:
    question = (
        "Get the weather forecast for Paris tomorrow. "
        "Send an email to ann@example.org with the message 'bring a coat'."
    )
    wanted = [
        ("get_weather", {"city": "Paris", "day": "2026-11-26"}),
        ("send_email", {"to": "ann@example.org", "message": "bring a coat"}),
    ]
    assert calls_of(ask(client, question)) == wanted
    first = ask(client, question, parallel_tool_calls=False)
    assert calls_of(first) == wanted[:1]
    result = {"role": "tool", "tool_call_id": first.message.tool_calls[0].id, "content": "dry"}
    said = first.message.model_dump(exclude_none=True)
    assert calls_of(ask(client, question, said, result, parallel_tool_calls=False)) == wanted[1:]


def test_a_list_of_places_has_a_call_for_each(client: openai.OpenAI) -> None:
    choice = ask(client, "What is the weather in Boston, MA and also in Paris?")
    assert calls_of(choice) == [
        ("get_weather", {"city": "Boston"}),
        ("get_weather", {"city": "Paris"}),
    ]


def test_a_missing_argument_is_asked_back_for_and_the_reply_completes_the_call(
    client: openai.OpenAI,
) -> None:
    asked = ask(client, "Send an email with the message 'bring a coat'")
    assert not asked.message.tool_calls
    assert "`to`" in asked.message.content
    back = {"role": "assistant", "content": asked.message.content}
    done = ask(client, "Send an email with the message 'bring a coat'", back, "ann@example.org")
    assert calls_of(done) == [("send_email", {"to": "ann@example.org", "message": "bring a coat"})]


def test_where_no_tool_fits_the_model_itself_answers(client: openai.OpenAI) -> None:
    assert ask(client, "Who painted the ceiling?").message.content == "I am only a model."


def test_no_tool_is_called_when_none_may_be(client: openai.OpenAI) -> None:
    choice = ask(client, "What is the weather in Paris?", tool_choice="none")
    assert choice.message.content == "I am only a model."


def test_a_named_tool_is_called(client: openai.OpenAI) -> None:
    named = {"type": "function", "function": {"name": "get_weather"}}
    choice = ask(client, "Lisbon, maybe", tool_choice=named)
    assert calls_of(choice) == [("get_weather", {"city": "Lisbon"})]


def test_a_named_tool_that_is_not_offered_is_refused(client: openai.OpenAI) -> None:
    named = {"type": "function", "function": {"name": "get_wether"}}
    with pytest.raises(openai.BadRequestError, match="not among the tools"):
        ask(client, "Lisbon", tool_choice=named)


def test_a_broken_schema_is_refused_with_its_place(client: openai.OpenAI) -> None:
    broken = {"type": "function", "function": {"name": "f", "parameters": {"properties": 3}}}
    with pytest.raises(openai.BadRequestError, match=r"tools\.0\.function\.parameters"):
        ask(client, "do it", tools=[broken])


def test_calls_stream(client: openai.OpenAI) -> None:
    pieces = client.chat.completions.create(
        model="echo",
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=TOOLS,
        stream=True,
    )
    found = [call for piece in pieces for call in piece.choices[0].delta.tool_calls or ()]
    assert [one.function.name for one in found if one.function] == ["get_weather"]


def test_two_hundred_tools_are_chosen_among(client: openai.OpenAI) -> None:
    other = [
        {"type": "function", "function": {"name": f"tool_{k}", "description": f"Counts to {k}."}}
        for k in range(200)
    ]
    choice = ask(client, "What is the weather in Paris?", tools=[*other, *TOOLS])
    assert calls_of(choice) == [("get_weather", {"city": "Paris"})]
