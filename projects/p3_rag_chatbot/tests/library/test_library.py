"""What is put into the library is kept whole, seen by every process, shown to who may see it."""

import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from p3_rag_chatbot.contracts import Feedback
from p3_rag_chatbot.errors import (
    CollectionExistsError,
    CollectionIndexError,
    RequestError,
    UnknownCollectionError,
    UnknownDocumentError,
)
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.settings import Settings

from tests.support.documents import EMBEDDER, Place, document, vector_of

ROOT = Path(__file__).parents[4]
MINE, THEIRS = "a" * 64, "b" * 64


def chunk_ids(library: Library, collection: str) -> list[int]:
    with library.view(collection) as view:
        return [chunk.id for _, chunks in view.read(list(view.documents)) for chunk in chunks]


def test_a_document_comes_back_as_it_was_put(library: Library) -> None:
    library.create_collection("laws", description="What holds.")
    text = "Notice is one month. A year is twelve months."
    places = [Place(0, 20, ("Terms", "Notice"), 1), Place(21, 45, ("Terms",), 2)]
    vectors = np.array([vector_of(text[one.start : one.end]) for one in places])
    put = library.put_document(
        "laws",
        document(
            "terms.pdf",
            text,
            title="Terms of service",
            chunks=places,
            vectors=vectors,
            metadata={"year": "2026"},
            notes=["page 3 is scanned"],
            n_pages=3,
        ),
    )
    assert library.document(put.id) == put
    assert library.documents("laws") == [put]
    assert (put.title, put.n_chunks, put.n_pages) == ("Terms of service", 2, 3)
    assert (put.metadata, put.notes) == ({"year": "2026"}, ("page 3 is scanned",))
    assert library.document_text(put.id) == text
    assert library.hash_of("laws", "terms.pdf") == put.sha256
    first, second = library.passages([str(one) for one in chunk_ids(library, "laws")])
    assert first.text == "Notice is one month."
    assert second.text == text[second.start : second.end]
    assert (first.headings, first.page, second.page) == (("Terms", "Notice"), 1, 2)
    (collection,) = library.collections()
    assert (collection.n_documents, collection.n_chunks) == (1, 2)
    assert (collection.embedder, collection.description) == (EMBEDDER, "What holds.")


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(st.text(st.characters(), min_size=3, max_size=40), st.data())
def test_a_passage_is_the_slice_of_its_text_in_every_script(
    library: Library, text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    place = Place(start, data.draw(st.integers(start + 1, len(text))))
    if not library.collections():
        library.create_collection("any")
    chunked = document("x", text, chunks=[place], vectors=np.ones((1, 4), dtype=np.float32))
    put = library.put_document("any", chunked)
    (passage,) = library.passages([str(one) for one in chunk_ids(library, "any")])
    kept = library.document_text(put.id)
    assert len(kept) == len(text)
    assert passage.text == kept[place.start : place.end]


def test_a_document_replaces_the_one_of_its_source_and_keeps_its_id(library: Library) -> None:
    library.create_collection("laws")
    before = library.put_document("laws", document("a.txt", "One. Two. Three."))
    old = chunk_ids(library, "laws")
    after = library.put_document("laws", document("a.txt", "Four."))
    assert after.id == before.id
    assert library.document_text(after.id) == "Four."
    assert library.passages([str(one) for one in old]) == []
    assert not set(chunk_ids(library, "laws")) & set(old)


def test_what_is_removed_is_gone(library: Library) -> None:
    library.create_collection("laws")
    put = library.put_document("laws", document("a.txt", "One. Two."))
    ids = [str(one) for one in chunk_ids(library, "laws")]
    library.remove_document(put.id)
    with pytest.raises(UnknownDocumentError):
        library.document(put.id)
    with pytest.raises(UnknownDocumentError):
        library.remove_document(put.id)
    assert library.passages(ids) == []
    library.put_document("laws", document("b.txt", "Three."))
    library.delete_collection("laws")
    with pytest.raises(UnknownCollectionError):
        library.documents("laws")
    library.create_collection("laws")
    assert library.documents("laws") == []


def test_a_view_tells_by_revisions_what_an_index_lacks(library: Library) -> None:
    library.create_collection("laws")
    for name in ("kept", "changed", "removed"):
        library.put_document("laws", document(name, f"Of {name}."))
    with library.view("laws") as view:
        known, seen = view.documents, view.revision
    assert library.revision("laws") == seen
    library.put_document("laws", document("changed", "Otherwise."))
    library.put_document("laws", document("new", "Of new."))
    ids = {one.source: one.id for one in library.documents("laws")}
    library.remove_document(ids["removed"])
    assert library.revision("laws") != seen
    with library.view("laws") as view:
        assert known.keys() - view.documents.keys() == {ids["removed"]}
        unknown = [one for one, revision in view.documents.items() if known.get(one) != revision]
        words = {of.fields["source"]: [c.words for c in got] for of, got in view.read(unknown)}
    assert words == {"changed": ["changed\nOtherwise."], "new": ["new\nOf new."]}


def test_another_process_sees_what_is_committed(opened: Callable[[], Library]) -> None:
    one, other = opened(), opened()
    one.create_collection("laws")
    seen = other.revision("laws")
    put = one.put_document("laws", document("a.txt", "One."))
    assert other.revision("laws") != seen
    assert other.document_text(put.id) == "One."


def test_many_writers_of_one_source_leave_one_document(library: Library) -> None:
    library.create_collection("laws")

    def write(worker: int) -> None:
        for k in range(4):
            library.put_document("laws", document("same", f"Writer {worker}. Turn {k}."))

    threads = [threading.Thread(target=write, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (only,) = library.documents("laws")
    assert only.n_chunks == len(chunk_ids(library, "laws")) == 2


def test_a_collection_limited_to_keys_does_not_exist_for_others(library: Library) -> None:
    library.create_collection("open")
    library.create_collection("mine", key_digests=[MINE.upper()])
    put = library.put_document("mine", document("a.txt", "Secret."))
    ids = [str(one) for one in chunk_ids(library, "mine")]
    holder = library.visible_to(MINE)
    assert [one.name for one in holder.collections()] == ["mine", "open"]
    assert holder.document_text(put.id) == "Secret."
    for caller in (None, THEIRS):
        view = library.visible_to(caller)
        assert [one.name for one in view.collections()] == ["open"]
        assert view.passages(ids) == []
        for refused in (
            lambda view=view: view.collection("mine"),
            lambda view=view: view.revision("mine"),
            lambda view=view: view.documents("mine"),
            lambda view=view: view.hashes("mine"),
            lambda view=view: view.delete_collection("mine"),
            lambda view=view: view.put_document("mine", document("b.txt", "Mine.")),
        ):
            with pytest.raises(UnknownCollectionError):
                refused()
        for hidden in (view.document, view.document_text, view.remove_document):
            with pytest.raises(UnknownDocumentError):
                hidden(put.id)
    assert len(library.documents("mine")) == 1


def test_names_are_taken_once_and_have_a_form(library: Library) -> None:
    library.create_collection("laws")
    with pytest.raises(CollectionExistsError, match="choose another name"):
        library.create_collection("laws")
    with pytest.raises(RequestError, match="name"):
        library.create_collection("../etc")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"vectors": np.ones((1, 4), dtype=np.float32)}, "for 2 chunk"),
        ({"chunks": [Place(0, 4), Place(4, 99)]}, "4..99 of 9 characters"),
        ({"chunks": [Place(0, 4), Place(5, 5)]}, "5..5"),
        ({"source": ""}, "source: is empty"),
        ({"vectors": np.full((2, 4), np.nan, dtype=np.float32)}, "finite"),
    ],
)
def test_parts_that_do_not_fit_are_named_and_nothing_is_kept(
    library: Library, changed: dict[str, object], message: str
) -> None:
    library.create_collection("laws")
    with pytest.raises(RequestError, match=message):
        library.put_document("laws", document("a.txt", "One. Two.", **changed))
    assert library.documents("laws") == []


def test_vectors_of_two_models_do_not_mix(library: Library) -> None:
    library.create_collection("laws")
    library.put_document("laws", document("a.txt", "One."))
    with pytest.raises(CollectionIndexError, match=r"words-32.*other-1"):
        library.put_document("laws", document("b.txt", "Two.", embedder="other-1"))
    assert [one.source for one in library.documents("laws")] == ["a.txt"]
    library.put_document("laws", document("a.txt", "One.", embedder="other-1"))
    assert library.collection("laws").embedder == "other-1"


def test_the_last_word_on_an_answer_counts(library: Library) -> None:
    library.create_collection("mine", key_digests=[MINE])
    said = Feedback(answer_id="chat-1", rating="up", collection="mine", passages=("1", "2"))
    library.store_feedback(said)
    changed = said.model_copy(update={"rating": "down", "comment": "It is two months."})
    library.store_feedback(changed)
    assert library.feedback() == [changed]
    assert library.visible_to(MINE).feedback() == [changed]
    assert library.visible_to(THEIRS).feedback() == []


def test_another_models_vectors_are_taken_once_each_chunk_has_one(library: Library) -> None:
    for name in ("laws", "others"):
        library.create_collection(name)
        library.put_document(name, document(f"{name}.txt", "One. Two."))
    others, revision = library.vectors(chunk_ids(library, "others")), library.revision("laws")
    gathered = library.next_vectors("laws", "next")
    first, second = gathered.missing()
    made = np.eye(2, 8, dtype=np.float32)
    gathered.put([second, 10**9], made)
    assert not gathered.take()
    assert gathered.missing() == [first]
    assert library.revision("laws") == revision
    library.put_document("laws", document("late.txt", "Three."))
    gathered.put([second, first], made)
    (late,) = gathered.missing()
    library.put_document("laws", document("laws.txt", "Four."))  # with it go two vectors
    (now,) = set(gathered.missing()) - {late}
    gathered.put([late, now], made)
    with library.view("laws") as view:
        before = view.documents
    assert gathered.take()
    assert np.array_equal(library.vectors([late, now]), made)
    assert np.array_equal(library.vectors(chunk_ids(library, "others")), others)
    assert library.collection("laws").embedder == "next"
    with library.view("laws") as view:
        assert not set(view.documents.values()) & set(before.values())
    assert sorted(library.next_vectors("laws", "next").missing()) == sorted([late, now])


def test_nobody_gathers_vectors_of_a_collection_that_is_not_seen(library: Library) -> None:
    library.create_collection("mine", key_digests=[MINE])
    with pytest.raises(UnknownCollectionError):
        library.visible_to(THEIRS).next_vectors("mine", "next")


PUT_UNTIL_KILLED = """
    import sys
    from p3_rag_chatbot.library.library import open_library
    from p3_rag_chatbot.settings import Settings
    from tests.support.documents import document
    with open_library(Settings.model_validate_json(sys.stdin.readline())) as library:
        for k in range(1_000_000):
            text = f"Turn {k}. " * (1_000 + k % 7)
            library.put_document("laws", document("a.txt", text, metadata={"turn": str(k)}))
            print(k, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("n_acknowledged", [1, 3, 6])
def test_a_kill_in_the_middle_of_a_put_leaves_a_whole_document(
    settings: Settings, library: Library, n_acknowledged: int
) -> None:
    library.create_collection("laws")
    command = [sys.executable, "-c", textwrap.dedent(PUT_UNTIL_KILLED)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd=ROOT) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(as_json(settings))
        child.stdin.flush()
        said = [int(child.stdout.readline()) for _ in range(n_acknowledged)]
        child.kill()
    (kept,) = library.documents("laws")
    assert int(kept.metadata["turn"]) >= said[-1]
    turn = int(kept.metadata["turn"])
    assert library.document_text(kept.id) == f"Turn {turn}. " * (1_000 + turn % 7)
    assert len(chunk_ids(library, "laws")) == kept.n_chunks
    with library.view("laws") as view:
        assert view.revision == library.revision("laws")


FULL_DISK = """
    import resource, sys
    from common.store import StoreError
    from p3_rag_chatbot.library.library import open_library
    from p3_rag_chatbot.settings import Settings
    from tests.support.documents import document
    settings = Settings.model_validate_json(sys.stdin.readline())
    with open_library(settings) as library:
        library.create_collection("laws")
        library.put_document("laws", document("a.txt", "One. Two."))
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
        try:
            library.put_document("laws", document("a.txt", "Long and longer. " * 20_000))
        except StoreError as error:
            print(error)
"""


@pytest.mark.slow
def test_a_full_disk_is_told_and_leaves_what_was_there(tmp_path: Path) -> None:
    """The kernel refuses to let the database grow, as on a full disk, in mid-transaction."""
    settings = Settings(data_dir=tmp_path / "data")
    command = [sys.executable, "-c", textwrap.dedent(FULL_DISK)]
    done = subprocess.run(
        command, input=as_json(settings), capture_output=True, text=True, cwd=ROOT
    )
    assert "p3-rag-chatbot.db: disk I/O error" in done.stdout, done.stderr
    with open_library(settings) as library:
        (kept,) = library.documents("laws")
        assert library.document_text(kept.id) == "One. Two."
        library.put_document("laws", document("b.txt", "Three."))
        assert len(chunk_ids(library, "laws")) == 3


def as_json(settings: Settings) -> str:
    url = settings.database_url
    shown = {
        "data_dir": str(settings.data_dir),
        "database_url": url.get_secret_value() if url else None,
    }
    return json.dumps(shown) + "\n"
