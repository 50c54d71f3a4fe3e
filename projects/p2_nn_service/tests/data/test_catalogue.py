"""Known data sets: found on this machine first, else fetched whole, checked and resumed."""

import gzip
import hashlib
import struct
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from p2_nn_service.data.catalogue import CATALOGUE, KnownSet, find
from p2_nn_service.data.fetching import RemoteFile, fetch
from p2_nn_service.data.idx import read_idx
from p2_nn_service.errors import DatasetError, DownloadError
from p2_nn_service.settings import Settings


def idx(array: np.ndarray) -> bytes:
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


PIXELS = np.random.default_rng(0).integers(0, 256, size=(40, 28, 28))
LABELS = np.arange(40) % 4
IMAGES_FILE = gzip.compress(idx(PIXELS))
LABELS_FILE = gzip.compress(idx(LABELS))


class FileServer(ThreadingHTTPServer):
    """A web server that keeps files in memory, and breaks off as often as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Files)
        self.files: dict[str, bytes] = {}
        self.breaks_after: list[int] = []
        self.knows_ranges = True
        self.asked: list[str | None] = []

    def remote(self, name: str, content: bytes) -> RemoteFile:
        self.files[f"/{name}"] = content
        url = f"http://127.0.0.1:{self.server_port}/{name}"
        return RemoteFile(url, hashlib.sha256(content).hexdigest(), len(content))


class _Files(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        is_part = asked is not None and self.server.knows_ranges
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if is_part else 0
        part = content[start:]
        self.send_response(206 if is_part else 200)
        self.send_header("Content-Length", str(len(part)))
        if is_part:
            end = len(content) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        self.end_headers()
        cut = self.server.breaks_after.pop(0) if self.server.breaks_after else len(part)
        self.wfile.write(part[:cut])

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FileServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def known(server: FileServer) -> KnownSet:
    return KnownSet(
        name="four-things",
        images=server.remote("train-images-idx3-ubyte.gz", IMAGES_FILE),
        labels=server.remote("train-labels-idx1-ubyte.gz", LABELS_FILE),
        classes=("a", "b", "c", "d"),
        licence="MIT",
    )


def test_a_known_set_is_fetched_once_and_opened_from_disk_after_that(
    known: KnownSet, server: FileServer, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path)
    first = find("four-things", settings, catalogue={"four-things": known})
    server.files.clear()
    second = find("four-things", settings, catalogue={"four-things": known})
    assert len(server.asked) == 2
    assert first.fingerprint == second.fingerprint
    assert first.shape == (1, 28, 28)
    assert first.classes == ("a", "b", "c", "d")
    np.testing.assert_array_equal(second.inputs[:, 0], PIXELS)
    np.testing.assert_array_equal(second.labels, LABELS)


def test_the_folder_of_data_sets_is_looked_at_before_any_download(
    known: KnownSet, server: FileServer, tmp_path: Path
) -> None:
    own = tmp_path / "sets" / "images" / "four-things"
    own.mkdir(parents=True)
    (own / "train-images-idx3-ubyte.gz").write_bytes(IMAGES_FILE)
    (own / "train-labels-idx1-ubyte.gz").write_bytes(LABELS_FILE)
    settings = Settings(data_dir=tmp_path / "data", ROADMAP_DATASETS=tmp_path / "sets")
    found = find("four-things", settings, catalogue={"four-things": known})
    assert server.asked == []
    assert found.notes == (f"read from {own}",)


def test_a_folder_of_idx_files_is_opened_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(IMAGES_FILE)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(LABELS_FILE)
    found = find(str(tmp_path), Settings())
    assert found.name == tmp_path.name
    assert found.classes == ("0", "1", "2", "3")
    np.testing.assert_array_equal(found.inputs[:, 0], PIXELS)


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


def test_offline_the_message_says_where_to_put_the_files(known: KnownSet, tmp_path: Path) -> None:
    gone = replace(known.images, url="http://127.0.0.1:9/train-images-idx3-ubyte.gz")
    catalogue = {"four-things": replace(known, images=gone)}
    with pytest.raises(DownloadError) as caught:
        find("four-things", Settings(data_dir=tmp_path), catalogue=catalogue)
    said = str(caught.value)
    assert "127.0.0.1:9/train-images-idx3-ubyte.gz cannot be fetched" in said
    assert f"into {tmp_path / 'datasets' / 'four-things'}" in said
    assert "train-labels-idx1-ubyte.gz" in said
    assert "ROADMAP_DATASETS" in said


def test_a_missing_page_is_told_with_its_status(server: FileServer, tmp_path: Path) -> None:
    remote = server.remote("big", b"x")
    server.files.clear()
    with pytest.raises(DownloadError, match="404"):
        fetch(remote, tmp_path / "big")


def test_a_folder_that_cannot_be_written_is_named(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(DownloadError, match="taken/big cannot be written"):
        fetch(server.remote("big", b"x"), tmp_path / "taken" / "big")


def test_an_unknown_name_is_told_the_nearest_and_that_a_path_works(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        find("fashion_mnis", Settings(data_dir=tmp_path))
    said = str(caught.value)
    assert "did you mean fashion-mnist" in said
    assert "a path to a folder of labelled images" in said


def test_an_empty_name_is_no_folder() -> None:
    with pytest.raises(DatasetError, match="there is no data set ''"):
        find("", Settings())


SPOILT = {
    "another magic": (b"\x89PNG" + idx(LABELS)[4:], "begins with 89 50 4e 47"),
    "images for labels": (idx(PIXELS), "begins with 00 00 08 03"),
    "empty": (b"", "begins with nothing"),
    "cut in its header": (idx(LABELS)[:6], "ends within its header"),
    "cut in its content": (idx(LABELS)[:-5], "announces 40 bytes .* ends after 35 bytes"),
    "goes on": (idx(LABELS) + b"!", "goes on"),
    "cut gzip": (LABELS_FILE[:-12], "cut off or damaged"),
    "spoilt gzip": (LABELS_FILE[:-8] + bytes(8), "cut off or damaged"),
    "far too large": (bytes((0, 0, 8, 1)) + b"\xff" * 4, "announces 4,294,967,295 bytes"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_malformed_idx_file_is_named_with_what_is_wrong(case: str, tmp_path: Path) -> None:
    content, said = SPOILT[case]
    path = tmp_path / "labels"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=said) as caught:
        read_idx(path, 1, max_bytes=1_000_000)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.arange(39) % 4, "39 labels for the 40 images"),
        (np.arange(40) % 5, "label 4; four-things has the labels 0 to 3"),
        (np.arange(40) % 3, "no example of 'd'"),
        (np.append(np.arange(39) % 3, 3), "a single example of 'd'"),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    labels: np.ndarray, said: str, known: KnownSet, tmp_path: Path
) -> None:
    home = tmp_path / "datasets" / "four-things"
    home.mkdir(parents=True)
    (home / "train-images-idx3-ubyte.gz").write_bytes(IMAGES_FILE)
    (home / "train-labels-idx1-ubyte.gz").write_bytes(idx(labels))
    with pytest.raises(DatasetError, match=said):
        find("four-things", Settings(data_dir=tmp_path), catalogue={"four-things": known})


def test_every_known_set_has_a_licence_and_a_pinned_training_part() -> None:
    for name, known in CATALOGUE.items():
        assert known.name == name
        assert known.licence
        assert known.images.name == "train-images-idx3-ubyte.gz"
        assert known.labels.name == "train-labels-idx1-ubyte.gz"
        assert {len(known.images.sha256), len(known.labels.sha256)} == {64}
