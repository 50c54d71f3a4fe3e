"""Wherever vectors are searched, what is put, replaced, removed and filtered is what is found."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from p3_rag_chatbot.contracts import SearchRequest
from p3_rag_chatbot.errors import CollectionIndexError
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings
from pydantic import SecretStr

from tests.support.documents import WordEmbedder, document, numbered, vector_of
from tests.support.pinecone import KEY, running_pinecone
from tests.support.postgres import fresh_database, running_postgres

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*:DeprecationWarning:(pinecone|langchain_pinecone|qdrant_client)"
)
STORES = [
    "faiss",
    "qdrant",
    pytest.param("pgvector", marks=pytest.mark.slow),
    pytest.param("pinecone", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture(params=STORES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings with an empty store of each kind."""
    of = {"data_dir": tmp_path / "data", "collection": "laws", "vector_store": request.param}
    if request.param == "pgvector":
        url = fresh_database(request.getfixturevalue("postgres"))
        yield Settings(**of, vector_store_url=SecretStr(url))
    elif request.param == "pinecone":
        with running_pinecone() as url:
            key = SecretStr(KEY)
            yield Settings(**of, vector_store_url=SecretStr(url), vector_store_key=key)
    else:
        yield Settings(**of, vector_store_url=SecretStr(str(tmp_path / "vectors")))


@pytest.fixture
def library(settings: Settings) -> Iterator[Library]:
    with open_library(settings) as library:
        library.create_collection("laws")
        yield library


@pytest.fixture
def searcher(settings: Settings, library: Library) -> Searcher:
    return Searcher(settings, library, WordEmbedder())


def exact(library: Library, query: str, k: int) -> list[float]:
    """The cosines of the nearest passages, by comparing all that the library holds."""
    with library.view("laws") as view:
        ids = [chunk.id for _, chunks in view.read(list(view.documents)) for chunk in chunks]
        cosines = view.vectors(ids) @ vector_of(query)
    return sorted(map(float, cosines), reverse=True)[:k]


def cosines(library: Library, searcher: Searcher, query: str, k: int) -> list[float]:
    ids = searcher.rank("laws", query, k, way="dense")
    return [float(one @ vector_of(query)) for one in library.vectors([int(i) for i in ids])]


def found(searcher: Searcher, query: str, **filters: str | tuple[str, ...]) -> list[str]:
    answer = searcher.search(SearchRequest(query=query, filters=filters))
    return [hit.passage.text.strip() for hit in answer.hits]


def test_a_search_by_meaning_is_the_exact_ranking(library: Library, searcher: Searcher) -> None:
    for k in range(6):
        library.put_document("laws", numbered(f"{k}.txt", k, n_chunks=40))
    for query in ("word3 word5", "word11", "word1 word2 word3"):
        ranked = cosines(library, searcher, query, 20)
        assert ranked == pytest.approx(exact(library, query, 20), abs=1e-3)


def test_what_is_replaced_and_removed_is_found_no_more(
    library: Library, searcher: Searcher
) -> None:
    put = library.put_document("laws", document("a.txt", "Notice is one month."))
    library.put_document("laws", document("b.txt", "Cats sleep."))
    assert found(searcher, "notice month")[0] == "Notice is one month."
    library.put_document("laws", document("a.txt", "Notice is two months."))
    assert sorted(found(searcher, "notice month")) == ["Cats sleep.", "Notice is two months."]
    library.remove_document(put.id)
    assert found(searcher, "notice month") == ["Cats sleep."]
    assert len(searcher.rank("laws", "notice", 9, way="dense")) == 1


def test_filters_are_applied_before_the_search(library: Library, searcher: Searcher) -> None:
    crowd = " ".join(f"Notice month {k}." for k in range(300))
    library.put_document("laws", document("crowd.txt", crowd, metadata={"year": "2020"}))
    alone = {"year": "2026", "written-by": "Ada"}
    library.put_document("laws", document("alone.txt", "Frogs jump.", metadata=alone))
    assert found(searcher, "notice month", year="2026") == ["Frogs jump."]
    assert found(searcher, "notice", **{"year": ("2025", "2026"), "written-by": "Ada"}) == [
        "Frogs jump."
    ]
    assert found(searcher, "notice", year="2026", source="crowd.txt") == []
    assert found(searcher, "notice", year="1999") == []


def test_collections_do_not_mix(library: Library, searcher: Searcher) -> None:
    library.create_collection("others")
    library.put_document("laws", document("a.txt", "Notice is one month."))
    library.put_document("others", document("a.txt", "Notice is theirs."))
    assert found(searcher, "notice") == ["Notice is one month."]
    assert len(searcher.rank("others", "notice", 9, way="dense")) == 1
    library.delete_collection("laws")
    searcher.forget("laws")
    assert library.placed("laws") == []
    assert len(searcher.rank("others", "notice", 9, way="dense")) == 1


def test_a_second_searcher_places_nothing_twice(
    settings: Settings, library: Library, searcher: Searcher
) -> None:
    if settings.vector_store == "qdrant":
        pytest.skip("an embedded Qdrant folder belongs to one process")
    library.put_document("laws", document("a.txt", "Notice is one month. Cats sleep."))
    searcher.warm("laws")
    again = Searcher(settings, library, WordEmbedder())
    assert len(again.rank("laws", "notice", 9, way="dense")) == 2


def test_a_store_that_is_away_is_told(tmp_path: Path) -> None:
    for kind, url in (
        ("pgvector", "postgresql://nobody@127.0.0.1:1/none"),
        ("qdrant", "http://127.0.0.1:1"),
        ("pinecone", "http://127.0.0.1:1"),
    ):
        chosen = Settings(
            data_dir=tmp_path / kind,
            collection="laws",
            vector_store=kind,
            vector_store_url=SecretStr(url),
        )
        with open_library(chosen) as library:
            library.create_collection("laws")
            library.put_document("laws", document("a.txt", "One."))
            with pytest.raises(CollectionIndexError, match=f"{kind} failed: .*P3_VECTOR_STORE_URL"):
                Searcher(chosen, library, WordEmbedder()).warm("laws")


def test_a_store_without_an_address_is_refused(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path, vector_store="pgvector")
    with (
        open_library(chosen) as library,
        pytest.raises(CollectionIndexError, match="pgvector needs an address"),
    ):
        Searcher(chosen, library, WordEmbedder())
