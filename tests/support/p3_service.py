"""The document chatbot with what a page test needs: known documents, quick models.

The library, the search, the indexing and the embedded generator are the real ones. What embeds and
reads are the product's stand-ins; what writes answers is a server of the OpenAI protocol here: it
says what a test can know, and waits where a test wants it to.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI, Request
from p3_rag_chatbot.api import create_app
from p3_rag_chatbot.fakes import FakeEmbedder, FakeReader
from p3_rag_chatbot.loading import Models
from p3_rag_chatbot.settings import Settings
from starlette.responses import StreamingResponse

from tests.support.browser import Site, served

CELLAR = """# The cellar 🍷

## Barrels

Young wine rests in oak barrels for two winters before it is bottled.

## Temperature

The cellar keeps eleven degrees in every season. A cooler cellar slows the wine.
"""
GARDEN = """# The garden

Roses are pruned in March, when the forsythia blooms. Apples are picked in September.
"""
FILES = (("cellar.md", CELLAR), ("garden.md", GARDEN))
SUPPORTED = "Young wine rests in oak barrels for two winters [1]."
INVENTED = "Dragons guard every bottle against thieves [1]."
SLOW, BROKEN = "slowly", "breaks"
"""Words of a question that make the server wait in its answer, or end in the middle of it."""


@contextmanager
def chat_service(data_dir: Path, *, generator: Path | None = None) -> Iterator[Site]:
    """Serve a chatbot whose collection `house` has two documents, beside an empty one, `attic`.

    `generator` is a file of the embedded one that another service has requantised.
    """
    with served(_writer()) as writer:
        settings = Settings(
            data_dir=data_dir, index_guides=False, collection="house",
            chat_url=f"{writer.url}/v1", chat_model="told", generator_weights=generator,
        )  # fmt: skip
        models = Models(FakeEmbedder(), FakeReader())
        with served(create_app(settings, load=lambda _: models)) as site:
            _fill(site.url)
            yield site


def _fill(url: str) -> None:
    with httpx2.Client(base_url=url, timeout=120) as client:
        for name in ("house", "attic"):
            client.post("/v1/collections", json={"name": name}).raise_for_status()
        files = [("files", (name, text.encode(), "text/markdown")) for name, text in FILES]
        client.post("/v1/collections/house/documents", files=files).raise_for_status()
        # The embedded generator loads beside the start: who asks waits, up to a request's limit.
        asked = (client.post("/v1/inside/next", json={"prompt": "Hello"}) for _ in range(8))
        assert any(answer.is_success for answer in asked)


def _writer() -> FastAPI:
    app = FastAPI()

    @app.post("/v1/chat/completions")
    async def complete(request: Request) -> StreamingResponse:
        asked = (await request.json())["messages"][-1]["content"]
        return StreamingResponse(_words(asked), media_type="text/event-stream")

    return app


async def _words(asked: str) -> AsyncIterator[str]:
    said = f"{SUPPORTED} {INVENTED}" if "<passage" in asked else "I made this up, freely."
    for word in said.split(" "):
        yield _chunk({"content": f"{word} "})
        if SLOW in asked:
            await asyncio.Event().wait()  # until the one who asked hangs up
        if BROKEN in asked:
            return
    yield _chunk({}, finish="stop")
    yield "data: [DONE]\n\n"


def _chunk(delta: dict[str, Any], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'choices': [choice]})}\n\n"
