import os
from pathlib import Path

import pytest
from p3_rag_chatbot.errors import DocumentError, DocumentTooLargeError
from p3_rag_chatbot.ingestion.folders import files_of, read_file


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(folder: Path) -> list[str]:
    return [
        f"error: {one.reason}" if isinstance(one, DocumentError) else str(one.relative_to(folder))
        for one in files_of(folder)
    ]


def test_hidden_ignored_and_unknown_files_are_skipped(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".gitignore": "*.log\nbuild/\n/only-here.txt\n",
            "a.txt": "",
            "b.log": "",
            "picture.png": "",
            "build/c.txt": "",
            "only-here.txt": "",
            ".secret/d.txt": "",
            "node_modules/e.txt": "",
            "sub/.gitignore": "!kept.log\n",
            "sub/kept.log": "",
            "sub/dropped.log": "",
            "sub/only-here.txt": "",
        },
    )
    assert names(tmp_path) == ["a.txt", "sub/kept.log", "sub/only-here.txt"]


def test_links_are_not_followed_neither_to_files_nor_to_folders(tmp_path: Path) -> None:
    write(tmp_path, {"outside/secret.txt": "", "inside/a.txt": ""})
    (tmp_path / "inside/link.txt").symlink_to(tmp_path / "outside/secret.txt")
    (tmp_path / "inside/folder").symlink_to(tmp_path / "outside")
    (tmp_path / "inside/round").symlink_to(tmp_path / "inside")
    assert names(tmp_path / "inside") == ["a.txt"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert names(tmp_path / "none") == [
        "error: the folder cannot be read: No such file or directory"
    ]


def test_a_file_of_two_gigabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(2 * 1024**3)
    with pytest.raises(DocumentTooLargeError, match="P3_MAX_DOCUMENT_BYTES"):
        read_file(path, 64 * 1024**2)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert names(tmp_path) == []
    with pytest.raises(DocumentError, match="no file"):
        read_file(tmp_path / "pipe.txt", 100)


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="No such file"):
        read_file(tmp_path / "gone.txt", 100)
