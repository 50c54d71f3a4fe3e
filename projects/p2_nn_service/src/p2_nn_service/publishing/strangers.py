"""Images unlike what was learned from, made or found: what telling strangers is measured with.

All are of the model's own shape, as stored: uint8 (n, channels, height, width).
"""

import string
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from p2_nn_service.data.catalogue import find
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.errors import DatasetError
from p2_nn_service.settings import Settings

Stored = NDArray[np.uint8]
N_STRANGERS = 2000
OTHERS = ("mnist", "fashion-mnist")


def strangers(known: Dataset, settings: Settings, *, seed: int = 0) -> Iterator[tuple[str, Stored]]:
    """Yield each kind of stranger by name: noise, letters, known images changed, other data sets.

    Another data set is taken only where it lies on this machine.
    """
    chance = np.random.default_rng(seed)
    images = np.asarray(known.inputs[:N_STRANGERS], np.uint8)
    yield "noise", chance.integers(0, 256, images.shape, dtype=np.uint8)
    yield "letters", letters(known.shape, min(N_STRANGERS, 520), chance)
    yield "inverted", 255 - images
    if known.shape[1] == known.shape[2]:
        yield "turned a quarter", np.ascontiguousarray(np.rot90(images, axes=(2, 3)))
    for name in OTHERS:
        if name != known.name and (found := _other(name, known.shape, settings)) is not None:
            yield name, found


def letters(shape: tuple[int, ...], n: int, chance: np.random.Generator) -> Stored:
    """Draw letters, light on dark, where chance has it."""
    channels, height, width = shape
    font = ImageFont.load_default(size=max(8, round(0.7 * height)))
    drawn = np.empty((n, channels, height, width), np.uint8)
    for one in drawn:
        image = Image.new("L", (width, height))
        at = chance.integers(0, max(1, width // 4)), chance.integers(0, max(1, height // 8))
        letter = string.ascii_letters[chance.integers(len(string.ascii_letters))]
        ImageDraw.Draw(image).text((int(at[0]), int(at[1])), letter, fill=255, font=font)
        one[:] = np.asarray(image)
    return drawn


def _other(name: str, shape: tuple[int, ...], settings: Settings) -> Stored | None:
    folders = [settings.data_dir / "datasets" / name]
    if settings.datasets_dir:
        folders.append(settings.datasets_dir / "images" / name)
    if not any(len(list(folder.glob("*.gz"))) == 2 for folder in folders):
        return None  # nothing is downloaded for this
    try:
        other = find(name, settings)
    except DatasetError:
        return None
    return np.asarray(other.inputs[:N_STRANGERS], np.uint8) if other.shape == shape else None
