"""Networks that learn real digits and two spirals, and the data they learn from."""

import gzip
import re
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from p0_foundations import (
    Adam,
    GradientDescent,
    ImagesError,
    Network,
    NetworkError,
    Newton,
    load_digits,
    load_images,
    train,
    train_frames,
    two_spirals,
)


def test_a_network_learns_handwritten_digits() -> None:
    seen, unseen = load_digits().flat.split()
    network = Network((64, 32, 10), "relu")
    parameters = train(network, seen, Adam(0.003), epochs=12)
    assert network.accuracy(network.initial(), unseen) < 0.3
    assert network.accuracy(parameters, unseen) > 0.95


def test_frames_show_two_spirals_being_parted() -> None:
    data = two_spirals(200)
    frames = list(islice(train_frames(Network((2, 8, 8, 2)), data, Adam(0.02)), 250))
    assert frames[0].step == 0
    assert frames[1].step == 10
    assert frames[-1].accuracy > 0.95
    assert frames[-1].loss < frames[0].loss / 3
    assert frames[-1].surface.shape == (40, 40)
    assert 0 <= frames[-1].surface.min() < frames[-1].surface.max() <= 1


def test_a_training_that_diverges_ends_with_a_last_frame_that_can_be_drawn() -> None:
    frames = list(train_frames(Network((2, 4, 2)), two_spirals(50), GradientDescent(1e9)))
    assert "step 1: a weight left" in frames[-1].problem
    assert all(np.isfinite(f.loss) and np.isfinite(f.surface).all() for f in frames)
    with pytest.raises(NetworkError, match="take smaller steps"):
        train(Network((2, 4, 2)), two_spirals(50), GradientDescent(1e9))


def test_the_same_seed_trains_the_same_network() -> None:
    runs = [train(Network((2, 4, 2)), two_spirals(50), Adam(), epochs=3) for _ in range(2)]
    assert np.array_equal(*runs)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Network((2,)), "two or more"),
        (lambda: Network((2, 0, 2)), "each from 1"),
        (lambda: Network((2, 2), "step"), "accepted: tanh, relu, sigmoid"),
        (lambda: train(Network((3, 2)), two_spirals(), Adam()), "takes rows of 3 numbers"),
        (lambda: train(Network((2, 1)), two_spirals(), Adam()), "at most 1 classes"),
        (lambda: train(Network((2, 2)), two_spirals(), Newton()), "second derivatives"),
        (lambda: next(train_frames(Network((2, 2)), two_spirals(), Adam(), grid=999)), "grid=999"),
    ],
)
def test_what_cannot_be_trained_is_refused(wrong, words) -> None:
    with pytest.raises(NetworkError, match=re.escape(words)):
        wrong()


def write_idx(folder: Path, pixels: np.ndarray, labels: np.ndarray) -> None:
    home = folder / "images" / "mnist"
    home.mkdir(parents=True)
    for name, array in (("images-idx3", pixels), ("labels-idx1", labels)):
        header = np.array([0x800 + array.ndim, *array.shape], dtype=">i4").tobytes()
        with gzip.open(home / f"train-{name}-ubyte.gz", "wb") as file:
            file.write(header + array.astype(np.uint8).tobytes())


def test_pictures_are_read_from_a_folder_of_data_sets(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3))
    write_idx(tmp_path, pixels, np.arange(5))
    found = load_images("mnist", tmp_path, limit=3)
    np.testing.assert_allclose(found.pixels, pixels[:3] / 255)
    assert found.labels.tolist() == [0, 1, 2]
    broken = tmp_path / "images" / "mnist" / "train-images-idx3-ubyte.gz"
    broken.write_bytes(broken.read_bytes()[:40])
    with pytest.raises(ImagesError, match="not a gzipped IDX file"):
        load_images("mnist", tmp_path)
    with pytest.raises(ImagesError, match="set ROADMAP_DATASETS"):
        load_images("mnist", None)
    with pytest.raises(ImagesError, match="fashion-mnist is not in"):
        load_images("fashion-mnist", tmp_path)
