from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from p3_rag_chatbot.fakes import FakeEmbedder
from p3_rag_chatbot.index_command import INTERRUPTED, carry_out_index
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.ports import Embedder
from p3_rag_chatbot.settings import Settings


@pytest.fixture
def library() -> Iterator[Library]:
    with open_library(Settings()) as library:
        yield library


def index(library: Library, *paths: Path, embedder: Embedder | None = None) -> int:
    return carry_out_index(
        [str(path) for path in paths],
        collection="mine",
        is_forced=False,
        library=library,
        embedder=embedder or FakeEmbedder(),
        settings=Settings(),
    )


def test_a_folder_is_indexed_into_a_new_collection_and_told(
    tmp_path: Path, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.md").write_text("# Terms\n\nFour weeks.")
    (tmp_path / "in/b.pdf").write_bytes(b"broken")
    assert index(library, tmp_path / "in", tmp_path / "none.txt") == 1
    shown = capsys.readouterr()
    assert shown.out.startswith("mine: 1 indexed, 2 failed; 1 chunks in ")
    assert "could not be read:" in shown.err
    assert "none.txt: it cannot be read: No such file or directory" in shown.err
    assert [one.title for one in library.documents("mine")] == ["Terms"]
    (tmp_path / "in/b.pdf").unlink()
    assert index(library, tmp_path / "in") == 0
    assert capsys.readouterr().out.startswith("mine: 1 unchanged; 0 chunks")


def test_ctrl_c_ends_the_command_and_keeps_what_was_done(
    tmp_path: Path, library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(FakeEmbedder):
        def embed(self, texts: Sequence[str]):
            if any("second" in text for text in texts):
                raise KeyboardInterrupt
            return super().embed(texts)

    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("first")
    second.write_text("second")
    assert index(library, first, embedder=Interrupted()) == 0
    capsys.readouterr()
    assert index(library, first, second, embedder=Interrupted()) == INTERRUPTED
    assert "interrupted: 1 unchanged; the same command goes on" in capsys.readouterr().err
    assert index(library, first, second) == 0
    assert capsys.readouterr().out.startswith("mine: 1 indexed, 1 unchanged")
