"""Any folder of labelled pictures is a data set, and one that is not says why."""

from pathlib import Path

import numpy as np
import pytest
from p2_nn_service import open_dataset
from p2_nn_service.data.folders import read_folder
from p2_nn_service.errors import DatasetError
from p2_nn_service.settings import Settings
from PIL import Image


def put(path: Path, *, size: tuple[int, int] = (12, 10), colour: object = 90) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "RGB" if isinstance(colour, tuple) else "L"
    Image.new(mode, size, colour).save(path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Dark cats and light dogs, ten of each."""
    for k in range(10):
        put(tmp_path / "pets" / "cat" / f"{k}.png", colour=20 + k)
        put(tmp_path / "pets" / "dog" / f"{k}.png", colour=200 + k)
    return tmp_path / "pets"


def test_each_folder_is_a_class_and_each_picture_an_example(root: Path) -> None:
    found = open_dataset(root)
    assert found.name == "pets"
    assert found.kind == "images"
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0] * 10 + [1] * 10
    assert found.inputs.shape == (20, 1, 10, 12)
    assert found.inputs.dtype == np.uint8
    assert found.inputs[:, 0, 0, 0].tolist() == [*range(20, 30), *range(200, 210)]
    assert found.notes == ("grey pictures of 12 x 10, the commonest size (at most 64)",)


def test_reading_twice_gives_the_same_set(root: Path) -> None:
    assert open_dataset(root).fingerprint == open_dataset(root).fingerprint


def test_pictures_of_other_sizes_and_formats_are_fitted_to_the_commonest(root: Path) -> None:
    put(root / "cat" / "deep" / "large.jpg", size=(240, 200), colour=25)
    put(root / "dog" / "tall.webp", size=(10, 40), colour=205)
    found = open_dataset(root)
    assert found.inputs.shape == (22, 1, 10, 12)
    assert found.inputs[found.labels == 0].max() < 40
    assert found.inputs[found.labels == 1].min() > 190


def test_one_coloured_picture_makes_it_a_set_in_colour(root: Path) -> None:
    put(root / "cat" / "red.png", colour=(200, 10, 10))
    found = open_dataset(root)
    assert found.inputs.shape == (21, 3, 10, 12)
    assert found.notes[0].startswith("colour pictures")


def test_grey_that_was_saved_in_colour_is_grey(tmp_path: Path) -> None:
    for k in range(4):
        put(tmp_path / "a" / f"{k}.jpg", colour=(9, 9, 9))
        put(tmp_path / "b" / f"{k}.jpg", colour=(99, 99, 99))
    assert open_dataset(tmp_path).shape == (1, 10, 12)


def test_large_pictures_come_down_to_64(tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        put(tmp_path / name, size=(640, 480))
    assert open_dataset(tmp_path).shape == (1, 48, 64)


def test_a_size_that_is_asked_for_makes_squares(root: Path) -> None:
    found = open_dataset(root, Settings(folder_image_size=16))
    assert found.shape == (1, 16, 16)
    assert found.notes == ("grey pictures of 16 x 16",)


@pytest.mark.parametrize("other", ["test", "val", "Validation"])
def test_of_a_split_folder_only_the_training_part_is_read(root: Path, other: str) -> None:
    put(root.parent / "split" / other / "cat" / "0.png")
    root.rename(root.parent / "split" / "train")
    found = open_dataset(root.parent / "split")
    assert len(found) == 20
    assert found.classes == ("cat", "dog")
    assert found.notes[0] == f"train/ is read; {other} stays unseen"


def test_classes_that_are_called_train_and_test_are_classes(tmp_path: Path) -> None:
    for name in ("train/1.png", "train/2.png", "test/1.png", "test/2.png"):
        put(tmp_path / name)
    assert open_dataset(tmp_path).classes == ("test", "train")


def test_hidden_files_are_passed_over(root: Path) -> None:
    for name in (".DS_Store", "cat/.DS_Store", "cat/Thumbs.db", ".git/x", "dog/.cache/x"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"not a picture")
    found = open_dataset(root)
    assert len(found) == 20
    assert len(found.notes) == 1


def test_a_bad_file_is_set_aside_and_named(root: Path) -> None:
    (root / "dog" / "notes.txt").write_text("a good dog")
    found = open_dataset(root)
    assert len(found) == 20
    assert "set aside: 1 file: dog/notes.txt (is not a picture" in found.notes[1]


def test_too_many_bad_files_are_an_error(root: Path) -> None:
    (root / "dog" / "notes.txt").write_text("a good dog")
    (root / "cat" / "half.png").write_bytes((root / "cat" / "1.png").read_bytes()[:50])
    with pytest.raises(DatasetError, match="more than 5% of 22 files") as caught:
        open_dataset(root)
    assert "cat/half.png (" in str(caught.value)
    assert "dog/notes.txt (" in str(caught.value)


def test_a_picture_beyond_the_limits_is_set_aside(root: Path) -> None:
    put(root / "cat" / "vast.png", size=(2000, 2000))
    found = open_dataset(root, Settings(max_pixels=1_000_000))
    assert "cat/vast.png (has 2,000 x 2,000 pixels" in found.notes[1]


def test_a_set_beyond_the_memory_that_is_allowed_is_refused(root: Path) -> None:
    with pytest.raises(DatasetError, match="20 pictures of 1 x 10 x 12 take 2,400 bytes") as caught:
        open_dataset(root, Settings(max_dataset_bytes=2399))
    assert "P2_MAX_DATASET_BYTES" in str(caught.value)


def empty_class(root: Path) -> None:
    (root / "mouse").mkdir()


def one_class(root: Path) -> None:
    for file in (root / "dog").iterdir():
        file.unlink()
    (root / "dog").rmdir()


def single_images(root: Path) -> None:
    for file in root.glob("*/*.png"):
        if file.stem != "0":
            file.unlink()


def no_folders(root: Path) -> None:
    one_class(root)
    (root / "cat").rename(root.parent / "elsewhere")


def no_pictures(root: Path) -> None:
    for file in root.glob("*/*.png"):
        file.write_text("?")


FAULTS = [
    (empty_class, "no example of 'mouse'"),
    (one_class, "only the class 'cat'; two are needed"),
    (single_images, "a single example of 'cat', 'dog'"),
    (no_folders, "has no folders: lay pictures as .*/<class>/<picture>"),
    (no_pictures, "most of 20 files looked at are no pictures .*: 20 files: cat/0.png"),
]


@pytest.mark.parametrize(("spoil", "said"), FAULTS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_folder_that_cannot_be_trained_on_says_why(root: Path, spoil: object, said: str) -> None:
    spoil(root)
    with pytest.raises(DatasetError, match=said) as caught:
        open_dataset(root)
    assert str(root) in str(caught.value)


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(DatasetError, match=r"there is no data set '\./nowhere'"):
        open_dataset("./nowhere")


def test_a_class_whose_pictures_are_all_bad_is_named(root: Path) -> None:
    for k in range(100):
        put(root / "dog" / f"more-{k}.png", colour=205)
    (root / "mouse").mkdir()
    for k in range(3):
        (root / "mouse" / f"{k}.png").write_text("?")
    with pytest.raises(DatasetError, match="no example of 'mouse'"):
        read_folder(root, Settings())
