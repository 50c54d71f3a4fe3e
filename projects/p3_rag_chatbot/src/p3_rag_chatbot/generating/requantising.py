"""The generator's weights in the form that is fastest here: made once, kept by content.

The published file is Q4_1, which llama.cpp multiplies slowly: a prompt takes 1.6 times as long as
with Q8_0. Rounding 4-bit numbers to 8 bits loses next to nothing. A file that a person names
themselves is left as it is. Format: github.com/ggml-org/ggml, docs/gguf.md (version 3).
"""

import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader, LlamaFileType, ReaderTensor
from gguf.quants import dequantize, quantize
from typing_extensions import override

from p3_rag_chatbot.errors import WeightsError

Q8_0 = GGMLQuantizationType.Q8_0
FILE_TYPES = {
    GGMLQuantizationType.Q8_0: LlamaFileType.MOSTLY_Q8_0,
    GGMLQuantizationType.Q4_0: LlamaFileType.MOSTLY_Q4_0,
}
SLOW_KINDS = frozenset(
    {
        GGMLQuantizationType.Q4_1,
        GGMLQuantizationType.Q5_0,
        GGMLQuantizationType.Q5_1,
    }
)
"""What is worth the change; other tensors, those of one dimension among them, stay as they are."""


def requantised(source: Path, folder: Path, digest: str, kind: GGMLQuantizationType = Q8_0) -> Path:
    """Return `source` with its slow tensors as `kind`, from `folder` or newly made there.

    `digest` names the content. Takes seconds the first time. `WeightsError` when the source is no
    GGUF file, or the folder is full or cannot be written.
    """
    try:
        target = folder / f"{source.stem}-{digest[:16]}-{kind.name.lower()}.gguf"
        if not target.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            _write_whole(target, source, kind)
    except OSError as error:
        where = error.filename or folder
        raise WeightsError(
            f"the generator's weights cannot be prepared: {where}: {error.strerror or error}"
        ) from error
    return target


def _write_whole(target: Path, source: Path, kind: GGMLQuantizationType) -> None:
    """Write a file that appears under its name when it is complete, or not at all."""
    with tempfile.NamedTemporaryFile(
        dir=target.parent, prefix=f".{target.stem}-", delete=False
    ) as file:
        made = Path(file.name)
        try:
            _requantise(_opened(source), file, kind)
            file.flush()
            os.fsync(file.fileno())
            made.chmod(0o644)  # as any file; a temporary one is its owner's alone
            made.replace(target)
        except BaseException:
            made.unlink(missing_ok=True)
            raise


class _PlainReader(GGUFReader):
    """Reads the mapped file as a plain array, of which NumPy makes slices several times as fast."""

    @property
    @override
    def data(self) -> npt.NDArray[np.uint8]:  # pyrefly: ignore[bad-override-mutable-attribute] - plain
        """The file's bytes; a change stays in memory."""
        return self._bytes

    @data.setter
    def data(self, mapped: npt.NDArray[np.uint8]) -> None:
        self._bytes = np.asarray(mapped)


def _opened(source: Path) -> GGUFReader:
    try:
        return _PlainReader(source, "c")  # a private copy: the file type is changed in memory
    except (ValueError, IndexError, KeyError) as error:
        raise WeightsError(f"{source} is not a GGUF file: {error}") from error


def _requantise(reader: GGUFReader, file: IO[bytes], kind: GGMLQuantizationType) -> None:
    """Copy everything before the tensors byte by byte, then the tensors, those that are slow anew.

    Each tensor's place must be told before the first one is written; sizes follow from the kinds.
    """
    file_type = reader.fields.get("general.file_type")
    if file_type is not None:
        file_type.parts[file_type.data[0]][0] = FILE_TYPES[kind].value
    file.write(reader.data[: reader.tensors[0].field.offset].tobytes())
    place = 0
    kinds = [kind if tensor.tensor_type in SLOW_KINDS else None for tensor in reader.tensors]
    for tensor, new in zip(reader.tensors, kinds, strict=True):
        file.write(_told(tensor, new or tensor.tensor_type, place))
        place += _padded(_n_bytes(tensor, new), reader.alignment)
    _pad(file, reader.alignment)
    for tensor, new in zip(reader.tensors, kinds, strict=True):
        file.writelines(_rows(tensor, new))
        _pad(file, reader.alignment)


def _told(tensor: ReaderTensor, kind: GGMLQuantizationType, place: int) -> bytes:
    """Tell a tensor: its name, its lengths (the fastest-moving first), its kind and its place."""
    name = tensor.name.encode()
    lengths = tensor.shape.tolist()
    return struct.pack(
        f"<Q{len(name)}sI{len(lengths)}QIQ",
        len(name), name, len(lengths), *lengths, kind.value, place,
    )  # fmt: skip


def _n_bytes(tensor: ReaderTensor, kind: GGMLQuantizationType | None) -> int:
    if kind is None:
        return tensor.n_bytes
    block, n_bytes = GGML_QUANT_SIZES[kind]
    return tensor.n_elements // block * n_bytes


def _rows(tensor: ReaderTensor, kind: GGMLQuantizationType | None) -> Iterator[bytes]:
    """Give a tensor's bytes, some rows at a time: as numbers they take eight times the memory."""
    if kind is None:
        yield tensor.data.tobytes()
        return
    for rows in np.array_split(tensor.data, max(1, len(tensor.data) // 256)):
        yield quantize(dequantize(rows, tensor.tensor_type), kind).tobytes()


def _padded(n: int, alignment: int) -> int:
    return (n + alignment - 1) // alignment * alignment


def _pad(file: IO[bytes], alignment: int) -> None:
    file.write(b"\0" * (_padded(file.tell(), alignment) - file.tell()))
