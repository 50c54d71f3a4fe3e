"""A library with a searcher over it, of an embedder that counts words."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings

from tests.support.documents import WordEmbedder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", collection="laws")


@pytest.fixture
def library(settings: Settings) -> Iterator[Library]:
    with open_library(settings) as library:
        library.create_collection("laws")
        yield library


@pytest.fixture
def searching(settings: Settings, library: Library) -> Callable[..., Searcher]:
    """Makes a searcher as another process would, with settings changed."""

    def made(**changed: object) -> Searcher:
        chosen = settings.model_copy(update=changed)
        return Searcher(chosen, library, WordEmbedder())

    return made


@pytest.fixture
def searcher(searching: Callable[..., Searcher]) -> Searcher:
    return searching()
