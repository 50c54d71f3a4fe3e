"""A data directory that another embedder indexed: the service answers, says so, and is mended."""

import subprocess
import sys
import textwrap
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import sleep

import httpx2
import numpy as np
import pytest
from p3_rag_chatbot.api import create_app
from p3_rag_chatbot.errors import OtherEmbedderError
from p3_rag_chatbot.fakes import FakeEmbedder, FakeReader
from p3_rag_chatbot.index_command import INTERRUPTED, carry_out_reembed
from p3_rag_chatbot.ingestion.indexing import Indexer
from p3_rag_chatbot.ingestion.loading import RawDocument
from p3_rag_chatbot.ingestion.reembedding import CHUNKS_AT_ONCE, reembed
from p3_rag_chatbot.ingestion.sources import uploads
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.loading import Models
from p3_rag_chatbot.ports import Embedder, Vectors
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings

from tests.support.documents import WordEmbedder, numbered

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


def test_what_comes_and_goes_meanwhile_is_minded(library: Library) -> None:
    class Meanwhile(OtherEmbedder):
        def embed(self, texts: Sequence[str]) -> Vectors:
            if library.hash_of("mine", "two.md") is None:
                index(library, FakeEmbedder(), "two.md")
                library.remove_document(library.documents("mine")[0].id)
            return super().embed(texts)

    assert reembed(library, "mine", Meanwhile()) == 1
    library.create_collection("anew")
    index(library, OtherEmbedder(), "two.md", "anew")
    assert np.array_equal(vectors(library), vectors(library, "anew"))
    assert library.collection("mine").embedder == OtherEmbedder.name


def test_one_that_is_stopped_changes_nothing(library: Library) -> None:
    stop = threading.Event()
    stop.set()
    before = library.revision("mine")
    assert reembed(library, "mine", OtherEmbedder(), stop=stop) == 0
    assert library.revision("mine") == before


class Counting(OtherEmbedder):
    """Counts the texts it embeds, and the vectors of its making that are still there."""

    def __init__(self) -> None:
        self.n_embedded = self.n_alive = self.most_alive = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        made = super().embed(texts)
        self.n_embedded += len(made)
        self.n_alive += len(made)
        self.most_alive = max(self.most_alive, self.n_alive)
        weakref.finalize(made, self._gone, len(made))
        return made

    def _gone(self, n: int) -> None:
        self.n_alive -= n


REEMBED_UNTIL_KILLED = """
    import sys
    from pathlib import Path
    from p3_rag_chatbot.fakes import FakeEmbedder
    from p3_rag_chatbot.ingestion.reembedding import reembed
    from p3_rag_chatbot.library.library import open_library
    from p3_rag_chatbot.settings import Settings
    class Other(FakeEmbedder):
        name = "other-embedder"
    def tell(n_done, n):
        print(n_done, n, flush=True)
        if n_done == int(sys.argv[2]):
            sys.stdin.read()
    with open_library(Settings(data_dir=Path(sys.argv[1]))) as library:
        reembed(library, "laws", Other(), tell=tell)
"""
N_CHUNKS = 1_100


@pytest.mark.slow
def test_one_that_is_killed_goes_on_where_it_was_and_the_old_vectors_answer_until_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_in(tmp_path)
    with open_library(settings) as library:
        library.create_collection("laws")
        library.put_document("laws", numbered("many.txt", 1, n_chunks=N_CHUNKS))
        searcher = Searcher(settings, library, WordEmbedder())
        before = searcher.rank("laws", "word3", 5)
        script = textwrap.dedent(REEMBED_UNTIL_KILLED)
        command = [sys.executable, "-c", script, str(tmp_path), "512"]
        with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as child:
            assert child.stdout is not None
            while child.stdout.readline() != f"512 {N_CHUNKS}\n":
                assert child.poll() is None
            assert searcher.rank("laws", "word3", 5) == before
            child.kill()
        again = Searcher(settings, library, WordEmbedder())
        assert again.rank("laws", "word3", 5) == before
        embedder = Counting()
        assert carry_out_reembed("laws", library, embedder) == 0
        told = capsys.readouterr()
        assert f"laws: goes on, 512 of {N_CHUNKS} chunks are done" in told.err
        assert told.out == f"laws: {N_CHUNKS} chunks embedded by other-embedder\n"
        assert embedder.n_embedded == N_CHUNKS - 512
        assert Searcher(settings, library, embedder).rank("laws", "word3", 5)
        with pytest.raises(OtherEmbedderError):
            again.rank("laws", "word3", 5)


def test_memory_holds_one_batch_of_vectors(library: Library) -> None:
    library.create_collection("laws")
    library.put_document("laws", numbered("many.txt", 1, n_chunks=N_CHUNKS))
    embedder = Counting()
    assert reembed(library, "laws", embedder) == N_CHUNKS
    assert embedder.n_embedded == N_CHUNKS
    assert embedder.most_alive <= 2 * CHUNKS_AT_ONCE  # the last batch, until the next is made
    assert embedder.n_alive <= CHUNKS_AT_ONCE


def test_ctrl_c_ends_the_command_and_keeps_what_was_embedded(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(Counting):
        def embed(self, texts: Sequence[str]) -> Vectors:
            if self.n_embedded:
                raise KeyboardInterrupt
            return super().embed(texts)

    library.create_collection("laws")
    library.put_document("laws", numbered("many.txt", 1, n_chunks=300))
    assert carry_out_reembed("laws", library, Interrupted()) == INTERRUPTED
    said = "interrupted: 256 of 300 chunks are embedded; the same command goes on from there"
    assert said in capsys.readouterr().err
    assert library.collection("laws").embedder != OtherEmbedder.name
    goes_on = Counting()
    assert carry_out_reembed("laws", library, goes_on) == 0
    assert goes_on.n_embedded == 300 - 256
