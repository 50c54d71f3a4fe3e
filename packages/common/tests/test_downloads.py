"""One file from its address: whole or not at all, resumed where it was cut off, then checked."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from common.downloads import DownloadError, fetch

from tests.support.file_server import FileServer, serving_files


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving_files() as running:
        yield running


def test_a_connection_that_breaks_is_taken_up_where_it_broke(
    server: FileServer, tmp_path: Path
) -> None:
    remote = server.remote("big", bytes(range(256)) * 40)
    server.breaks_after = [1000, 500]
    target = fetch(remote, tmp_path / "big")
    assert target.read_bytes() == server.files["/big"]
    assert server.asked == [None, "bytes=1000-", "bytes=1500-"]


def test_a_download_that_was_killed_goes_on_from_its_partial_file(
    server: FileServer, tmp_path: Path
) -> None:
    remote = server.remote("big", bytes(range(256)) * 40)
    (tmp_path / "big.partial").write_bytes(server.files["/big"][:700])
    fetch(remote, tmp_path / "big")
    assert server.asked == ["bytes=700-"]
    assert (tmp_path / "big").read_bytes() == server.files["/big"]
    assert not (tmp_path / "big.partial").exists()


def test_a_server_without_ranges_begins_again(server: FileServer, tmp_path: Path) -> None:
    remote = server.remote("big", bytes(range(256)) * 40)
    (tmp_path / "big.partial").write_bytes(server.files["/big"][:700])
    server.knows_ranges = False
    fetch(remote, tmp_path / "big")
    assert (tmp_path / "big").read_bytes() == server.files["/big"]


@pytest.mark.parametrize("left", [b"x" * 700, b"x" * 10_240, b"x" * 50_000])
def test_a_spoilt_partial_file_is_given_up_and_fetched_anew(
    left: bytes, server: FileServer, tmp_path: Path
) -> None:
    remote = server.remote("big", bytes(range(256)) * 40)
    (tmp_path / "big.partial").write_bytes(left)
    fetch(remote, tmp_path / "big")
    assert (tmp_path / "big").read_bytes() == server.files["/big"]


def test_a_file_of_another_content_is_refused_and_nothing_of_it_stays(
    server: FileServer, tmp_path: Path
) -> None:
    remote = server.remote("big", b"published")
    server.files["/big"] = b"forged..!"
    with pytest.raises(DownloadError, match="not the file that was published: its sha256 is"):
        fetch(remote, tmp_path / "big")
    assert not (tmp_path / "big").exists()
    assert (tmp_path / "big.partial").read_bytes() == b""


def test_a_file_that_goes_on_is_cut_off(server: FileServer, tmp_path: Path) -> None:
    remote = server.remote("big", b"published")
    server.files["/big"] = b"published" * 1000
    with pytest.raises(DownloadError, match="goes on after the 9 bytes"):
        fetch(remote, tmp_path / "big")
    assert (tmp_path / "big.partial").stat().st_size <= 9


def test_two_that_fetch_the_same_file_fetch_it_once(server: FileServer, tmp_path: Path) -> None:
    remote = server.remote("big", bytes(1_000_000))
    fetches = [threading.Thread(target=fetch, args=(remote, tmp_path / "big")) for _ in range(4)]
    for one in fetches:
        one.start()
    for one in fetches:
        one.join()
    assert (tmp_path / "big").read_bytes() == bytes(1_000_000)
    assert server.asked == [None]


def test_a_missing_page_is_told_with_its_status(server: FileServer, tmp_path: Path) -> None:
    remote = server.remote("big", b"x")
    server.files.clear()
    with pytest.raises(DownloadError, match="404"):
        fetch(remote, tmp_path / "big")


def test_a_folder_that_cannot_be_written_is_named(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(DownloadError, match="taken/big cannot be written"):
        fetch(server.remote("big", b"x"), tmp_path / "taken" / "big")
