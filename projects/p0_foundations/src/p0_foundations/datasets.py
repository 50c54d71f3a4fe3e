"""Small data that is real, or whose shape is the point: digits, pictures of clothes, two spirals.

The 8 x 8 digits come with scikit-learn (the extra `digits`); MNIST and Fashion-MNIST are read from
a folder of data sets in their own format. Nothing is downloaded. Knows no model.
"""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from p0_foundations.autodiff import Floats
from p0_foundations.errors import ImagesError, NumbersError

Labels = NDArray[np.int64]
FOLDER_NAMES = ("mnist", "fashion-mnist")
_FILES = {"train": "train", "test": "t10k"}
_HEADER_BYTES = {"images": 16, "labels": 8}


@dataclass(frozen=True)
class Labelled:
    """Rows (n, d) and the class of each (n,), whole numbers from 0."""

    rows: Floats
    labels: Labels

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return int(self.labels.max()) + 1

    def split(self, share: float = 0.8, *, seed: int = 0) -> "tuple[Labelled, Labelled]":
        """Return two parts, shuffled; the first holds `share` of the rows."""
        order = np.random.default_rng(seed).permutation(len(self.rows))
        first, second = np.split(order, [round(share * len(order))])
        return (
            Labelled(self.rows[first], self.labels[first]),
            Labelled(self.rows[second], self.labels[second]),
        )


@dataclass(frozen=True)
class Images:
    """Grey pictures (n, height, width), 0 to 1, and the class of each (n,)."""

    pixels: Floats
    labels: Labels

    @property
    def flat(self) -> Labelled:
        """Each picture as one row of numbers."""
        return Labelled(self.pixels.reshape(len(self.pixels), -1), self.labels)


def two_spirals(n: int = 300, *, noise: float = 0.05, seed: int = 0) -> Labelled:
    """Return points of two arms that wind around each other: no straight line parts them.

    After Lang and Witbrock 1988; within -1 to 1 but for the noise, half the points in each arm.
    """
    rng, labels = _halves(n, noise, seed)
    turn = np.sqrt(rng.random(n)) * 3 * np.pi  # even along the arm
    angle = turn + np.pi * labels
    rows = np.column_stack([np.cos(angle), np.sin(angle)]) * (turn / (3 * np.pi))[:, None]
    return Labelled(rows + noise * rng.normal(size=(n, 2)), labels)


def ring_and_core(n: int = 300, *, noise: float = 0.05, seed: int = 0) -> Labelled:
    """Return a disc of points inside a ring of others: parted by distance, not by direction."""
    rng, labels = _halves(n, noise, seed)
    radius = np.sqrt(np.where(labels == 0, rng.uniform(0, 0.16, n), rng.uniform(0.42, 0.9, n)))
    angle = rng.uniform(0, 2 * np.pi, n)
    rows = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
    return Labelled(rows + noise * rng.normal(size=(n, 2)), labels)


def four_quarters(n: int = 300, *, noise: float = 0.05, seed: int = 0) -> Labelled:
    """Return the exclusive or: opposite quarters of a square belong together."""
    rng, labels = _halves(n, noise, seed)
    side = rng.choice([-1.0, 1.0], size=n)
    sides = np.column_stack([side, np.where(labels == 1, side, -side)])
    rows = sides * rng.uniform(0.08, 0.95, size=(n, 2))
    return Labelled(rows + noise * rng.normal(size=(n, 2)), labels)


def two_clouds(n: int = 300, *, noise: float = 0.05, seed: int = 0) -> Labelled:
    """Return two round clouds, one line apart; noise widens them until they overlap."""
    rng, labels = _halves(n, noise, seed)
    middle = np.where(labels == 1, 0.5, -0.5)[:, None]
    return Labelled(middle + (0.14 + noise) * rng.normal(size=(n, 2)), labels)


def _halves(n: int, noise: float, seed: int) -> tuple[np.random.Generator, Labels]:
    if n < 2 or not 0 <= noise <= 1:
        raise NumbersError(f"n={n}, noise={noise}: at least 2 points and a noise of 0 to 1")
    return np.random.default_rng(seed), np.arange(n) % 2


def load_digits() -> Images:
    """Return 1,797 handwritten digits of 8 x 8 pixels (Alpaydin and Kaynak 1998)."""
    try:
        from sklearn import datasets  # noqa: PLC0415 - heavy, and an extra
    except ImportError:
        raise ImagesError(
            "the digits come with scikit-learn: install ai-roadmap-p0-foundations[digits]"
        ) from None
    rows, labels = datasets.load_digits(return_X_y=True)
    return Images(np.asarray(rows).reshape(-1, 8, 8) / 16.0, np.asarray(labels, dtype=np.int64))


def load_images(
    name: str, folder: Path | None, *, part: str = "train", limit: int | None = None
) -> Images:
    """Return the first `limit` pictures of `mnist` or `fashion-mnist` found in a folder.

    Looked for as `<folder>/images/<name>/` and `<folder>/<name>/`, in the IDX format of LeCun's
    page, gzipped.
    """
    if name not in FOLDER_NAMES or part not in _FILES:
        raise ImagesError(f"{name!r}, {part!r}: {', '.join(FOLDER_NAMES)} with train or test")
    if folder is None:
        raise ImagesError(f"{name} is read from a folder of data sets: set ROADMAP_DATASETS")
    homes = [folder / "images" / name, folder / name]
    home = next((one for one in homes if one.is_dir()), None)
    if home is None:
        raise ImagesError(f"{name} is not in {folder}: looked for {homes[0]} and {homes[1]}")
    prefix = _FILES[part]
    labels = _read_idx(home / f"{prefix}-labels-idx1-ubyte.gz", "labels", limit)
    pixels = _read_idx(home / f"{prefix}-images-idx3-ubyte.gz", "images", limit)
    return Images(pixels / 255.0, labels.astype(np.int64))


def _read_idx(path: Path, kind: str, limit: int | None) -> NDArray[np.uint8]:
    """Read bytes after a header of big-endian sizes."""
    try:
        with gzip.open(path) as file:
            header = np.frombuffer(file.read(_HEADER_BYTES[kind]), dtype=">i4")
            shape = [int(size) for size in header[1:]]
            n = shape[0] if limit is None else min(limit, shape[0])
            size = n * int(np.prod(shape[1:]))
            return np.frombuffer(file.read(size), dtype=np.uint8).reshape(n, *shape[1:])
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise ImagesError(f"{path} is not a gzipped IDX file of {kind}: {error}") from error
