"""No room for what is uploaded: said clearly, what is there is searched, and room mends it.

SQLite itself refuses to grow, with the very error of a full disk: a limit on its pages, which is
never below those that it has.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import httpx2
import pytest
from common.store import StoreFullError
from p3_rag_chatbot.api import create_app
from p3_rag_chatbot.fakes import FakeEmbedder, FakeReader
from p3_rag_chatbot.index_command import carry_out_index
from p3_rag_chatbot.library.library import open_library
from p3_rag_chatbot.loading import Models
from p3_rag_chatbot.settings import Settings
from sqlalchemy import event
from sqlalchemy.pool import Pool

from .served import served

MOST_PAGES = 2**32 - 2
LINES = "".join(f"Line {k} tells of nothing much.\n\n" for k in range(2_000))


@dataclass
class Disk:
    is_full: bool = False

    def limit(self, connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={1 if self.is_full else MOST_PAGES}")


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    event.listen(Pool, "checkout", disk.limit)
    yield disk
    event.remove(Pool, "checkout", disk.limit)


@pytest.fixture
def client(tmp_path: Path, disk: Disk) -> Iterator[httpx2.Client]:
    settings = Settings(data_dir=tmp_path, index_guides=False)
    app = create_app(settings, load=lambda _: Models(FakeEmbedder(), FakeReader()))
    with served(app) as url, httpx2.Client(base_url=url, timeout=60) as client:
        while client.get("/readyz").status_code != 200:
            sleep(0.02)
        client.post("/v1/collections", json={"name": "mine"}).raise_for_status()
        upload(client, "first.md", "The notice period is three months.").raise_for_status()
        yield client


def upload(client: httpx2.Client, name: str, text: str, accept: str = "*/*") -> httpx2.Response:
    files = {"files": (name, text.encode())}
    path = "/v1/collections/mine/documents"
    return client.post(path, files=files, headers={"Accept": accept})


def found(client: httpx2.Client, query: str) -> list[str]:
    asked = {"query": query, "collection": "mine"}
    hits = client.post("/v1/search", json=asked).raise_for_status().json()["hits"]
    return [one["passage"]["source"] for one in hits]


def test_an_upload_is_refused_the_index_answers_and_room_mends_it(
    client: httpx2.Client, disk: Disk
) -> None:
    disk.is_full = True
    for name in ("second.md", "first.md"):  # the latter is there, and stays
        refused = upload(client, name, LINES)
        assert refused.status_code == 507
        assert refused.json()["type"] == "/problems/disk-full"
        assert refused.json()["detail"].endswith("disk is full; free some space")
    streamed = upload(client, "second.md", LINES, "text/event-stream").text
    kind, data = streamed.strip().split("\ndata: ")
    assert (kind, json.loads(data)["type"]) == ("event: error", "/problems/disk-full")
    assert found(client, "notice period") == ["first.md"]
    disk.is_full = False
    assert upload(client, "second.md", LINES).json()["n_indexed"] == 1
    assert found(client, "notice period")[0] == "first.md"
    assert "second.md" in found(client, "line tells nothing")


def test_the_command_ends_with_one_line(tmp_path: Path, disk: Disk) -> None:
    """`DomainError`s are told so, with exit code 2, by every command."""
    (tmp_path / "a.txt").write_text("First.")
    (tmp_path / "b.txt").write_text(LINES)
    settings = Settings(data_dir=tmp_path)
    with open_library(settings) as library:
        library.create_collection("mine")
        disk.is_full = True
        with pytest.raises(StoreFullError) as told:
            carry_out_index(
                [str(tmp_path / "b.txt")],
                collection="mine",
                is_forced=False,
                library=library,
                embedder=FakeEmbedder(),
                settings=settings,
            )
        assert "\n" not in str(told.value)
        assert not library.documents("mine")
