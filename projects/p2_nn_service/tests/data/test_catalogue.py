"""Known data sets: found on this machine first, else fetched whole, checked and resumed."""

import gzip
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from p2_nn_service.data.catalogue import CATALOGUE, KnownSet, find
from p2_nn_service.data.idx import read_idx
from p2_nn_service.errors import DatasetError, DatasetUnavailableError
from p2_nn_service.settings import Settings

from tests.support.file_server import FileServer, serving_files


def idx(array: np.ndarray) -> bytes:
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


PIXELS = np.random.default_rng(0).integers(0, 256, size=(40, 28, 28))
LABELS = np.arange(40) % 4
IMAGES_FILE = gzip.compress(idx(PIXELS))
LABELS_FILE = gzip.compress(idx(LABELS))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving_files() as running:
        yield running


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


def test_offline_the_message_says_where_to_put_the_files(known: KnownSet, tmp_path: Path) -> None:
    gone = replace(known.images, url="http://127.0.0.1:9/train-images-idx3-ubyte.gz")
    catalogue = {"four-things": replace(known, images=gone)}
    with pytest.raises(DatasetUnavailableError) as caught:
        find("four-things", Settings(data_dir=tmp_path), catalogue=catalogue)
    said = str(caught.value)
    assert "127.0.0.1:9/train-images-idx3-ubyte.gz cannot be fetched" in said
    assert f"into {tmp_path / 'datasets' / 'four-things'}" in said
    assert "train-labels-idx1-ubyte.gz" in said
    assert "ROADMAP_DATASETS" in said


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
