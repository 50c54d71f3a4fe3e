"""A stranger's picture file turned into pixels, safely; serving and training read through here.

The size is known from the header before anything is decoded, and a decoder sees only what makes
the pixels (`picture_files.py`). What was done on the way is said in words. Read next: `framing.py`,
which makes the model's input of a picture.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)
from PIL.ImageFile import ImageFile

from p2_nn_service.errors import PictureError, PictureTooLargeError
from p2_nn_service.picture_files import Format, Header, inspect

_DECODERS: Mapping[Format, Callable[[IO[bytes]], ImageFile]] = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
}
_LIGHT_THING = 170
"""Mean lightness, of 255, above which a transparent thing would be lost on a white ground."""
_LIGHTNESS_SIDE = 512
"""Pixels along the longer side that lightness is taken from."""
_UPRIGHT: Mapping[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: np.rot90,
}


@dataclass(frozen=True)
class Picture:
    """Pixels as seen, upright: uint8 of shape (h, w) when grey, (h, w, 3) in colour.

    `done` says in words what reading changed, in order.
    """

    pixels: NDArray[np.uint8]
    done: tuple[str, ...] = ()


def read_picture(
    data: bytes, *, max_bytes: int, max_pixels: int, at_least: int | None = None
) -> Picture:
    """Decode a PNG, JPEG, WebP, GIF or BMP file, known by its content.

    Of an animation the first frame is read; colour profiles are ignored. With `at_least`, a JPEG
    may come smaller than it is, by a whole factor, with no side below that; the sooner for it.
    Raises `PictureTooLargeError` before decoding and `PictureError` for what is no picture.
    """
    if len(data) > max_bytes:
        raise PictureTooLargeError(f"has {len(data):,} bytes; the limit is {max_bytes:,}")
    header = inspect(data)
    if header.width * header.height > max_pixels:
        raise PictureTooLargeError(
            f"has {header.width:,} x {header.height:,} pixels; the limit is {max_pixels:,} in all"
        )
    done = ["only its first frame is seen"] if header.is_animated else []
    pixels = _pixels(_decode(header, at_least), done)
    if header.orientation != 1:
        pixels = np.ascontiguousarray(_UPRIGHT[header.orientation](pixels))
        done.append("turned upright, as the camera noted")
    return Picture(pixels, tuple(done))


def _decode(header: Header, at_least: int | None) -> Image.Image:
    try:
        image = _DECODERS[header.format](BytesIO(header.content))
        is_as_announced = image.size == (header.width, header.height)
        if is_as_announced:
            if at_least is not None:
                image.draft(None, (at_least, at_least))
            image.load()
    except Exception as error:  # what a decoder raises on a stranger's bytes is open
        raise PictureError(
            f"cannot be decoded: the {header.format} file is cut off or damaged"
        ) from error
    if not is_as_announced:
        raise PictureError(f"has another size in its {header.format} header than in its content")
    return image


def _pixels(image: Image.Image, done: list[str]) -> NDArray[np.uint8]:
    """Return 8-bit grey or RGB; adds to `done` what that took."""
    if image.mode.startswith("I"):
        done.append("16-bit grey scaled to 8 bits")
        deep = np.asarray(image).astype(np.uint32)
        return ((deep * 255 + 32_767) // 65_535).astype(np.uint8)
    if image.mode.endswith(("A", "a")) or "transparency" in image.info:
        return _on_ground(image, done)
    if image.mode == "CMYK":
        done.append("inks (CMYK) turned into RGB")
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode not in {"L", "RGB"}:
        image = image.convert("RGB")
    return np.asarray(image)


def _on_ground(image: Image.Image, done: list[str]) -> NDArray[np.uint8]:
    """Lay a transparent picture on white, or on black when what is seen of it is light."""
    is_grey = image.mode in {"1", "L", "LA", "La"}
    layered = image.convert("LA" if is_grey else "RGBA")
    alpha = layered.getchannel("A")
    flat = layered.convert("L" if is_grey else "RGB")
    if alpha.getextrema() == (255, 255):
        return np.asarray(flat)
    step = max(1, max(flat.size) // _LIGHTNESS_SIDE)
    weights = np.asarray(alpha)[::step, ::step].astype(np.float32)
    seen = weights.sum()
    lightness = (
        (np.asarray(flat.convert("L"))[::step, ::step] * weights).sum() / seen if seen else 0
    )
    name = "black" if lightness > _LIGHT_THING else "white"
    ground = Image.new(flat.mode, flat.size, name)
    ground.paste(flat, mask=alpha)
    done.append(f"its transparent parts laid on {name}")
    return np.asarray(ground)
