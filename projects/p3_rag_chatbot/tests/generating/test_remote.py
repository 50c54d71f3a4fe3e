"""A model behind a URL, with real little servers that misbehave as servers do."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from p3_rag_chatbot.errors import (
    ChatbotError,
    ContextLengthError,
    GenerationError,
    ModelBusyError,
    RequestError,
)
from p3_rag_chatbot.generating.remote import RemoteModel
from p3_rag_chatbot.settings import Settings

from .asking import pieces_of, question, text_of

pytestmark = pytest.mark.anyio
Write = Callable[[asyncio.StreamWriter], Awaitable[None]]
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"


def chunk(finish: str | None = None, **delta: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


@asynccontextmanager
async def answering(write: Write, **settings: object) -> AsyncIterator[tuple[RemoteModel, list]]:
    """A server that reads a request, writes what it is told to, and hangs up."""
    asked: list[dict] = []
    at_work: set[asyncio.Task | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at_work.add(asyncio.current_task())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        asked.append({"head": head, **json.loads(await reader.readexactly(length))})
        with suppress(ConnectionError, asyncio.CancelledError):
            await write(writer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/v1"
        told = Settings(chat_url=url, chat_model="big", **{"chat_stall_s": 30.0, **settings})
        async with RemoteModel(told) as model:
            yield model, asked
            for task in at_work:
                assert task is not None
                task.cancel()
            await asyncio.gather(*at_work)


def saying(*parts: bytes) -> Write:
    async def write(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return write


async def test_an_answer_is_passed_on_with_its_calls_and_its_usage() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    last = b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n"
    call = {"index": 0, "id": "c1", "function": {"name": "add", "arguments": '{"a"'}}
    more = {"index": 0, "function": {"arguments": ":1}"}}
    said = saying(
        EVENTS, b": a comment\n\n", chunk(role="assistant", content=""), chunk(content="Grü")[:-9],
        chunk(content="Grü")[-9:], chunk(content="ße"), chunk(tool_calls=[call]),
        chunk(tool_calls=[more]), chunk("tool_calls"), last, b"data: [DONE]\n\n",
    )  # fmt: skip
    async with answering(said, chat_api_key="secret") as (model, asked):
        *pieces, end = await pieces_of(model, question(seed=4, adapter="x", rag={"k": 2}))
    assert [piece.text for piece in pieces] == ["Grü", "ße"]
    assert end.finish_reason == "tool_calls"
    assert end.tool_calls[0].function.arguments == '{"a":1}'
    assert end.usage is not None
    assert end.usage.total_tokens == 5
    assert "authorization: bearer secret" in asked[0].pop("head")
    assert asked == [
        {
            "messages": [{"role": "user", "content": "What is the sea?"}],
            "max_tokens": 16, "seed": 4, "model": "big", "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]  # fmt: skip


async def stalls(writer: asyncio.StreamWriter) -> None:
    writer.write(EVENTS + chunk(content="Half "))
    await asyncio.sleep(30)


async def only_comments(writer: asyncio.StreamWriter) -> None:
    writer.write(EVENTS)
    while not writer.is_closing():
        writer.write(b": still here\n\n")
        await writer.drain()
        await asyncio.sleep(0.01)


SHORT = saying(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", chunk(content="Half "))
FAILED = saying(EVENTS, b'data: {"error": {"message": "out of memory"}}\n\n')
OVERFLOW = saying(
    b"HTTP/1.1 400 Bad\r\n\r\n"
    b'{"error": {"message": "it holds 512", "code": "context_length_exceeded"}}'
)
BAD = saying(b'HTTP/1.1 400 Bad\r\n\r\n{"error": {"message": "too long"}}')


@pytest.mark.parametrize(
    ("write", "kind", "words"),
    [
        (stalls, GenerationError, "silent for 0.2 s"),
        (only_comments, GenerationError, "silent for 0.2 s"),
        (saying(), GenerationError, "broke off"),
        (saying(b"\x00\x01garbage\r\n\r\n"), GenerationError, "broke off"),
        (saying(EVENTS), GenerationError, "stopped in the middle"),
        (saying(EVENTS, chunk(content="Half ")), GenerationError, "stopped in the middle"),
        (saying(EVENTS, b"data: {oops\n\n"), GenerationError, "sent no answer"),
        (saying(EVENTS, b"<html>Welcome</html>\n"), GenerationError, "sent no event stream"),
        (saying(EVENTS, b"data: " + b"x" * 1_200_000), GenerationError, "over 1,000,000"),
        (FAILED, GenerationError, "out of memory"),
        (SHORT, GenerationError, "broke off"),
        (BAD, RequestError, "too long"),
        (OVERFLOW, ContextLengthError, "holds 512"),
        (saying(b"HTTP/1.1 429 Busy\r\nretry-after: 9\r\n\r\n"), ModelBusyError, "429"),
        (saying(b'HTTP/1.1 401 No\r\n\r\n{"detail": "no key"}'), GenerationError, "no key"),
        (saying(b"HTTP/1.1 500 Oh\r\n\r\n<h1>Oh</h1>"), GenerationError, "500: <h1>Oh"),
    ],
)
async def test_a_server_that_misbehaves_is_an_error_that_says_how(write, kind, words) -> None:
    is_silent = words.startswith("silent")
    async with answering(write, chat_stall_s=0.2 if is_silent else 30.0) as (model, _):
        with pytest.raises(kind, match=words) as caught:
            await pieces_of(model, question())
    assert isinstance(caught.value, ChatbotError)


async def test_a_server_that_is_not_there_is_an_error() -> None:
    async with RemoteModel(Settings(chat_url="http://127.0.0.1:9/v1")) as model:
        with pytest.raises(GenerationError, match="broke off"):
            await text_of(model, question())


async def test_leaving_hangs_up_on_the_server() -> None:
    gone = asyncio.Event()

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(EVENTS)
        try:
            while True:
                writer.write(chunk(content="on "))
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            gone.set()

    async with answering(write) as (model, _):
        stream = model.stream(question())
        await anext(stream)
        await stream.aclose()
        await asyncio.wait_for(gone.wait(), 10)
