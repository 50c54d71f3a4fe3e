"""The IDX format of MNIST (LeCun, Cortes and Burges 1998): bytes after a header of sizes.

The header is big-endian: two zero bytes, the type (8: unsigned byte), the number of dimensions,
then each size as four bytes. Files may be gzipped. Knows no data set.
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from p2_nn_service.errors import DatasetError

_GZIP = b"\x1f\x8b"
_BYTES = 8
_PIECE = 1 << 20


def read_idx(path: Path, n_dims: int, *, max_bytes: int) -> NDArray[np.uint8]:
    """Return the file's array; `DatasetError` names a file that is not whole or of another form.

    No more is read than the header announces, and nothing when that is above `max_bytes`.
    """
    try:
        with path.open("rb") as raw:
            is_gzipped = raw.read(2) == _GZIP
            raw.seek(0)
            file = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if is_gzipped else raw
            return _read(path, file, n_dims, max_bytes)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DatasetError(f"{path}: its compressed content is cut off or damaged") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error


def read_labelled_images(
    images: Path, labels: Path, *, max_bytes: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images (n, 1, height, width) and labels (n,) of two files that belong together."""
    pixels = read_idx(images, 3, max_bytes=max_bytes)
    numbers = read_idx(labels, 1, max_bytes=max_bytes)
    if len(pixels) != len(numbers):
        raise DatasetError(
            f"{labels} has {len(numbers):,} labels for the {len(pixels):,} images of {images.name}"
        )
    return pixels[:, None], numbers.astype(np.int64)


def _read(path: Path, file: BinaryIO, n_dims: int, max_bytes: int) -> NDArray[np.uint8]:
    header = file.read(4 + 4 * n_dims)
    expected = bytes((0, 0, _BYTES, n_dims))
    if header[:4] != expected:
        raise DatasetError(
            f"{path}: begins with {header[:4].hex(' ') or 'nothing'}, not with "
            f"{expected.hex(' ')}: it is no IDX file of bytes in {n_dims} dimension"
            f"{'' if n_dims == 1 else 's'}"
        )
    if len(header) < 4 + 4 * n_dims:
        raise DatasetError(f"{path}: ends within its header")
    shape = tuple(int(size) for size in np.frombuffer(header[4:], dtype=">u4"))
    n_bytes = math.prod(shape)
    if n_bytes > max_bytes:
        raise DatasetError(
            f"{path}: announces {n_bytes:,} bytes; the limit is {max_bytes:,} "
            "(P2_MAX_DATASET_BYTES)"
        )
    content = bytearray()
    while len(content) <= n_bytes and (piece := file.read(min(_PIECE, n_bytes + 1 - len(content)))):
        content += piece
    if len(content) != n_bytes:
        has = "goes on" if len(content) > n_bytes else f"ends after {len(content):,} bytes"
        raise DatasetError(f"{path}: announces {n_bytes:,} bytes of {shape} and {has}")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
