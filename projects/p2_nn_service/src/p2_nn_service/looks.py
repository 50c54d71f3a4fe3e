"""How pictures lie in their frame: their ground, the thing on it, and the look of a whole set.

A card keeps the look of the pictures that its model was trained on; `framing.py` gives a
stranger's picture the same. No torch.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Grey (h, w) or colour (h, w, 3)."""
_EVEN_SHARE = 0.75
"""Least share of a picture's edge that has one tone, for that tone to be called its ground."""
_EVEN_WITHIN = 24
_CENTRED_WITHIN = 0.08
_MEASURED = 1000


class Look(Protocol):
    """What a model's card says of its training pictures; `contracts.ModelCard` is one."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        ...

    @property
    def is_light_on_dark(self) -> bool | None:
        """Whether things are lighter than their ground; None where there is no even ground."""
        ...

    @property
    def centre(self) -> bool:
        """Whether one thing lies in the middle, on an even ground."""
        ...

    @property
    def margin(self) -> float:
        """Share of the frame that such a thing leaves free on either side."""
        ...

    @property
    def is_centred_by_mass(self) -> bool:
        """Whether its centre of mass lies in the middle, as in MNIST, not its outline's."""
        ...


@dataclass(frozen=True)
class MeasuredLook:
    """The look of pictures, as measured from them."""

    shape: tuple[int, int, int]
    is_light_on_dark: bool | None
    centre: bool = False
    margin: float = 0.0
    is_centred_by_mass: bool = False


def look_of(inputs: Pixels) -> MeasuredLook:
    """Measure the look of training pictures, uint8 of shape (n, channels, height, width).

    At most a thousand of them are looked at, evenly spread.
    """
    _, channels, height, width = inputs.shape
    shape = (channels, height, width)
    rows = np.unique(np.linspace(0, len(inputs) - 1, _MEASURED).astype(int))
    seen = [(pixels, ground_of(pixels)) for pixels in inputs[rows].transpose(0, 2, 3, 1)]
    on_ground = [(pixels, ground) for pixels, ground in seen if ground is not None]
    light = np.mean([np.mean(ground) > 127.5 for _, ground in on_ground] or [0.5])
    if len(on_ground) < 0.8 * len(seen) or 0.2 < light < 0.8:
        return MeasuredLook(shape, None)
    boxes: list[tuple[int, int, int, int]] = []
    masses: list[tuple[float, float]] = []
    for pixels, ground in on_ground:
        if box := box_of_thing(pixels, ground):
            boxes.append(box)
            masses.append(centre_of_mass(pixels, ground))
    is_light_on_dark = bool(light < 0.5)
    if not boxes:
        return MeasuredLook(shape, is_light_on_dark)
    spans = np.array(boxes).reshape(-1, 2, 2) / np.array([[height], [width]])
    off_outline = np.abs(spans.mean(axis=2) - 0.5).max(axis=1)
    off_mass = np.abs(np.array(masses) - 0.5).max(axis=1)
    by_mass = bool(off_mass.mean() < off_outline.mean())
    if np.median(off_mass if by_mass else off_outline) > _CENTRED_WITHIN:
        return MeasuredLook(shape, is_light_on_dark)
    longest = float(np.median((spans[..., 1] - spans[..., 0]).max(axis=1)))
    margin = round((1 - longest) / 2, 3)
    return MeasuredLook(shape, is_light_on_dark, True, margin, by_mass)


def edge_of(pixels: Pixels) -> Pixels:
    """Return the pixels along the sides, a fiftieth of the shorter side deep: (n, channels)."""
    deep = max(1, min(pixels.shape[:2]) // 50)
    flat = pixels[..., None] if pixels.ndim == 2 else pixels
    sides = (flat[:deep], flat[-deep:], flat[:, :deep], flat[:, -deep:])
    return np.concatenate([side.reshape(-1, flat.shape[2]) for side in sides])


def median_tone(edge: Pixels) -> Pixels:
    """Return the middle value of each channel."""
    return np.median(edge, axis=0).astype(np.uint8)


def ground_of(pixels: Pixels) -> Pixels | None:
    """Return the tone that a picture's edge has nearly all over, by channel; None without one."""
    edge = edge_of(pixels)
    tone = median_tone(edge)
    away = np.abs(edge.astype(np.int16) - tone).max(axis=1)
    return tone if np.mean(away <= _EVEN_WITHIN) >= _EVEN_SHARE else None


def box_of_thing(pixels: Pixels, ground: Pixels) -> tuple[int, int, int, int] | None:
    """Return top, bottom, left and right of what stands out from the ground; None if nothing."""
    away = _away_from(ground, pixels)
    stands_out = away > max(_EVEN_WITHIN, 0.2 * away.max())
    rows, columns = (np.flatnonzero(stands_out.any(axis=axis)) for axis in (1, 0))
    if len(rows) == 0:
        return None
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def centre_of_mass(pixels: Pixels, ground: Pixels) -> tuple[float, float]:
    """Return where the weight of what stands out lies, in shares of height and width."""
    away = _away_from(ground, pixels)
    total = max(float(away.sum()), 1.0)
    down, across = (away.sum(axis=axis, dtype=np.float64) for axis in (1, 0))
    middles = (np.arange(len(part)) + 0.5 for part in (down, across))
    y, x = (float(m @ part) / total for m, part in zip(middles, (down, across), strict=True))
    return y / len(down), x / len(across)


def _away_from(ground: Pixels, pixels: Pixels) -> NDArray[np.int16]:
    flat = pixels[..., None] if pixels.ndim == 2 else pixels
    return np.abs(flat.astype(np.int16) - ground).max(axis=2)
