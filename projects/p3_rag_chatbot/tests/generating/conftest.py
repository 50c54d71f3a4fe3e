"""What tests of the generator share: one data directory, one model, one event loop for both.

One thread: on a shared machine two wait for each other longer than they work.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from p3_rag_chatbot.generating.engine import EmbeddedModel
from p3_rag_chatbot.generating.generator_weights import generator_weights
from p3_rag_chatbot.settings import Settings


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("p3")
    generator_weights(Settings(data_dir=folder))
    return folder


@pytest.fixture(scope="module")
async def model(data_dir: Path) -> AsyncIterator[EmbeddedModel]:
    settings = Settings(
        data_dir=data_dir, n_threads=1, max_chats=4, max_queued_chats=2, context_tokens=512
    )
    async with EmbeddedModel(settings) as model:
        yield model
