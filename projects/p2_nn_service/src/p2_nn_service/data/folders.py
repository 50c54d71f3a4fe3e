"""A folder of labelled pictures as a data set: one folder a class, every picture one size.

`PATH/<class>/<picture>`, at any depth below the class. Where `PATH` has `train/` beside `test/`,
`val/`, `valid/` or `validation/`, only `train/` is read: the rest stays unseen, to be opened by its
own path. Hidden files are passed over; files that are no picture are set aside and named. Pictures
are decoded and fitted as serving does it (`pictures.py`, `framing.py`).
"""

import math
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from common.progress import progress
from numpy.typing import NDArray

from p2_nn_service.data.datasets import Dataset, check_classes
from p2_nn_service.errors import DatasetError, PictureError
from p2_nn_service.framing import fitted, in_channels
from p2_nn_service.pictures import Picture, read_picture
from p2_nn_service.settings import Settings

MAX_SIDE = 64
MAX_BAD_SHARE = 0.05
_OTHER_PARTS = ("test", "val", "valid", "validation")
_SYSTEM_FILES = frozenset(("thumbs.db", "desktop.ini"))
_LOOKED_AT = 200
_COLOURFUL = 12
"""Largest distance between a grey pixel's channels: what JPEG makes of grey is not exact."""
_NAMED = 5
Unreadable = tuple[Path, PictureError]


@dataclass(frozen=True)
class _Listed:
    """Files of a folder with the class of each, in a fixed order."""

    files: tuple[Path, ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


def read_folder(path: Path, settings: Settings, *, size: int | None = None) -> Dataset:
    """Read every picture below `path`; `size` makes them squares of that side.

    Without `size` they get the commonest size among them, with the longer side at most 64; colour
    is kept when any of a sample has it. `DatasetError` for a class without pictures, too many files
    that are none, or more than the memory that the settings allow.
    """
    root, notes = _training_part(path)
    listed = _list(root)
    check_classes(str(root), listed.classes, listed.labels)
    seen = _sample(path, listed.files, settings)
    height, width = (size, size) if size else _common_size(seen)
    channels = 3 if any(_is_colourful(picture) for picture in seen) else 1
    _check_memory(path, len(listed.files), (channels, height, width), settings)
    inputs, bad = _read_all(path, listed.files, (channels, height, width), settings)
    kept = np.setdiff1d(np.arange(len(listed.files)), list(bad))
    check_classes(str(root), listed.classes, listed.labels[kept])
    chosen = "" if size else ", the commonest size (at most 64)"
    colour = "colour" if channels == 3 else "grey"
    notes += (f"{colour} pictures of {width} x {height}{chosen}",)
    if bad:
        notes += (f"set aside: {_named(path, bad)}",)
    return Dataset(
        name=path.resolve().name,
        inputs=inputs[kept] if bad else inputs,
        labels=listed.labels[kept],
        classes=listed.classes,
        notes=notes,
    )


def _training_part(path: Path) -> tuple[Path, tuple[str, ...]]:
    folders = {folder.name.lower(): folder for folder in _folders_in(path)}
    others = [folders[name].name for name in _OTHER_PARTS if name in folders]
    if "train" not in folders or not others or not _folders_in(folders["train"]):
        return path, ()
    return folders["train"], (f"train/ is read; {', '.join(others)} stays unseen",)


def _folders_in(path: Path) -> list[Path]:
    try:
        found = [one for one in path.iterdir() if one.is_dir() and not one.name.startswith(".")]
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
    return sorted(found)


def _list(root: Path) -> _Listed:
    folders = _folders_in(root)
    if not folders:
        raise DatasetError(f"{root} has no folders: lay pictures as {root}/<class>/<picture>")
    files: list[Path] = []
    labels: list[int] = []
    for k, folder in enumerate(folders):
        found = _files_below(folder)
        files += found
        labels += [k] * len(found)
    return _Listed(
        tuple(files), np.array(labels, dtype=np.int64), tuple(folder.name for folder in folders)
    )


def _files_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        found += [
            Path(place, name)
            for name in sorted(names)
            if not name.startswith(".") and name.lower() not in _SYSTEM_FILES
        ]
    return found


def _read(file: Path, settings: Settings, at_least: int | None = None) -> Picture:
    """Read one file; `PictureError` also when it cannot be opened."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise PictureError(f"cannot be opened: {error.strerror or error}") from error
    limits = {"max_bytes": settings.max_image_bytes, "max_pixels": settings.max_pixels}
    return read_picture(data, **limits, at_least=at_least)


def _sample(path: Path, files: Sequence[Path], settings: Settings) -> list[Picture]:
    """Read some pictures, evenly spread: what size and colour are decided by.

    When most of them are none, the folder is something else, and the rest need not be read.
    """
    rows = np.unique(np.linspace(0, len(files) - 1, _LOOKED_AT).astype(int))
    seen: list[Picture] = []
    bad: dict[int, Unreadable] = {}
    for row in rows:
        try:
            seen.append(_read(files[row], settings, at_least=2 * MAX_SIDE))
        except PictureError as error:
            bad[int(row)] = (files[row], error)
    if len(bad) > len(seen):
        raise DatasetError(
            f"{path}: most of {len(rows)} files looked at are no pictures that can be read: "
            f"{_named(path, bad)}"
        )
    return seen


def _common_size(seen: Sequence[Picture]) -> tuple[int, int]:
    sizes = Counter(picture.pixels.shape[:2] for picture in seen)
    (height, width), _ = max(sizes.items(), key=lambda item: (item[1], item[0]))
    scale = min(1.0, MAX_SIDE / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _is_colourful(picture: Picture) -> bool:
    return picture.pixels.ndim == 3 and int(np.ptp(picture.pixels, axis=2).max()) > _COLOURFUL


def _check_memory(path: Path, n: int, shape: tuple[int, int, int], settings: Settings) -> None:
    n_bytes = n * math.prod(shape)
    if n_bytes > settings.max_dataset_bytes:
        raise DatasetError(
            f"{path}: {n:,} pictures of {' x '.join(map(str, shape))} take {n_bytes:,} bytes; the "
            f"limit is {settings.max_dataset_bytes:,}: raise P2_MAX_DATASET_BYTES or lower "
            "P2_FOLDER_IMAGE_SIZE"
        )


def _read_all(
    path: Path, files: Sequence[Path], shape: tuple[int, int, int], settings: Settings
) -> tuple[NDArray[np.uint8], dict[int, Unreadable]]:
    """Return every picture, and by position those that are none; the error when they are many."""
    inputs = np.zeros((len(files), *shape), dtype=np.uint8)
    bad: dict[int, Unreadable] = {}
    read = partial(_read_fitted, shape=shape, settings=settings)
    with ThreadPoolExecutor() as pool, progress(f"reading {path.name}", len(files)) as advance:
        for k, found in enumerate(pool.map(read, files)):
            advance(1)
            if isinstance(found, PictureError):
                bad[k] = (files[k], found)
            else:
                inputs[k] = found
    if len(bad) > MAX_BAD_SHARE * len(files):
        raise DatasetError(
            f"{path}: more than {MAX_BAD_SHARE:.0%} of {len(files):,} files cannot be read as "
            f"pictures: {_named(path, bad)}"
        )
    return inputs, bad


def _read_fitted(
    file: Path, *, shape: tuple[int, int, int], settings: Settings
) -> NDArray[np.uint8] | PictureError:
    channels, height, width = shape
    try:
        picture = _read(file, settings, at_least=2 * max(height, width))
    except PictureError as error:
        return error
    pixels = fitted(in_channels(picture.pixels, channels), height, width)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _named(root: Path, bad: dict[int, Unreadable]) -> str:
    """Name the first few files that are no pictures, with what is wrong with each."""
    shown = [
        f"{file.relative_to(root)} ({error.fields[0].message})"
        for file, error in list(bad.values())[:_NAMED]
    ]
    more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
    return f"{len(bad)} file{'' if len(bad) == 1 else 's'}: {', '.join(shown)}{more}"
