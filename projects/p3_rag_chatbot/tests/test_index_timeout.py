"""Uploads that take longer than a question: bound by their own limit, whole documents or none."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import httpx2
import pytest
from p3_rag_chatbot.api import create_app
from p3_rag_chatbot.fakes import FakeEmbedder, FakeReader
from p3_rag_chatbot.library.library import open_library
from p3_rag_chatbot.loading import Models
from p3_rag_chatbot.ports import Embedder, Vectors
from p3_rag_chatbot.settings import Settings

from .served import served

FILES = [("files", (f"{name}.txt", f"{name} keep bees.".encode())) for name in ("Ann", "Bob", "Cy")]
DOCUMENTS = "/v1/collections/mine/documents"


class Held(FakeEmbedder):
    """Embeds what tells of Bob only once it may."""

    def __init__(self) -> None:
        self.may = threading.Event()

    def embed(self, texts: Sequence[str]) -> Vectors:
        if any("Bob" in text for text in texts):
            self.may.wait()
        return super().embed(texts)


class Slow(FakeEmbedder):
    def embed(self, texts: Sequence[str]) -> Vectors:
        threading.Event().wait(1.0)
        return super().embed(texts)


@contextmanager
def service(settings: Settings, embedder: Embedder) -> Iterator[httpx2.Client]:
    with open_library(settings) as library:
        library.create_collection("mine")
    app = create_app(settings, load=lambda _: Models(embedder, FakeReader()))
    with served(app) as url, httpx2.Client(base_url=url, timeout=60) as client:
        while client.get("/readyz").status_code != 200:
            sleep(0.02)
        yield client


@pytest.mark.slow
def test_an_upload_over_its_limit_leaves_whole_documents_and_the_same_one_goes_on(
    tmp_path: Path,
) -> None:
    settings = Settings(data_dir=tmp_path, index_guides=False, index_timeout_s=1.0)
    embedder = Held()
    with service(settings, embedder) as client:
        refused = client.post(DOCUMENTS, files=FILES)
        assert refused.status_code == 503
        assert refused.json()["type"] == "/problems/timeout"
        assert "within 1 s (P3_INDEX_TIMEOUT_S)" in refused.json()["detail"]
        assert "the same request goes on" in refused.json()["detail"]
        kept = client.get(DOCUMENTS).json()["documents"]
        assert {one["source"] for one in kept} <= {"Ann.txt"}
        embedder.may.set()
        answers = (client.post(DOCUMENTS, files=FILES) for _ in range(60))  # were this machine busy
        report = next(one for one in answers if one.status_code == 200).json()
        assert report["is_complete"]
        assert report["n_indexed"] + report["n_unchanged"] == len(FILES)
        kept = client.get(DOCUMENTS).json()["documents"]
        assert [one["n_chunks"] for one in kept] == [1, 1, 1]
        asked = {"query": "bees", "collection": "mine"}
        hits = client.post("/v1/search", json=asked).raise_for_status().json()["hits"]
        assert {one["passage"]["source"] for one in hits} == {one["source"] for one in kept}


@pytest.mark.slow
def test_uploads_that_wait_for_their_turn_keep_no_search_from_its_answer(tmp_path: Path) -> None:
    embedder = Held()
    settings = Settings(data_dir=tmp_path, index_guides=False)
    n = 48  # more than there are threads for blocking work
    with service(settings, embedder) as client, ThreadPoolExecutor(n) as people:
        try:
            uploads = [people.submit(client.post, DOCUMENTS, files=FILES) for _ in range(n)]
            for _ in range(50):
                asked = {"query": "bees", "collection": "mine"}
                assert client.post("/v1/search", json=asked, timeout=20).status_code == 200
        finally:
            embedder.may.set()
        reports = [one.result().raise_for_status().json() for one in uploads]
    assert sum(one["n_indexed"] for one in reports) == len(FILES)


@pytest.mark.slow
def test_an_upload_may_take_longer_than_a_question(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, index_guides=False, request_timeout_s=0.5)
    with service(settings, Slow()) as client:
        report = client.post(DOCUMENTS, files=FILES).raise_for_status().json()
        assert report["n_indexed"] == len(FILES)
