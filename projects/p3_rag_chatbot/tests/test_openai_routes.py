"""The OpenAI protocol as its own clients speak it: the SDK and LangChain, over a real socket."""

import base64
import json
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import httpx2
import numpy as np
import openai
import pytest
from common.service import create_service
from fastapi import FastAPI
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from p3_rag_chatbot.api import PROBLEMS, create_app
from p3_rag_chatbot.contracts import RagAnswer
from p3_rag_chatbot.errors import GenerationError, ModelBusyError
from p3_rag_chatbot.fakes import FakeChatModel, FakeEmbedder
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta, FunctionCall, ToolCall, Usage
from p3_rag_chatbot.openai_routes import openai_router
from p3_rag_chatbot.settings import Settings

from .served import served

USAGE = Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5)
HI = [{"role": "user", "content": "hi"}]


class Scripted(FakeChatModel):
    """Says what its script holds; an exception in it is raised there."""

    def __init__(self, name: str, *script: Delta | Exception) -> None:
        super().__init__(name)
        self.script = script
        self.is_closed = False

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        try:
            for piece in self.script:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.is_closed = True


CALL = ToolCall(id="call_1", function=FunctionCall(name="add", arguments='{"a":1}'))
FOUND = RagAnswer(
    depth="extract", verdict="answered", collection="guides", question="hi", confidence=0.9
)
END = Delta(finish_reason="stop", usage=USAGE)
MODELS = {
    "echo": FakeChatModel(),
    "breaks": Scripted("breaks", Delta(text="Half "), GenerationError("the wire was cut")),
    "fails": Scripted("fails", GenerationError("nothing came")),
    "busy": Scripted("busy", ModelBusyError("all are taken", retry_after_s=7)),
    "calls": Scripted("calls", Delta(tool_calls=(CALL,), finish_reason="tool_calls", usage=USAGE)),
    "cites": Scripted("cites", Delta(text="Yes.", rag=FOUND), END),
    "silent": Scripted("silent"),
}


def app_of(tmp_path: Path) -> FastAPI:
    settings = Settings(data_dir=tmp_path)
    service = create_service("p3-rag-chatbot", settings, title="t", summary="s", version="1")
    service.problems(PROBLEMS)
    service.mount(openai_router(MODELS, FakeEmbedder(), max_question_characters=8000))
    return service.app


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(app_of(tmp_path_factory.mktemp("data"))) as address:
        yield f"{address}/v1"


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        yield client


# ----------------------------------------------------------------------------------- answers
def test_a_whole_answer_is_what_the_sdk_expects(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="echo", messages=[{"role": "user", "content": "one two three"}], max_tokens=2
    )
    choice = answer.choices[0]
    assert (choice.message.role, choice.message.content) == ("assistant", "one two ")
    assert choice.finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5
    assert answer.id.startswith("chatcmpl-")


def test_a_stream_is_chunks_with_a_role_first_and_the_reason_last(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="echo", messages=[{"role": "user", "content": "one two"}], stream=True
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].delta.content for chunk in chunks[1:-1]] == ["one ", "two"]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, None, "stop"]
    assert {chunk.id for chunk in chunks} == {chunks[0].id}
    assert all(chunk.usage is None for chunk in chunks)


def test_usage_is_the_last_chunk_where_it_is_asked_for(client: openai.OpenAI) -> None:
    *_, last = client.chat.completions.create(
        model="echo", messages=HI, stream=True, stream_options={"include_usage": True}
    )
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens == 1


def test_the_bytes_of_a_stream_are_events_that_end_in_done(url: str) -> None:
    asked = {"model": "echo", "messages": HI, "stream": True}
    answer = httpx2.post(f"{url}/chat/completions", json=asked)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(json.loads(event.removeprefix("data: ")) for event in events[:-2])


def test_calls_of_tools_pass_through_whole_and_streamed(client: openai.OpenAI) -> None:
    message = client.chat.completions.create(model="calls", messages=HI).choices[0].message
    assert message.content is None
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.arguments == '{"a":1}'
    chunks = client.chat.completions.create(model="calls", messages=HI, stream=True)
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert [(call.index, call.id, call.function.name) for call in calls] == [(0, "call_1", "add")]


def test_the_extension_says_where_an_answer_comes_from(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="cites", messages=HI)
    assert answer.to_dict()["rag"]["verdict"] == "answered"
    chunks = list(client.chat.completions.create(model="cites", messages=HI, stream=True))
    assert [c.to_dict()["rag"]["confidence"] for c in chunks if "rag" in c.to_dict()] == [0.9]


def test_models_are_listed_and_described(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names == [*MODELS, "fake-embedder"]
    assert client.models.retrieve("echo").id == "echo"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")


def test_langchain_chats_whole_and_streamed(url: str) -> None:
    model = ChatOpenAI(base_url=url, api_key="none", model="echo", max_retries=0)
    assert model.invoke("one two").content == "one two"
    assert "".join(str(chunk.content) for chunk in model.stream("one two")) == "one two"


# ---------------------------------------------------------------------------------- failures
def test_an_unknown_model_is_not_found_and_the_known_are_named(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="there is echo, breaks") as caught:
        client.chat.completions.create(model="gpt-9", messages=HI)
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("changed", "param", "words"),
    [
        ({"messages": []}, "messages", "send at least one message"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages.0.content",
            "parts of type image_url are not read",
        ),
        (
            {"messages": [{"role": "user", "content": "x" * 1_000_000}]},
            "messages.0.content",
            "1,000,000 characters",
        ),
        ({"temperature": 3}, "temperature", "less than or equal to 2"),
        ({"n": 2}, "n", "1"),
    ],
)
def test_what_does_not_fit_is_a_bad_request_that_names_it(client, changed, param, words) -> None:
    with pytest.raises(openai.BadRequestError, match=words) as caught:
        client.chat.completions.create(**{"model": "echo", "messages": HI, **changed})
    assert caught.value.param == param
    problem = caught.value.response.json()
    assert problem["status"] == 400
    assert problem["type"].startswith("/problems/")
    assert problem["errors"][0]["field"] == param


@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_before_the_first_piece_is_a_status(client: openai.OpenAI, stream) -> None:
    with pytest.raises(openai.InternalServerError, match="nothing came") as caught:
        client.chat.completions.create(model="fails", messages=HI, stream=stream)
    assert caught.value.status_code == 502
    with pytest.raises(openai.InternalServerError, match="all are taken") as caught:
        client.chat.completions.create(model="busy", messages=HI, stream=stream)
    assert (caught.value.status_code, caught.value.response.headers["retry-after"]) == (503, "7")


def test_a_failure_in_mid_answer_ends_the_stream_with_an_error_event(client, url: str) -> None:
    stream = client.chat.completions.create(model="breaks", messages=HI, stream=True)
    assert [next(stream).choices[0].delta.content for _ in range(2)] == ["", "Half "]
    with pytest.raises(openai.APIError, match="the wire was cut"):
        next(stream)
    asked = {"model": "breaks", "messages": HI, "stream": True}
    text = httpx2.post(f"{url}/chat/completions", json=asked).text
    assert "[DONE]" not in text
    assert text.split("\n\n")[-2].startswith("event: error\ndata: {")


def test_a_model_that_ends_without_a_reason_failed(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match="silent ended"):
        client.chat.completions.create(model="silent", messages=HI)


# -------------------------------------------------------------------------------- embeddings
def test_embeddings_are_the_same_as_numbers_and_as_base64(url: str) -> None:
    asked = {"model": "fake-embedder", "input": ["a cat", "a dog"]}
    plain = httpx2.post(f"{url}/embeddings", json=asked).json()
    coded = httpx2.post(f"{url}/embeddings", json=asked | {"encoding_format": "base64"}).json()
    for one, other in zip(plain["data"], coded["data"], strict=True):
        vector = np.frombuffer(base64.b64decode(other["embedding"]), "<f4")
        np.testing.assert_array_equal(np.float32(one["embedding"]), vector)
    assert plain["usage"] == {"prompt_tokens": 4, "total_tokens": 4}


def test_embeddings_for_the_sdk_and_for_langchain(client: openai.OpenAI, url: str) -> None:
    made = client.embeddings.create(model="fake-embedder", input="a cat")
    expected = FakeEmbedder().embed(["a cat"])[0]
    np.testing.assert_allclose(made.data[0].embedding, expected, rtol=1e-6)
    embeddings = OpenAIEmbeddings(
        base_url=url, api_key="none", model="fake-embedder", check_embedding_ctx_length=False
    )
    np.testing.assert_allclose(embeddings.embed_query("a cat"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"dimensions": 8}, "dimensions"),
        ({"input": [[1, 2]]}, "input"),
        ({"input": [1, 2]}, "input"),
        ({"encoding_format": "int3"}, "encoding_format"),
    ],
)
def test_embeddings_that_cannot_be_made_are_bad_requests(url: str, changed, param) -> None:
    asked = {"model": "fake-embedder", "input": "a"} | changed
    answer = httpx2.post(f"{url}/embeddings", json=asked)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


# ------------------------------------------------------------------------- the whole service
@pytest.fixture(scope="module")
def smol(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        n_threads=1,
        max_chats=2,
        index_guides=False,
        request_timeout_s=600,
    )
    with (
        served(create_app(settings)) as address,
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client


def test_the_embedded_model_answers_whole_and_streamed_alike(smol: openai.OpenAI) -> None:
    asked = {"model": "smollm2", "messages": HI, "temperature": 0, "max_tokens": 8}
    whole = smol.chat.completions.create(**asked).choices[0].message.content
    chunks = smol.chat.completions.create(**asked, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole


def test_logprobs_of_the_embedded_model_are_the_sdks(smol: openai.OpenAI) -> None:
    answer = smol.chat.completions.create(
        model="smollm2", messages=HI, logprobs=True, top_logprobs=2, max_tokens=2
    )
    told = answer.choices[0].logprobs
    assert told is not None
    assert [len(token.top_logprobs) for token in told.content or ()] == [2, 2]


def test_a_pydantic_model_comes_back_filled(smol: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
        "required": ["name", "age"],
    }
    answer = smol.chat.completions.create(
        model="smollm2",
        messages=[{"role": "user", "content": "Invent a person."}],
        response_format={"type": "json_schema", "json_schema": {"name": "p", "schema": schema}},
    )
    person = json.loads(answer.choices[0].message.content or "")
    assert isinstance(person["name"], str)
    assert isinstance(person["age"], int)


def test_a_prompt_beyond_the_context_has_the_code_of_the_sdk(smol: openai.OpenAI) -> None:
    long = {"role": "system", "content": "word " * 5000}
    with pytest.raises(openai.BadRequestError) as caught:
        smol.chat.completions.create(model="smollm2", messages=[long, *HI])
    assert caught.value.code == "context_length_exceeded"


def test_a_client_that_hangs_up_frees_the_only_slots(smol: openai.OpenAI) -> None:
    endless = {"model": "smollm2", "messages": HI, "max_tokens": 2000, "logit_bias": {"2": -100}}
    for _ in range(4):
        stream = smol.chat.completions.create(**endless, stream=True)
        next(iter(stream))
        stream.close()
    with pytest.raises(openai.APITimeoutError):
        smol.with_options(timeout=0.3).chat.completions.create(**endless)
    answer = smol.chat.completions.create(model="smollm2", messages=HI, max_tokens=1)
    assert answer.choices[0].message.content
