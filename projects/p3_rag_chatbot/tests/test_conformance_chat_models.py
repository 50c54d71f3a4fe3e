"""What every chat model promises, the real ones and the stand-in alike (`ports.ChatModel`).

What one cannot do, by design, stands in `CANNOT` with the reason, and is expected to fail there.
The remote ones speak to this service's own routes over a socket, with the embedded generator
behind them.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from common.service import create_service
from common.telemetry import Telemetry
from jsonschema import validate
from langchain_openai import ChatOpenAI
from p3_rag_chatbot.answering.rag_model import RagModel
from p3_rag_chatbot.api import PROBLEMS
from p3_rag_chatbot.contracts import Hit, Passage, Scores, SearchAnswer, SearchRequest
from p3_rag_chatbot.errors import ContextLengthError, GenerationError, SchemaError
from p3_rag_chatbot.fakes import FakeChatModel, FakeEmbedder, FakeReader
from p3_rag_chatbot.generating.engine import NAME, EmbeddedModel
from p3_rag_chatbot.generating.langchain_models import LangChainModel
from p3_rag_chatbot.generating.remote import RemoteModel
from p3_rag_chatbot.generating.repairing import Repairing
from p3_rag_chatbot.measuring import Measured, Measures
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta
from p3_rag_chatbot.openai_routes import openai_router
from p3_rag_chatbot.ports import ChatModel
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.tool_calling.caller import ToolCaller
from p3_rag_chatbot.tool_calling.tool_model import ToolModel

from .generating.asking import pieces_of, question, text_of
from .served import served

pytestmark = pytest.mark.anyio
KINDS = ("fake", "embedded", "remote", "langchain", "tools", "free", "generate", "extract")
"""The last three are the depths of `rag`; `tools` is a model where no tool is offered."""
SAYS = "The sea is a large body of salt water that covers most of the Earth, and it is deep."
PASSAGE = "The sea is a large body of salt water. It covers most of the Earth and is very deep."
QUOTES = "a quote is given whole, however long it is, and nothing is generated"
CANNOT = {
    "count": {
        "remote": "the server's tokenizer is not here: an estimate",
        "langchain": "counts the words of the messages alone: an estimate",
        "extract": "the usage is of what has read it: the embedder's tokens",
        "generate": "counted before passages are searched, which are in the usage",
    },
    "cut": {"extract": QUOTES},
    "stop": {"extract": QUOTES},
    "overflow": {"extract": "no generator with a context reads the question"},
    "schema": {
        "fake": "says what it is told; `Repairing` holds such a model to a schema",
        "extract": QUOTES,
    },
}
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "blue"]}, "n": {"type": "integer", "maximum": 9}},
    "required": ["colour", "n"],
    "additionalProperties": False,
}


def models_that(ability: str = "") -> pytest.MarkDecorator:
    """Every kind of model; one that cannot, as its design says, has to fail."""
    cannot = CANNOT.get(ability, {})
    marks = {kind: pytest.mark.xfail(reason=why, strict=True) for kind, why in cannot.items()}
    params = [pytest.param(kind, marks=marks.get(kind, ()), id=kind) for kind in KINDS]
    return pytest.mark.parametrize("model", params, indirect=True)


class Shelf:
    """Finds one passage, whatever is asked."""

    def search(self, request: SearchRequest, *, key_digest: str | None = None) -> SearchAnswer:
        passage = Passage(
            id="1", document_id="d", source="sea.md", title="Sea", start=0, end=len(PASSAGE),
            text=PASSAGE,
        )  # fmt: skip
        hit = Hit(passage=passage, rank=1, scores=Scores(fused=1.0))
        return SearchAnswer(collection="guides", hits=(hit,), latency_ms=0.1)


class CountingChatOpenAI(ChatOpenAI):
    """Counts words: OpenAI's own tokenizer would be fetched."""

    def get_num_tokens(self, text: str) -> int:
        return len(text.split())


# -------------------------------------------------------------------- what the tests share
@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        data_dir=tmp_path_factory.mktemp("p3"), n_threads=1, max_chats=2, context_tokens=512
    )


@pytest.fixture(scope="module")
async def embedded(settings: Settings) -> AsyncIterator[EmbeddedModel]:
    async with EmbeddedModel(settings) as model:
        await model.loaded()
        yield model


@pytest.fixture(scope="module")
def url(settings: Settings, embedded: EmbeddedModel) -> Iterator[str]:
    """A service with a generator of its own, in another thread's event loop."""
    del embedded  # which has written the weights that both read
    service = create_service("p3", settings, title="t", summary="s", version="1")
    service.problems(PROBLEMS)
    behind = service.owns(EmbeddedModel(settings))
    service.mount(openai_router({NAME: behind}, FakeEmbedder(), max_question_characters=8000))
    with served(service.app) as address:
        yield f"{address}/v1"


@pytest.fixture
async def model(
    request: pytest.FixtureRequest, settings: Settings, embedded: EmbeddedModel, url: str
) -> AsyncIterator[ChatModel]:
    match request.param:
        case "fake":
            yield FakeChatModel(says=SAYS, n_context=512)
        case "embedded":
            yield embedded
        case "remote":
            async with RemoteModel(Settings(chat_url=url, chat_model=NAME)) as remote:
                yield Repairing(remote)
        case "langchain":
            asked = CountingChatOpenAI(
                base_url=url, model=NAME, api_key="none", max_retries=0, stream_usage=True
            )
            yield Repairing(LangChainModel(asked, name="langchain"))
        case "generate" | "extract" as depth:
            yield around(depth, embedded, settings)
        case kind:
            told = FakeChatModel(says=SAYS, n_context=512)
            yield around(kind, Repairing(told), settings)


def around(kind: str, model: ChatModel, settings: Settings) -> ChatModel:
    """A model of ours that asks another one."""
    embedder, reader = FakeEmbedder(), FakeReader()
    if kind == "repairing":
        return Repairing(model)
    if kind == "measured":
        return Measured(model, Measures(Telemetry("p3")))
    if kind == "tools":
        return ToolModel(model, ToolCaller(embedder, reader), embedder, reader)
    depth = {"depth": kind, "answer_threshold": 0.0, "max_question_characters": 100_000}
    return RagModel(Shelf(), embedder, reader, model, settings.model_copy(update=depth))


# ------------------------------------------------------------------------------ an answer
@models_that()
async def test_the_last_piece_alone_has_the_reason_and_the_usage(model: ChatModel) -> None:
    *pieces, end = await pieces_of(model, question())
    assert "".join(piece.text for piece in pieces)
    assert [(piece.finish_reason, piece.usage) for piece in pieces] == [(None, None)] * len(pieces)
    assert end.finish_reason in {"stop", "length"}
    assert end.usage is not None
    assert end.usage.total_tokens == end.usage.prompt_tokens + end.usage.completion_tokens
    assert end.usage.prompt_tokens > 0
    assert end.usage.completion_tokens > 0


@models_that("count")
async def test_tokens_are_counted_as_the_usage_says(model: ChatModel) -> None:
    for asked in (question(), question("a\u0301 你好 \n\n <|im_end|> 👩‍👧", max_tokens=2)):
        *_, end = await pieces_of(model, asked)
        assert end.usage is not None
        assert await asyncio.to_thread(model.count_tokens, asked) == end.usage.prompt_tokens


@models_that("cut")
@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
async def test_an_answer_is_cut_at_its_limit_by_either_name(model: ChatModel, limit: str) -> None:
    asked = question(**{"max_tokens": None, limit: 3})
    *_, end = await pieces_of(model, asked)
    assert end.finish_reason == "length"
    assert end.usage is not None
    assert end.usage.completion_tokens == 3


@models_that("stop")
async def test_an_answer_ends_before_a_stop_sequence(model: ChatModel) -> None:
    whole = await text_of(model, question(temperature=0, seed=7))
    stop = whole[6:].split()[1]
    asked = question(temperature=0, seed=7, stop=["never said", stop, ""])
    *pieces, end = await pieces_of(model, asked)
    assert "".join(piece.text for piece in [*pieces, end]) == whole[: whole.index(stop)]
    assert end.finish_reason == "stop"


@models_that()
async def test_a_seed_repeats_an_answer(model: ChatModel) -> None:
    asked = question(temperature=0, seed=7)
    first = await text_of(model, asked)
    assert [await text_of(model, asked) for _ in range(2)] == [first] * 2


# --------------------------------------------------------------------------- leaving, and others
@models_that()
async def test_one_who_leaves_early_leaves_a_model_that_answers(model: ChatModel) -> None:
    asked = question(temperature=0, seed=7)
    before = await text_of(model, asked)
    for _ in range(3):  # more than are answered at once
        stream = model.stream(question(max_tokens=400))
        assert (await anext(stream)).text
        await stream.aclose()
    assert await text_of(model, asked) == before


@models_that()
async def test_two_answers_at_once_do_not_mix(model: ChatModel) -> None:
    few = {"temperature": 0, "seed": 7, "max_tokens": 4}
    asked = [question(**few), question("hi", **few)]
    alone = [await text_of(model, one) for one in asked]
    texts = ["", ""]
    async with aclosing(model.stream(asked[0])) as one, aclosing(model.stream(asked[1])) as other:
        streams: dict[int, AsyncGenerator[Delta]] = {0: one, 1: other}
        while streams:
            for k, stream in list(streams.items()):
                piece = await anext(stream, None)
                if piece is None:
                    del streams[k]
                else:
                    texts[k] += piece.text
    assert texts == alone


@pytest.mark.parametrize("kind", ["repairing", "measured", "tools", "free", "generate"])
async def test_leaving_a_model_around_another_has_left_that_one_too(
    kind: str, settings: Settings
) -> None:
    class Noting(FakeChatModel):
        is_left = False

        async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
            try:
                async for piece in super().stream(request):
                    yield piece
            finally:
                await asyncio.sleep(0)  # letting go may take its time
                self.is_left = True

    inner = Noting(says=SAYS)
    stream = around(kind, inner, settings).stream(question())
    assert (await anext(stream)).text
    await stream.aclose()
    assert inner.is_left


# ------------------------------------------------------------------------------- refusals
@models_that("overflow")
async def test_a_prompt_that_is_too_long_is_refused_before_the_first_piece(
    model: ChatModel,
) -> None:
    with pytest.raises(ContextLengthError, match="tokens"):
        await anext(model.stream(question("word " * 1500)))
    assert await text_of(model, question(max_tokens=1))


@models_that("schema")
async def test_a_schema_is_kept_or_the_failure_is_said(model: ChatModel) -> None:
    asked = question("Name a colour and a number.", max_tokens=60, response_format=wanted(SCHEMA))
    failure = ""
    try:
        validate(json.loads(await text_of(model, asked)), SCHEMA)
    except GenerationError as error:
        failure = str(error)
    assert not failure or "did not keep to the schema, asked twice" in failure


@models_that("schema")
async def test_a_schema_that_is_none_is_refused_before_the_first_piece(model: ChatModel) -> None:
    with pytest.raises(SchemaError, match="type"):
        await anext(model.stream(question(response_format=wanted({"type": "strin"}))))


def wanted(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
