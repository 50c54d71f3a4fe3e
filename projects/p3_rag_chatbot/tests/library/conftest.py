"""The same library tests over SQLite and a real PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.settings import Settings
from pydantic import SecretStr

from tests.support.postgres import fresh_database, running_postgres


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings with a fresh database."""
    if request.param == "sqlite":
        return Settings(data_dir=tmp_path / "data")
    url = fresh_database(request.getfixturevalue("postgres"))
    return Settings(data_dir=tmp_path / "data", database_url=SecretStr(url))


@pytest.fixture
def opened(settings: Settings) -> Iterator[Callable[[], Library]]:
    """Opens the library as another process would, each time it is called."""
    libraries: list[Library] = []

    def once_more() -> Library:
        libraries.append(open_library(settings))
        return libraries[-1]

    yield once_more
    for library in libraries:
        library.close()


@pytest.fixture
def library(opened: Callable[[], Library]) -> Library:
    return opened()
