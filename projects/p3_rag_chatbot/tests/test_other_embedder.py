"""A data directory that another embedder indexed: the service answers, says so, and is mended."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import sleep

import httpx2
import numpy as np
import pytest
from p3_rag_chatbot.api import create_app
from p3_rag_chatbot.errors import CollectionIndexError
from p3_rag_chatbot.fakes import FakeEmbedder, FakeReader
from p3_rag_chatbot.index_command import carry_out_reembed
from p3_rag_chatbot.ingestion.indexing import Indexer
from p3_rag_chatbot.ingestion.loading import RawDocument
from p3_rag_chatbot.ingestion.reembedding import reembed
from p3_rag_chatbot.ingestion.sources import uploads
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.loading import Models
from p3_rag_chatbot.ports import Embedder, Vectors
from p3_rag_chatbot.settings import Settings

from .served import served

LEASE = "# Lease\n\n## Notice\n\nThe notice period is three months.\n"
MEND = "p3-rag-chatbot reembed --collection mine"


class OtherEmbedder(FakeEmbedder):
    """Puts words elsewhere: its vectors mean nothing to the first one's."""

    name = "other-embedder"

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.roll(super().embed([text[::-1] for text in texts]), 7, axis=1)


def settings_in(folder: Path, *, index_guides: bool = True) -> Settings:
    return Settings(data_dir=folder, index_guides=index_guides)


@contextmanager
def service(folder: Path, embedder: Embedder) -> Iterator[httpx2.Client]:
    app = create_app(settings_in(folder), load=lambda _: Models(embedder, FakeReader()))
    with served(app) as url, httpx2.Client(base_url=url, timeout=60) as client:
        while "being loaded" in (said := client.get("/readyz").text):
            sleep(0.02)
        assert client.get("/readyz").status_code == 200, said
        yield client


def ask(client: httpx2.Client, collection: str) -> httpx2.Response:
    messages = [{"role": "user", "content": "What is the notice period?"}]
    body = {"model": "rag", "messages": messages, "rag": {"collection": collection}}
    return client.post("/v1/chat/completions", json=body)


def search(client: httpx2.Client, collection: str) -> httpx2.Response:
    return client.post("/v1/search", json={"query": "notice period", "collection": collection})


def upload(client: httpx2.Client, name: str) -> httpx2.Response:
    files = {"files": (name, LEASE.encode())}
    return client.post("/v1/collections/mine/documents", files=files)


def troubles(client: httpx2.Client) -> dict[str, str]:
    return {one["name"]: one["trouble"] for one in client.get("/v1/collections").json()}


@pytest.mark.slow
def test_the_service_answers_keeps_its_guides_and_says_how_a_collection_is_mended(
    tmp_path: Path,
) -> None:
    with service(tmp_path, FakeEmbedder()) as client:
        client.post("/v1/collections", json={"name": "mine"}).raise_for_status()
        upload(client, "lease.md").raise_for_status()
        while search(client, "guides").status_code != 200:
            sleep(0.02)  # until they are indexed
        assert not any(troubles(client).values())
    with service(tmp_path, OtherEmbedder()) as client:
        while troubles(client)["guides"]:
            sleep(0.02)  # until the service has embedded them anew
        assert search(client, "guides").json()["hits"]
        for answer in (search(client, "mine"), ask(client, "mine"), upload(client, "two.md")):
            assert answer.status_code == 409
            assert answer.json()["type"] == "/problems/other-embedder"
            assert MEND in answer.json()["detail"]
        assert MEND in troubles(client)["mine"]
        kept = client.get("/v1/collections/mine/documents").json()["documents"]
        assert [one["source"] for one in kept] == ["lease.md"]
        with open_library(settings_in(tmp_path)) as library:  # as the command, in its own process
            carry_out_reembed("mine", library, OtherEmbedder())
        assert search(client, "mine").json()["hits"]
        assert ask(client, "mine").json()["rag"]["verdict"] == "answered"
        assert not any(troubles(client).values())


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(settings_in(tmp_path)) as library:
        library.create_collection("mine")
        index(library, FakeEmbedder(), "lease.md")
        yield library


def index(library: Library, embedder: Embedder, name: str, collection: str = "mine") -> None:
    with closing(Indexer(library, embedder, Settings())) as indexer:
        indexer.index(collection, uploads([RawDocument(name, LEASE.encode())], Settings()))


def vectors(library: Library, collection: str = "mine") -> Vectors:
    with library.view(collection) as view:
        return library.vectors([chunk for chunk, _ in view.chunks()])


def test_the_vectors_are_those_that_indexing_anew_would_make(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    library.create_collection("anew")
    index(library, OtherEmbedder(), "lease.md", "anew")
    carry_out_reembed("mine", library, OtherEmbedder())
    assert np.array_equal(vectors(library), vectors(library, "anew"))
    assert library.collection("mine").embedder == OtherEmbedder.name
    carry_out_reembed("mine", library, OtherEmbedder())
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "mine: 1 chunks embedded by other-embedder"
    assert told[1].startswith("mine: nothing to do")


def test_a_collection_that_is_changed_meanwhile_stays_as_it_is(library: Library) -> None:
    class Meanwhile(OtherEmbedder):
        def embed(self, texts: Sequence[str]) -> Vectors:
            index(library, FakeEmbedder(), "two.md")
            return super().embed(texts)

    with pytest.raises(CollectionIndexError, match="changed while it was embedded anew"):
        reembed(library, "mine", Meanwhile())
    kept = library.collection("mine")
    assert (kept.embedder, kept.n_documents) == (FakeEmbedder.name, 2)
    index(library, FakeEmbedder(), "three.md")


def test_one_that_is_stopped_changes_nothing(library: Library) -> None:
    stop = threading.Event()
    stop.set()
    before = library.revision("mine")
    assert reembed(library, "mine", OtherEmbedder(), stop=stop) == 0
    assert library.revision("mine") == before
