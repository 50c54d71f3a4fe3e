"""Where a data set is found: by a name this service knows, or by the path of a folder or file.

Known sets are looked for on this machine first and fetched from their official address last.
Read next: `folders.py` and `series.py`, which read what a person brings.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from common.downloads import DownloadError, RemoteFile, fetch

from p2_nn_service.data.datasets import Dataset, check_classes
from p2_nn_service.data.folders import read_folder
from p2_nn_service.data.idx import read_labelled_images
from p2_nn_service.data.series import SUFFIXES, read_series
from p2_nn_service.errors import DatasetError, DatasetUnavailableError
from p2_nn_service.settings import Settings


@dataclass(frozen=True)
class KnownSet:
    """A published data set of images in IDX files: its training part."""

    name: str
    images: RemoteFile
    labels: RemoteFile
    classes: tuple[str, ...]
    licence: str


_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
_DIGITS = "https://ossci-datasets.s3.amazonaws.com/mnist"

CATALOGUE: Mapping[str, KnownSet] = {
    "fashion-mnist": KnownSet(
        name="fashion-mnist",
        images=RemoteFile(
            f"{_FASHION}/train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            26_421_880,
        ),
        labels=RemoteFile(
            f"{_FASHION}/train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            29_515,
        ),
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        licence="MIT",
    ),
    "mnist": KnownSet(
        name="mnist",
        images=RemoteFile(
            f"{_DIGITS}/train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
        ),
        labels=RemoteFile(
            f"{_DIGITS}/train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
        ),
        classes=tuple(str(digit) for digit in range(10)),
        licence="CC BY-SA 3.0",
    ),
}


def find(
    source: str, settings: Settings, *, catalogue: Mapping[str, KnownSet] = CATALOGUE
) -> Dataset:
    """Open a data set by name, else by path; see `open_dataset`.

    A name wins: a folder that is called like a known set is opened as `./name`. A folder may hold
    labelled pictures, or IDX files under the names that MNIST gave them.
    """
    if source in catalogue:
        return _open_known(catalogue[source], settings)
    path = Path(source).expanduser()
    if not source.strip() or not path.exists():
        raise DatasetError(_unknown(source, list(catalogue)))
    pair = path / "train-images-idx3-ubyte.gz", path / "train-labels-idx1-ubyte.gz"
    if all(file.is_file() for file in pair):
        return _read_pair(path.resolve().name, *pair, settings)
    if path.is_dir():
        return read_folder(path, settings, size=settings.folder_image_size)
    if path.suffix.lower() in SUFFIXES:
        return read_series(path, settings)
    raise DatasetError(f"{path}: accepted: a folder of labelled images, a .ts file or a CSV table")


def _open_known(known: KnownSet, settings: Settings) -> Dataset:
    images, labels = _locate(known, settings)
    found = _read_pair(known.name, images, labels, settings, classes=known.classes)
    return replace(found, licence=known.licence)


def _read_pair(
    name: str, images: Path, labels: Path, settings: Settings, classes: tuple[str, ...] = ()
) -> Dataset:
    """Read two IDX files that belong together; without `classes` the labels' numbers name them."""
    pixels, numbers = read_labelled_images(images, labels, max_bytes=settings.max_dataset_bytes)
    largest = int(numbers.max(initial=0))
    classes = classes or tuple(str(k) for k in range(largest + 1))
    if largest >= len(classes):
        raise DatasetError(
            f"{labels}: label {largest}; {name} has the labels 0 to {len(classes) - 1}"
        )
    check_classes(str(labels), classes, numbers)
    return Dataset(name, pixels, numbers, classes, notes=(f"read from {images.parent}",))


def _locate(known: KnownSet, settings: Settings) -> tuple[Path, Path]:
    """Return where both files lie, fetching them when they are nowhere on this machine."""
    home = settings.data_dir / "datasets" / known.name
    own = settings.datasets_dir
    for folder in (own / "images" / known.name, home) if own else (home,):
        found = (folder / known.images.name, folder / known.labels.name)
        if all(path.is_file() for path in found):
            return found
    try:
        files = (known.images, known.labels)
        images, labels = (fetch(file, home / file.name) for file in files)
    except DownloadError as error:
        raise DatasetUnavailableError(
            f"{known.name} is not on this machine, and {error}. By hand: put "
            f"{known.images.name} and {known.labels.name} into {home}, or name a folder that has "
            f"images/{known.name}/ with ROADMAP_DATASETS"
        ) from error
    return images, labels


def _unknown(source: str, names: list[str]) -> str:
    near = difflib.get_close_matches(source.lower(), names, n=2, cutoff=0.5)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return (
        f"there is no data set {source!r}, by name or as a path: {meant}Known names: "
        f"{', '.join(names)}; a path to a folder of labelled images, a .ts file or a CSV table "
        "works too"
    )
