"""What a picture file says of itself, read from its bytes before anything is decoded.

Five formats are known by their content, never by a name. `inspect` finds the size, the turn that
a camera noted and whether there are more frames, and keeps of the file only what makes the pixels
of its first frame: colour profiles, texts and later frames never reach a decoder. Read next:
`pictures.py`, which decodes what is left.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from p2_nn_service.errors import PictureError

Part = TypeVar("Part")
Format = Literal["PNG", "JPEG", "WebP", "GIF", "BMP"]
ACCEPTED = "PNG, JPEG, WebP, GIF or BMP"
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_DROPPED = frozenset((*range(0xE1, 0xEE), 0xEF, 0xFE))  # 0xE0 JFIF and 0xEE Adobe are kept
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]", re.DOTALL)  # with a segment after it
_MAX_PARTS = 20_000
"""Most chunks or segments of a file: thousands are usual in the largest, millions are an attack."""
_ORIENTATION = 0x0112
_OTHERS = {
    b"%PDF": "a PDF",
    b"II*\x00": "a TIFF",
    b"MM\x00*": "a TIFF",
    b"8BPS": "a Photoshop file",
    b"\x1f\x8b": "a gzipped file",
    b"PK\x03\x04": "a ZIP archive",
    b"\x00\x00\x01\x00": "an icon",
    b"\x93NUMPY": "a NumPy file",
}


@dataclass(frozen=True)
class Header:
    """The first frame of a picture file: what it is, and the bytes that make its pixels."""

    format: Format
    width: int
    height: int
    content: bytes
    orientation: int = 1
    """As EXIF counts (CIPA DC-008, table 4): 1 is upright, 6 and 8 lie on a side."""
    is_animated: bool = False


def inspect(data: bytes) -> Header:
    """Return what the file says of itself; `PictureError` for what is no picture or cut off."""
    try:
        header = _inspect(data)
    except (IndexError, struct.error):
        raise PictureError("ends too early: the file is cut off or damaged") from None
    if header.width == 0 or header.height == 0:
        raise PictureError(f"is {header.width} x {header.height}: it has no pixels")
    return header


def _inspect(data: bytes) -> Header:
    if data.startswith(_PNG):
        return _inspect_png(data)
    if data.startswith(b"\xff\xd8\xff"):
        return _inspect_jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _inspect_webp(data)
    if data[:6] in {b"GIF87a", b"GIF89a"}:
        return _inspect_gif(data)
    if data[:2] == b"BM":
        return _inspect_bmp(data)
    raise PictureError(f"is {_name_of_other(data)}", accepted=ACCEPTED)


def _name_of_other(data: bytes) -> str:
    if not data:
        return "empty"
    text = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in text:
        return "an SVG drawing, not pixels"
    if data[4:8] == b"ftyp":
        return f"a file of the kind {data[8:12].decode('ascii', 'replace').strip()!r}"
    known = (name for magic, name in _OTHERS.items() if data.startswith(magic))
    return next(known, "not a picture of a kind that is known")


def _counted(parts: Iterator[Part]) -> Iterator[Part]:
    for n, part in enumerate(parts):
        if n == _MAX_PARTS:
            raise PictureError(f"has more than {_MAX_PARTS:,} parts: the file is damaged")
        yield part


# ------------------------------------------------------------------------- PNG (ISO/IEC 15948)
def _inspect_png(data: bytes) -> Header:
    width, height = struct.unpack_from(">II", data, 16)
    if data[12:16] != b"IHDR":
        raise PictureError("is a PNG without its header: the file is damaged")
    kept, orientation, is_animated = [_PNG], 1, False
    for chunk in _counted(_png_chunks(data)):
        kind = chunk[4:8]
        if kind in _PNG_KEPT:
            kept.append(chunk)
        elif kind == b"eXIf":
            orientation = _orientation(chunk[8:-4])
        elif kind == b"acTL":
            is_animated = chunk[8:12] > b"\x00\x00\x00\x01"
    return Header("PNG", width, height, b"".join(kept), orientation, is_animated)


def _png_chunks(data: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at : at + 12 + length]
        at += 12 + length


# -------------------------------------------------------------------------- JPEG (ITU T.81, B.1)
def _inspect_jpeg(data: bytes) -> Header:
    kept, orientation, size = [data[:2]], 1, None
    for segment in _counted(_jpeg_segments(data)):
        marker = segment[1]
        if marker in _JPEG_SIZES and size is None:
            size = struct.unpack_from(">HH", segment, 5)
        if marker == 0xE1 and segment[4:10] == b"Exif\x00\x00":
            orientation = _orientation(segment[10:])
        if marker not in _JPEG_DROPPED:
            kept.append(segment)
    if size is None:
        raise PictureError("is a JPEG without its size: the file is damaged")
    return Header("JPEG", size[1], size[0], b"".join(kept), orientation)


def _jpeg_segments(data: bytes) -> Iterator[bytes]:
    """Yield each segment up to the scan, then all the rest; stray bytes between are left out."""
    at = 2
    while found := _JPEG_MARKER.search(data, at):
        at = found.start()
        if data[at + 1] == 0xDA:  # start of scan: what follows is pixels
            yield data[at:]
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield data[at : at + 2 + length]
        at += 2 + length
    raise PictureError("ends before its pixels: the JPEG file is cut off or damaged")


# ---------------------------------------------------------------------------- WebP (RFC 9649)
def _inspect_webp(data: bytes) -> Header:
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
        return Header("WebP", width, height, data)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return Header("WebP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, data)
    if kind != b"VP8X" or len(data) < 30:
        raise PictureError("is a WebP file without a picture in it: the file is damaged")
    flags = data[20]
    width, height = (1 + int.from_bytes(data[k : k + 3], "little") for k in (24, 27))
    exif = next((body for name, body in _counted(_riff_chunks(data)) if name == b"EXIF"), b"")
    orientation = _orientation(exif.removeprefix(b"Exif\x00\x00"))
    return Header("WebP", width, height, data, orientation, is_animated=bool(flags & 2))


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


# ------------------------------------------------------------------------------------ GIF (89a)
def _inspect_gif(data: bytes) -> Header:
    """Keep the first frame; the canvas is widened where that frame reaches out of it."""
    width, height = struct.unpack_from("<HH", data, 6)
    at = 13 + _gif_colours(data[10])
    while data[at] == 0x21:  # an extension: a label, then blocks
        at = _after_gif_blocks(data, at + 2)
    if data[at] != 0x2C:
        raise PictureError("is a GIF without a frame: the file is cut off or damaged")
    left, top, wide, high = struct.unpack_from("<HHHH", data, at + 1)
    if wide == 0 or high == 0:
        raise PictureError(f"has a first frame of {wide} x {high}: it has no pixels")
    end = _after_gif_blocks(data, at + 11 + _gif_colours(data[at + 9]))
    size = max(width, left + wide), max(height, top + high)
    return Header("GIF", *size, data[:end] + b";", is_animated=_has_gif_frame(data, end))


def _has_gif_frame(data: bytes, at: int) -> bool:
    try:
        while data[at] == 0x21:
            at = _after_gif_blocks(data, at + 2)
        return data[at] == 0x2C
    except IndexError:  # cut off after the first frame, which is all that is read
        return False


def _gif_colours(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_gif_blocks(data: bytes, at: int) -> int:
    while length := data[at]:
        at += 1 + length
    return at + 1


# ----------------------------------------------------------------------------------------- BMP
def _inspect_bmp(data: bytes) -> Header:
    (header,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
    return Header("BMP", abs(width), abs(height), data)


# ---------------------------------------------------------------------------- EXIF (CIPA DC-008)
def _orientation(exif: bytes) -> int:
    """Return how the camera lay; 1 where the note is missing or makes no sense."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (n_entries,) = struct.unpack_from(f"{order}H", exif, start)
        for at in range(start + 2, start + 2 + 12 * n_entries, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, at)
            if tag == _ORIENTATION:
                return value if kind == 3 and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
