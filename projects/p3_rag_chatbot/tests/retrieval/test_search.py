"""What is asked is found, follows what changes, and survives what breaks."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from p3_rag_chatbot.contracts import SearchAnswer, SearchRequest
from p3_rag_chatbot.errors import CollectionIndexError, UnknownCollectionError
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings

from tests.support.documents import document, numbered, vector_of

ROOT = Path(__file__).parents[4]


def found(searcher: Searcher, query: str, **more: object) -> list[str]:
    return [hit.passage.text.strip() for hit in ask(searcher, query, **more).hits]


def ask(searcher: Searcher, query: str, **more: object) -> SearchAnswer:
    return searcher.search(SearchRequest.model_validate({"query": query, **more}))


def folders(settings: Settings) -> list[str]:
    places = (settings.data_dir / "p3-indices").rglob("segment.json")
    return sorted(path.parent.name for path in places)


def test_a_passage_says_why_it_stands_where_it_does(library: Library, searcher: Searcher) -> None:
    put = library.put_document("laws", document("a.txt", "Notice is one month. Cats sleep."))
    answer = ask(searcher, "How long is the notice?")
    first = answer.hits[0]
    assert (first.passage.text, first.passage.document_id) == ("Notice is one month.", put.id)
    assert (first.rank, first.scores.reranked) == (1, None)
    assert first.scores.bm25 is not None
    assert first.scores.dense == pytest.approx(
        float(vector_of(first.passage.text) @ vector_of("How long is the notice?")), abs=1e-3
    )
    assert first.scores.fused == 1.0


def test_an_empty_collection_answers_with_nothing(searcher: Searcher) -> None:
    assert found(searcher, "anything") == []


def test_a_search_sees_every_change_at_once_here_and_in_another_process(
    library: Library, searching: Callable[..., Searcher]
) -> None:
    one, other = searching(), searching()
    put = library.put_document("laws", document("a.txt", "Notice is one month."))
    assert found(one, "notice")[:1] == found(other, "notice")[:1] == ["Notice is one month."]
    library.put_document("laws", document("a.txt", "Notice is two months."))
    assert found(one, "notice") == found(other, "notice") == ["Notice is two months."]
    library.remove_document(put.id)
    assert found(one, "notice") == found(other, "notice") == []


def test_an_index_grown_in_many_steps_ranks_as_one_built_at_once(
    library: Library, searching: Callable[..., Searcher]
) -> None:
    grown = searching(data_dir=searching()._settings.data_dir / "elsewhere")
    for k in range(30):
        library.put_document("laws", numbered(f"{k % 20}.txt", k, n_chunks=1 + k % 5))
        if k % 7 == 3:
            library.remove_document(library.documents("laws")[0].id)
        grown.warm("laws")
    anew = searching()
    for query in ("word3 word5", "word11", "word1 word2 word3"):
        for way in ("bm25", "dense", "hybrid"):
            expected = anew.rank("laws", query, 20, way=way)
            assert grown.rank("laws", query, 20, way=way) == expected
    sizes = [part.n_alive for part in grown._indices["laws"].parts]
    assert all(a > 2 * sum(sizes[k + 1 :]) for k, a in enumerate(sizes[:-1]))


@pytest.mark.parametrize("exact_up_to", [50_000, 100])
def test_filters_decide_before_the_search(
    library: Library, searching: Callable[..., Searcher], exact_up_to: int
) -> None:
    """The only document that fits the filter fits the question least of hundreds."""
    searcher = searching(exact_up_to=exact_up_to)
    crowd = " ".join(f"Notice month {k} word{k}." for k in range(400))
    library.put_document("laws", document("crowd.txt", crowd, metadata={"year": "2020"}))
    alone = document("alone.txt", "Frogs jump. Toads crawl.", metadata={"year": "2026", "by": "x"})
    library.put_document("laws", alone)
    wanted = ["Frogs jump.", "Toads crawl."]
    for filters in (
        {"year": "2026"},
        {"year": ("2026", "2027"), "by": "x"},
        {"source": "alone.txt"},
    ):
        assert sorted(found(searcher, "notice month", filters=filters)) == wanted
    assert found(searcher, "frogs", filters={"year": "2026", "by": "y"}) == []


def test_near_duplicates_leave_room_for_others(library: Library, searcher: Searcher) -> None:
    same = "The period of notice is one month from the day after the letter came " * 3
    for k in range(60):
        library.put_document("laws", document(f"copy{k:02}.txt", f"{same}{k}."))
    library.put_document("laws", document("other.txt", "A letter came late."))
    hits = found(searcher, "When does the period of notice begin after a letter came?", k=5)
    assert len(hits) == 2
    assert "A letter came late." in hits


def test_diversity_puts_what_is_unlike_the_first_second(
    library: Library, searcher: Searcher
) -> None:
    text = "Notice is one month. Notice is one long month. Notice needs paper."
    library.put_document("laws", document("a.txt", text))
    near = found(searcher, "Notice is one month", k=2)
    apart = found(searcher, "Notice is one month", k=2, diversity=0.8)
    assert near == ["Notice is one month.", "Notice is one long month."]
    assert apart == ["Notice is one month.", "Notice needs paper."]


class Backwards:
    """A reranker that likes what is short."""

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        return [-float(len(passage)) for passage in passages]


def test_a_reranker_has_the_last_word_unless_it_is_not_asked(
    library: Library, searcher: Searcher, settings: Settings
) -> None:
    library.put_document("laws", document("a.txt", "Notice is one month, in writing. Notice."))
    reranking = Searcher(settings, library, searcher._embedder, reranker=Backwards())
    assert found(reranking, "notice writing")[0] == "Notice."
    assert ask(reranking, "notice").hits[0].scores.reranked == -8.0
    assert found(reranking, "notice writing", rerank=False)[0].startswith("Notice is")


def test_a_caller_searches_what_it_may_see(library: Library, searcher: Searcher) -> None:
    library.create_collection("mine", key_digests=["a" * 64])
    library.put_document("mine", document("a.txt", "Secret."))
    request = SearchRequest(query="secret", collection="mine")
    assert searcher.search(request, library=library.visible_to("a" * 64)).hits
    with pytest.raises(UnknownCollectionError):
        searcher.search(request, library=library.visible_to(None))


def test_questions_of_another_model_are_refused(library: Library, searcher: Searcher) -> None:
    library.put_document("laws", document("a.txt", "One.", embedder="other-1"))
    with pytest.raises(CollectionIndexError, match=r"other-1.*words-32.*anew"):
        ask(searcher, "one")


@pytest.mark.slow
def test_a_large_index_is_saved_and_found_again_and_built_anew_when_damaged(
    library: Library, searching: Callable[..., Searcher], settings: Settings
) -> None:
    library.put_document("laws", numbered("many.txt", 1, n_chunks=2_500))
    expected = {q: searching().rank("laws", q, 10) for q in ("word3 word5", "word11")}
    (saved,) = folders(settings)
    assert {q: searching().rank("laws", q, 10) for q in expected} == expected
    assert folders(settings) == [saved]
    for name in ("vectors.faiss", "rows.npy", "segment.json"):
        (damaged,) = (settings.data_dir / "p3-indices").rglob(name)
        damaged.write_bytes(damaged.read_bytes()[:300])
        assert {q: searching().rank("laws", q, 10) for q in expected} == expected
        assert folders(settings) != [saved], "it was built anew"
    library.delete_collection("laws")
    searching().forget("laws")
    assert folders(settings) == []


@pytest.mark.slow
def test_cells_find_what_an_exact_search_finds(
    library: Library, searching: Callable[..., Searcher]
) -> None:
    for k in range(4):
        library.put_document("laws", numbered(f"{k}.txt", k, n_chunks=1_000))
    queries = [f"word{k} word{k + 7} word{2 * k}" for k in range(20)]
    exact, cells = searching(), searching(exact_up_to=500)
    shared = [
        len({*exact.rank("laws", q, 10, way="dense")} & {*cells.rank("laws", q, 10, way="dense")})
        for q in queries
    ]
    assert np.mean(shared) >= 8


SEARCH = """
    import resource, sys
    import structlog
    from p3_rag_chatbot.library.library import open_library
    from p3_rag_chatbot.retrieval.search import Searcher
    from p3_rag_chatbot.settings import Settings
    from tests.support.documents import WordEmbedder
    settings = Settings.model_validate_json(sys.stdin.readline())
    with open_library(settings) as library:
        print("begin", flush=True)
        limit = int(sys.argv[1])
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        found = Searcher(settings, library, WordEmbedder()).rank("laws", "word3", 5)
        print(len(found), flush=True)
"""


def child(settings: Settings, limit: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", textwrap.dedent(SEARCH), str(limit)]
    process = subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd=ROOT)
    assert process.stdin is not None
    shown = {"data_dir": str(settings.data_dir), "collection": "laws"}
    process.stdin.write(json.dumps(shown) + "\n")
    process.stdin.flush()
    return process


@pytest.mark.slow
def test_a_full_disk_leaves_the_saved_index_as_it_was_and_the_search_answers(
    library: Library, searching: Callable[..., Searcher], settings: Settings
) -> None:
    library.put_document("laws", numbered("many.txt", 1, n_chunks=2_500))
    searching().warm("laws")
    before = folders(settings)
    library.put_document("laws", numbered("more.txt", 2, n_chunks=2_400))
    with child(settings, 50_000) as process:
        said, _ = process.communicate(timeout=120)
    assert "index_not_saved" in said
    assert "File too large" in said
    assert said.splitlines()[-1] == "5"
    assert folders(settings) == before


@pytest.mark.slow
def test_a_kill_while_an_index_is_written_leaves_the_last_good_one(
    library: Library, searching: Callable[..., Searcher], settings: Settings
) -> None:
    library.put_document("laws", numbered("many.txt", 1, n_chunks=2_500))
    searching().warm("laws")
    before = folders(settings)
    library.put_document("laws", numbered("more.txt", 2, n_chunks=6_000))
    root = settings.data_dir / "p3-indices"
    with child(settings, 0) as process:
        while not list(root.rglob(".*/chunk_ids.npy")) and process.poll() is None:
            pass
        process.kill()
    unfinished = [path.parent.name for path in root.rglob(".*/chunk_ids.npy")]
    assert unfinished, "it was killed in the middle"
    assert set(before) <= set(folders(settings))
    again = searching()
    assert len(again.rank("laws", "word3", 5)) == 5
    assert not [path for path in root.rglob(".*") if path.is_dir()], "what was left is gone"
