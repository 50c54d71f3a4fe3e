"""What an operator sees: every way in which a chat, a search or a run of the indexer can end."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from common.telemetry import Telemetry
from p3_rag_chatbot.contracts import Check, RagAnswer, SearchAnswer
from p3_rag_chatbot.errors import ContextLengthError, GenerationError, ModelBusyError
from p3_rag_chatbot.fakes import FakeChatModel
from p3_rag_chatbot.ingestion.progress import IndexEvent
from p3_rag_chatbot.measuring import Measured, Measures
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta, Message, Usage

ASKED = ChatRequest(messages=(Message(role="user", content="one two three"),))
USAGE = Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5)


class Scripted(FakeChatModel):
    """Says what its script holds; an exception in it is raised there."""

    def __init__(self, *script: Delta | Exception) -> None:
        super().__init__("told")
        self.script = script

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        for piece in self.script:
            if isinstance(piece, Exception):
                raise piece
            yield piece


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry("p3")


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value(name, labels)


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ((Delta(text="Yes."), Delta(finish_reason="stop", usage=USAGE)), "stop"),
        ((Delta(text="Yes"), Delta(finish_reason="length", usage=USAGE)), "length"),
        ((ModelBusyError("all are taken"),), "busy"),
        ((ContextLengthError(9_000, 2_048),), "refused"),
        ((Delta(text="Half "), GenerationError("the wire was cut")), "failed"),
        ((RuntimeError("nobody expected it"),), "failed"),
        ((Delta(text="Half "),), "abandoned"),
    ],
)
@pytest.mark.anyio
async def test_a_chat_is_counted_by_how_it_ended(
    telemetry: Telemetry, script: tuple[Delta | Exception, ...], ending: str
) -> None:
    model = Measured(Scripted(*script), Measures(telemetry))
    endings = {"stop", "length", "busy", "refused", "failed", "abandoned"}
    counted = {one: value(telemetry, "chats_total", model="told", ending=one) for one in endings}
    assert counted == dict.fromkeys(endings, 0), "a first failure has to be a rise"
    raised = [one for one in script if isinstance(one, Exception)]
    if raised:
        with pytest.raises(type(raised[0])):
            [piece async for piece in model.stream(ASKED)]
    else:
        assert [piece async for piece in model.stream(ASKED)] == list(script)
    counted = {one: value(telemetry, "chats_total", model="told", ending=one) for one in endings}
    assert counted == dict.fromkeys(endings, 0) | {ending: 1}


@pytest.mark.anyio
async def test_one_who_leaves_in_the_middle_has_abandoned_the_chat(telemetry: Telemetry) -> None:
    model = Measured(FakeChatModel("told"), Measures(telemetry))
    async with aclosing(model.stream(ASKED)) as pieces:
        assert (await anext(pieces)).text == "one "
    assert value(telemetry, "chats_total", model="told", ending="abandoned") == 1
    assert value(telemetry, "chat_first_piece_seconds_count", model="told") == 1
    assert value(telemetry, "chat_tokens_total", model="told", of="answer") == 0


@pytest.mark.anyio
async def test_an_answer_from_documents_tells_its_verdict_sentences_and_steps(
    telemetry: Telemetry,
) -> None:
    checks = tuple(
        Check(sentence=f"Sentence {k}.", is_supported=k == 0, score=0.5) for k in range(3)
    )
    rag = RagAnswer(
        depth="generate", verdict="answered", collection="house", question="?", confidence=0.3,
        checks=checks, timings_ms={"search": 4.0, "read": 200.0, "total": 4_000.0},
    )  # fmt: skip
    end = Delta(finish_reason="stop", usage=USAGE, rag=rag)
    model = Measured(Scripted(Delta(text="Yes."), end), Measures(telemetry))
    assert len([piece async for piece in model.stream(ASKED)]) == 2
    assert value(telemetry, "answers_total", depth="generate", verdict="answered") == 1
    assert value(telemetry, "answers_total", depth="extract", verdict="not_in_documents") == 0
    assert value(telemetry, "sentences_checked_total", verdict="supported") == 1
    assert value(telemetry, "sentences_checked_total", verdict="unsupported") == 2
    assert value(telemetry, "answer_seconds_sum", depth="generate") == 4.0
    assert value(telemetry, "reading_seconds_sum") == 0.2
    assert value(telemetry, "chat_tokens_total", model="told", of="prompt") == 3


def test_a_run_of_the_indexer_is_counted_as_it_goes_and_by_how_it_ended(
    telemetry: Telemetry,
) -> None:
    measures = Measures(telemetry)
    done = IndexEvent(kind="indexed", source="a.md", n_chunks=4, n_done=1, n_targets=2)
    with measures.indexing() as tell:
        tell(done)
        assert value(telemetry, "index_chunks_total") == 4
    assert value(telemetry, "index_runs_total", ending="finished") == 1

    def run_into_a_full_disk() -> None:
        with measures.indexing() as tell:
            tell(done.model_copy(update={"kind": "failed", "n_chunks": 0}))
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        run_into_a_full_disk()
    assert value(telemetry, "index_runs_total", ending="failed") == 1
    assert value(telemetry, "index_documents_total", outcome="failed") == 1
    assert value(telemetry, "index_documents_total", outcome="indexed") == 1


def test_a_search_is_timed(telemetry: Telemetry) -> None:
    Measures(telemetry).searched(SearchAnswer(collection="house", hits=(), latency_ms=12.0))
    assert value(telemetry, "search_seconds_sum") == 0.012
