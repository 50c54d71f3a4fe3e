"""The built-in collection, and the questions that people are told to begin with."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from p3_rag_chatbot.ask_command import Order, carry_out
from p3_rag_chatbot.fakes import FakeEmbedder
from p3_rag_chatbot.guide_files import PACKAGED, guide_names, guides_root
from p3_rag_chatbot.guides import GUIDES, guides_in
from p3_rag_chatbot.ingestion.indexing import Indexer
from p3_rag_chatbot.ingestion.loading import RawDocument
from p3_rag_chatbot.ingestion.progress import IndexReport
from p3_rag_chatbot.ingestion.sources import Corpus, uploads
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.settings import Settings

PROJECT = Path(__file__).parent.parent
ANSWERS = {
    "Which three protocols do the services meet over?": "OpenAI Chat Completions, MCP and",
    "What does serving load of what training uses?": "serving loads none of them",
    "Who won the football world cup in 2014?": "The documents do not say.",
    "What is the default vector store?": "**faiss**",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with three guides, and files that are none."""
    for name in ("docs/how-to", "docs/reference", "projects/p0_x/src"):
        (tmp_path / "repository" / name).mkdir(parents=True)
    root = tmp_path / "repository"
    for name in ("README.md", "docs/how-to/deploy.md", "projects/p0_x/README.md"):
        (root / name).write_text(f"# {name}\n\nText of {name}.")
    (root / "docs/reference/commands.md").write_text("# Commands\n\n╭─ Options ─╮")
    for name in ("docs/generate.py", "docs/how-to/output.json", "projects/p0_x/src/card.md"):
        (root / name).write_text("not a guide")
    return root


@pytest.fixture
def library() -> Iterator[Library]:
    with open_library(Settings()) as library:
        library.create_collection(GUIDES)
        yield library


def index(library: Library, corpus: Corpus) -> IndexReport:
    with closing(Indexer(library, FakeEmbedder(), Settings())) as indexer:
        return indexer.index(GUIDES, corpus)


def sources(library: Library) -> set[str]:
    return {one.source for one in library.documents(GUIDES)}


def test_the_guides_are_markdown_and_named_by_their_place_in_the_repository() -> None:
    root = guides_root()
    assert root is not None
    names = guide_names(root)
    assert {"README.md", "docs/how-to/deploy.md", "projects/p3_rag_chatbot/README.md"} < set(names)
    assert all(name.endswith(".md") and not Path(name).is_absolute() for name in names)


def test_only_guides_are_indexed_and_again_only_what_changed(root: Path, library: Library) -> None:
    index(library, guides_in(root, Settings()))
    names = {"README.md", "docs/how-to/deploy.md", "projects/p0_x/README.md"}
    assert sources(library) == names
    (root / "docs/how-to/deploy.md").unlink()
    (root / "README.md").write_text("# Anew")
    report = index(library, guides_in(root, Settings()))
    assert (report.n_indexed, report.n_unchanged, report.n_removed) == (1, 1, 1)
    assert sources(library) == names - {"docs/how-to/deploy.md"}


def test_what_an_earlier_version_left_goes_and_what_somebody_added_stays(
    root: Path, library: Library
) -> None:
    earlier = [root / "README.md", root / "docs/generate.py", PACKAGED / "adr/0001.md"]
    own = ["/home/me/docs/README.md", "leave.txt", str(root / "notes.md")]
    named = [RawDocument(str(one), b"text", "text/plain") for one in (*earlier, *own)]
    index(library, uploads(named, Settings()))
    assert len(sources(library)) == 6
    report = index(library, guides_in(root, Settings()))
    assert report.n_removed == 3
    assert sources(library) > set(own)
    assert not sources(library) & {str(one) for one in earlier}


def shown_questions() -> list[str]:
    """Return what the page and the README suggest to ask."""
    page = (PROJECT / "src/p3_rag_chatbot/web/examples.js").read_text()
    readme = (PROJECT / "README.md").read_text()
    return re.findall(r'question: "([^"]+)"', page) + re.findall(r'chatbot ask "([^"]+)"', readme)


@pytest.mark.slow
def test_what_people_are_told_to_ask_is_answered_before_any_service_has_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = shown_questions()
    assert set(questions) == ANSWERS.keys()
    settings = Settings(data_dir=tmp_path, n_threads=1)
    for asked in questions:
        is_said = carry_out(Order(asked), settings)
        shown = capsys.readouterr()
        assert ANSWERS[asked] in shown.out
        assert is_said == ("do not say" not in ANSWERS[asked])
        assert str(guides_root()) not in shown.out + shown.err
        assert ("the guides are indexed" in shown.err) == (asked == questions[0])
