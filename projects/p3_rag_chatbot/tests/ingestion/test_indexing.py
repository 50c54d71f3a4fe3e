"""Collections that follow their sources: over real files and the real reading process."""

import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from p3_rag_chatbot.contracts import Document
from p3_rag_chatbot.errors import CollectionIndexError
from p3_rag_chatbot.fakes import FakeEmbedder
from p3_rag_chatbot.ingestion.fetching import Fetcher
from p3_rag_chatbot.ingestion.indexing import Indexer
from p3_rag_chatbot.ingestion.loading import RawDocument
from p3_rag_chatbot.ingestion.progress import IndexEvent, IndexReport
from p3_rag_chatbot.ingestion.sources import Corpus, corpus_of, uploads
from p3_rag_chatbot.library.documents import NewDocument
from p3_rag_chatbot.library.library import open_library
from p3_rag_chatbot.settings import Settings

from .pdf_files import Page, pdf
from .test_archives import packed
from .test_text_formats import mail


class MemoryShelf:
    """A library of one collection, in memory; fails at a document as a full disk does."""

    def __init__(self) -> None:
        self.kept: dict[str, NewDocument] = {}
        self.n_puts = 0
        self.fails_at = -1

    def hashes(self, collection: str) -> dict[str, str]:
        return {source: one.sha256 for source, one in self.kept.items()}

    def documents(self, collection: str) -> list[Document]:
        return [self._shown(one) for one in self.kept.values()]

    def put_document(self, collection: str, document: NewDocument) -> Document:
        self.n_puts += 1
        if self.n_puts == self.fails_at:
            raise CollectionIndexError("the disk is full")
        document.check()
        self.kept[document.source] = dataclasses.replace(document, vectors=document.vectors.copy())
        return self._shown(document)

    def remove_document(self, document_id: str) -> None:
        del self.kept[document_id]

    def _shown(self, one: NewDocument) -> Document:
        return Document(
            id=one.source,
            collection="c",
            source=one.source,
            title=one.title,
            media_type=one.media_type,
            sha256=one.sha256,
            n_characters=len(one.text),
            n_chunks=len(one.chunks),
            indexed_at=datetime.now(UTC),
        )


class CountingEmbedder(FakeEmbedder):
    """Remembers how many texts came at a time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.before: Callable[[], None] = lambda: None

    def embed(self, texts: Sequence[str]):
        self.before()
        self.sizes.append(len(texts))
        return super().embed(texts)


@dataclasses.dataclass
class World:
    folder: Path
    settings: Settings
    shelf: MemoryShelf
    embedder: CountingEmbedder
    indexer: Indexer

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def corpus(self) -> Corpus:
        return corpus_of([str(self.folder)], self.settings, Fetcher(self.settings))

    def index(self, **options) -> IndexReport:
        return self.indexer.index("c", self.corpus(), **options)

    @property
    def names(self) -> list[str]:
        return sorted(source.removeprefix(f"{self.folder}/") for source in self.shelf.kept)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "docs"
    folder.mkdir()
    settings = Settings(chunk_tokens=16)
    shelf, embedder = MemoryShelf(), CountingEmbedder()
    indexer = Indexer(shelf, embedder, settings)
    yield World(folder, settings, shelf, embedder, indexer)
    indexer.close()


def test_only_what_is_new_or_changed_is_read_and_what_vanished_is_removed(world: World) -> None:
    for name in ("a", "b", "c"):
        world.write(f"{name}.md", f"# {name}\n\ntext of {name}")
    first = world.index()
    assert (first.n_indexed, first.n_chunks, first.is_complete) == (3, 3, True)
    world.write("b.md", "# b\n\nchanged")
    (world.folder / "c.md").unlink()
    world.write("sub/d.txt", "new")
    second = world.index()
    assert (second.n_indexed, second.n_unchanged, second.n_removed) == (2, 1, 1)
    assert world.names == ["a.md", "b.md", "sub/d.txt"]
    assert world.shelf.kept[f"{world.folder}/b.md"].text == "b\n\nchanged"
    third = world.index()
    assert (third.n_indexed, third.n_unchanged, third.n_removed) == (0, 3, 0)
    assert world.index(is_forced=True).n_indexed == 3


def test_chunks_fit_their_vectors_and_their_text(world: World) -> None:
    world.write("a.md", "# Head\n\n" + "one two three four five. " * 20)
    world.index()
    kept = next(iter(world.shelf.kept.values()))
    assert len(kept.chunks) > 3
    for part, vector in zip(kept.chunks, kept.vectors, strict=True):
        alone = FakeEmbedder().embed([f"Head\n{part.text}" if part.start else part.text])[0]
        assert vector == pytest.approx(alone)
        assert kept.text[part.start : part.end] == part.text
        assert part.headings == ("Head",)


def test_a_file_that_cannot_be_read_stops_nothing_and_keeps_what_was(world: World) -> None:
    world.write("a.pdf", pdf([Page().text(72, 90, "A good page of text.")]))
    world.write("b.txt", "fine")
    world.index()
    world.write("a.pdf", pdf([Page()], encrypted=True))
    world.write("b.txt", "fine too")
    world.write("c.docx", b"broken")
    report = world.index()
    assert [Path(one.source).name for one in report.failures] == ["a.pdf", "c.docx"]
    assert "encrypted" in report.failures[0].reason
    assert report.is_complete
    assert world.names == ["a.pdf", "b.txt"]
    assert world.shelf.kept[f"{world.folder}/a.pdf"].text == "A good page of text."
    assert world.shelf.kept[f"{world.folder}/b.txt"].text == "fine too"


def test_members_of_archives_and_attachments_come_and_go_with_their_holder(world: World) -> None:
    world.write("z.zip", packed({"one.txt": b"1", "two.txt": b"2"}))
    world.write("m.eml", mail().as_bytes())
    world.index()
    attached = ["m.eml", "m.eml!/2-t.csv", "m.eml!/t.csv"]
    assert world.names == [*attached, "z.zip!/one.txt", "z.zip!/two.txt"]
    world.write("z.zip", packed({"one.txt": b"1", "three.txt": b"3"}))
    again = world.index()
    assert (again.n_indexed, again.n_unchanged, again.n_removed) == (1, 2, 1)
    assert world.names == [*attached, "z.zip!/one.txt", "z.zip!/three.txt"]
    (world.folder / "m.eml").unlink()
    world.write("z.zip", b"broken now")
    world.index()
    assert world.names == ["z.zip!/one.txt", "z.zip!/three.txt"]


def test_an_attachment_of_a_format_that_is_not_read_is_noted_with_its_mail(world: World) -> None:
    message = mail()
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="logo.png")
    world.write("m.eml", message.as_bytes())
    report = world.index()
    assert report.failures == []
    assert [one.reason.split(":")[0] for one in report.notes] == ["attachment logo.png"]
    assert "m.eml" in world.names


def test_an_archive_that_is_uploaded_again_loses_what_it_holds_no_more(world: World) -> None:
    for files in ({"a.txt": b"a", "b.txt": b"b"}, {"a.txt": b"a"}):
        raw = RawDocument("up.zip", packed(files), "application/zip")
        world.indexer.index("c", uploads([raw], world.settings))
    assert sorted(world.shelf.kept) == ["up.zip!/a.txt"]


def test_indexing_one_file_leaves_the_others_alone(world: World) -> None:
    world.write("a.txt", "a")
    world.write("b.txt", "b")
    world.index()
    path = str(world.write("b.txt", "b2"))
    world.indexer.index("c", corpus_of([path], world.settings, Fetcher(world.settings)))
    assert world.names == ["a.txt", "b.txt"]


def test_a_full_disk_leaves_whole_documents_and_the_next_run_goes_on(world: World) -> None:
    for k in range(6):
        world.write(f"{k}.txt", f"text {k}")
    world.shelf.fails_at = 4
    with pytest.raises(CollectionIndexError, match="disk is full"):
        world.index()
    assert world.names == ["0.txt", "1.txt", "2.txt"]
    report = world.index()
    assert (report.n_unchanged, report.n_indexed) == (3, 3)
    assert len(world.names) == 6


def test_an_interrupt_in_the_middle_leaves_whole_documents_and_no_thread(world: World) -> None:
    """As Ctrl-C does: at any place of the main thread."""
    for k in range(40):
        world.write(f"{k:02}.txt", "one two three. " * 40)
    n_calls = 0

    def interrupt() -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 3:
            raise KeyboardInterrupt

    world.embedder.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        world.index()
    assert not [one for one in threading.enumerate() if one.name == "reading-ahead"]
    whole = {source: len(one.text) for source, one in world.shelf.kept.items()}
    assert set(whole.values()) <= {len(("one two three. " * 40).strip())}
    world.embedder.before = lambda: None
    report = world.index()
    assert report.n_unchanged == len(whole)
    assert len(world.names) == 40


def test_a_run_that_is_stopped_removes_nothing_and_says_so(world: World) -> None:
    for k in range(10):
        world.write(f"{k}.txt", f"text {k}")
    world.index()
    for k in range(10):
        world.write(f"{k}.txt", f"changed {k}")
    (world.folder / "9.txt").unlink()
    stop = threading.Event()
    report = world.index(stop=stop, tell=lambda event: stop.set())
    assert not report.is_complete
    assert report.n_removed == 0
    assert "9.txt" in world.names


def test_progress_is_told_document_by_document(world: World) -> None:
    world.write("a.txt", "a")
    world.write("b.pdf", b"broken")
    world.write("c.txt", "c")
    events: list[IndexEvent] = []
    world.index(tell=events.append)
    told = {Path(one.source).name: one for one in events}
    assert {name: one.kind for name, one in told.items()} == {
        "a.txt": "indexed", "b.pdf": "failed", "c.txt": "indexed"
    }  # fmt: skip
    assert told["c.txt"].n_done == told["c.txt"].n_targets == 3
    assert told["b.pdf"].detail.startswith("it is no PDF")


def test_chunks_of_many_documents_are_embedded_together(world: World) -> None:
    """The embedder is held until the rest has been read: what has gathered comes in one call."""
    for k in range(9):
        world.write(f"{k}.txt", f"text {k}")
    is_read = threading.Event()
    corpus = world.corpus()

    def told() -> Iterator:
        is_read.set()
        yield from ()

    world.embedder.before = is_read.wait
    world.indexer.index("c", dataclasses.replace(corpus, targets=(*corpus.targets, told)))
    assert sum(world.embedder.sizes) == 9
    assert max(world.embedder.sizes) > 4


def test_a_large_document_is_embedded_in_parts(world: World) -> None:
    world.write("a.csv", "n,word\n" + "".join(f"{k},abcdef ghi\n" for k in range(2_000)))
    report = world.index()
    assert max(world.embedder.sizes) <= 256
    assert sum(world.embedder.sizes) == report.n_chunks > 500


def test_a_document_without_text_is_kept_with_its_notes(world: World) -> None:
    world.write("empty.txt", "")
    assert world.index().n_chunks == 0
    assert world.names == ["empty.txt"]


def test_the_real_library_is_a_shelf(world: World) -> None:
    world.write("a.md", "# Terms\n\nThe notice period is four weeks.")
    world.write("b.md", "# Fees\n\nTen euros.")
    with open_library(world.settings) as library:
        library.create_collection("docs")
        indexer = Indexer(library, world.embedder, world.settings)
        assert indexer.index("docs", world.corpus()).n_indexed == 2
        (world.folder / "b.md").unlink()
        report = indexer.index("docs", world.corpus())
        indexer.close()
        assert (report.n_unchanged, report.n_removed) == (1, 1)
        kept = library.documents("docs")
        assert [one.title for one in kept] == ["Terms"]
        assert library.document_text(kept[0].id) == "Terms\n\nThe notice period is four weeks."
