"""From a picture as a person sees it to the input that a model was trained on, by its card.

`frame` gives a stranger's picture the look of training's (`looks.py`) and says in words what that
took. Folders of pictures are read through `fitted` too, so that what is served is prepared as what
was learned from. No torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from p2_nn_service.errors import PictureError
from p2_nn_service.looks import (
    Look,
    Pixels,
    box_of_thing,
    centre_of_mass,
    edge_of,
    ground_of,
    median_tone,
)
from p2_nn_service.pictures import Picture

_LONGEST_SIDE = 1024
"""Longer pictures are shrunk to about this before anything is looked for in them."""


@dataclass(frozen=True)
class Framed:
    """A model's input, float32 of shape (channels, height, width) and 0 to 1; how it came to be."""

    pixels: NDArray[np.float32]
    done: tuple[str, ...] = ()


def frame(picture: Picture, look: Look) -> Framed:
    """Give a picture the look of training's; one of the very size goes through as it is.

    Where the card asks for it and the picture has an even ground, it is cut to the thing on it;
    it is inverted when its ground is light and training's was dark, or the reverse. Shrinking
    averages over areas; the sides keep their proportion and what is left is filled with the ground.
    """
    channels, height, width = look.shape
    done = list(picture.done)
    bounded = _bounded(picture.pixels, (height, width))
    pixels = in_channels(bounded, channels)
    if pixels.ndim < bounded.ndim and np.ptp(bounded, axis=2).max() > 0:
        done.append("colours turned into grey")
    if pixels.shape[:2] == (height, width):
        return Framed(_as_input(pixels), tuple(done))
    ground = ground_of(pixels)
    box = None if ground is None or not look.centre else box_of_thing(pixels, ground)
    if ground is None or box is None:
        pixels = fitted(pixels, height, width)
    else:
        top, bottom, left, right = box
        thing = pixels[top:bottom, left:right]
        focus = centre_of_mass(thing, ground) if look.is_centred_by_mass else (0.5, 0.5)
        pixels = fitted(thing, height, width, margin=look.margin, ground=ground, focus=focus)
        done.append("cut to the thing on its ground, which is put in the middle")
    high, wide = picture.pixels.shape[:2]
    done.append(f"resized from {wide} x {high} to {width} x {height}")
    is_light = ground is not None and float(np.mean(ground)) > 127.5
    if ground is not None and is_light == look.is_light_on_dark:
        pixels = 255 - pixels
        learned = "light things on dark" if look.is_light_on_dark else "dark things on light"
        done.append(f"inverted: the model learned from {learned}")
    return Framed(_as_input(pixels), tuple(done))


def fitted(
    pixels: Pixels,
    height: int,
    width: int,
    *,
    margin: float = 0.0,
    ground: Pixels | None = None,
    focus: tuple[float, float] = (0.5, 0.5),
) -> Pixels:
    """Resize to exactly that size; proportions are kept and the rest is filled with `ground`.

    Without `ground` it is filled with the median tone of the picture's edge. `margin` is the share
    of the frame left free on each side; `focus` the point, in shares of height and width, that
    comes as near to the frame's middle as the frame allows.
    """
    high, wide = pixels.shape[:2]
    scale = (1 - 2 * margin) * min(height / high, width / wide)
    new_high = min(height, max(1, round(high * scale)))
    new_wide = min(width, max(1, round(wide * scale)))
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    small = np.asarray(Image.fromarray(pixels).resize((new_wide, new_high), how))
    if small.shape[:2] == (height, width):
        return small
    canvas = np.empty((height, width, *pixels.shape[2:]), dtype=np.uint8)
    canvas[:] = median_tone(edge_of(pixels)) if ground is None else ground
    top = min(max(round(height / 2 - focus[0] * new_high), 0), height - new_high)
    left = min(max(round(width / 2 - focus[1] * new_wide), 0), width - new_wide)
    canvas[top : top + new_high, left : left + new_wide] = small
    return canvas


def in_channels(pixels: Pixels, channels: int) -> Pixels:
    """Return (h, w) for a grey model and (h, w, 3) for one that sees colour."""
    if channels == 1 and pixels.ndim == 3:
        return np.asarray(Image.fromarray(pixels).convert("L"))
    if channels == 3 and pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    return pixels


def from_array(values: object, look: Look) -> Framed:
    """Read a picture sent as numbers: height by width for a grey model, or channels first.

    The shape is the model's own. Numbers run from 0 to 1 when none is above 1, else from 0 to 255
    and are divided by it. `PictureError` names the entry that does not fit, such as `array.3.5`.
    """
    channels, height, width = look.shape
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError, TypeError):
        array = np.empty(0)
    shapes = ((channels, height, width), *([(height, width)] if channels == 1 else []))
    fits = array.dtype.kind in "iuf" and array.shape in shapes
    if not fits or not (array.min() >= 0 and array.max() <= 255):  # NaN is neither
        _refuse_array(values, shapes)
    pixels = array.astype(np.float32).reshape(look.shape)
    if pixels.max() <= 1:
        return Framed(pixels)
    return Framed(pixels / np.float32(255), ("numbers up to 255 divided by 255",))


def _refuse_array(values: object, shapes: tuple[tuple[int, ...], ...]) -> None:
    """Raise `PictureError` with the place of the first entry that is at fault."""
    depth, within = 0, values
    while (entries := _entries(within)) and depth < 4:
        depth, within = depth + 1, entries[0]
    shape = next((one for one in shapes if len(one) == depth), None)
    if shape is None:
        accepted = " or ".join(" x ".join(map(str, one)) for one in reversed(shapes))
        kind = f"nested {depth} deep" if depth else "not a list of numbers"
        raise PictureError(f"is {kind}", field="array", accepted=f"{accepted} numbers")
    _check_entry(values, shape, "array")


def _check_entry(values: object, shape: tuple[int, ...], field: str) -> None:
    if not shape:
        is_number = isinstance(values, int | float) and not isinstance(values, bool)
        if not is_number or not 0 <= values <= 255:
            shown = repr(values)[:40]
            raise PictureError(f"is {shown}", field=field, accepted="0 to 1, or 0 to 255")
        return
    entries = _entries(values)
    if entries is None:
        raise PictureError("is not a list", field=field, accepted=f"{shape[0]} entries")
    if len(entries) != shape[0]:
        raise PictureError(f"has {len(entries)} entries", field=field, accepted=f"{shape[0]}")
    for k, entry in enumerate(entries):
        _check_entry(entry, shape[1:], f"{field}.{k}")


def _entries(values: object) -> Sequence[object] | None:
    return cast("Sequence[object]", values) if type(values) in {list, tuple} else None


def _bounded(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Average a very large picture down by a whole factor; one of the model's size stays."""
    factor = max(pixels.shape[:2]) // _LONGEST_SIDE
    if factor < 2 or pixels.shape[:2] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).reduce(factor))


def _as_input(pixels: Pixels) -> NDArray[np.float32]:
    first = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return np.ascontiguousarray(first, dtype=np.float32) / np.float32(255)
