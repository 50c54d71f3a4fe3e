"""What a ZIP archive holds, one file at a time, within limits that are checked while it unpacks.

Names that lead out of the archive, encrypted members and archives deep inside others are refused.
"""

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from typing_extensions import override

from p3_rag_chatbot.errors import DocumentError, DocumentTooLargeError
from p3_rag_chatbot.ingestion.formats import format_of, is_archive
from p3_rag_chatbot.ingestion.loading import RawDocument
from p3_rag_chatbot.settings import Settings

# What reading a broken member raises; RuntimeError also for a way of packing that is not known.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)
MAX_DEPTH = 3
MAX_RATIO = 200  # bytes unpacked from one packed byte; texts are below 20
_FREE_BYTES = 1 << 20  # of a member, whatever its ratio: a small one harms nobody
_PIECE = 1 << 18
_ENTRY_BYTES = 512  # of the table of contents, for a file with a long name


@dataclass
class Allowance:
    """What is left of what an archive, with those inside it, may unpack to."""

    source: str
    n_bytes: int
    n_files: int
    max_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.max_bytes = self.n_bytes

    def take_file(self) -> None:
        """Count a file; `DocumentTooLargeError` when there are too many."""
        self.n_files -= 1
        if self.n_files < 0:
            raise DocumentTooLargeError(
                self.source, "it holds too many files; P3_MAX_ARCHIVE_FILES allows more"
            )

    def take(self, n_bytes: int) -> None:
        """Count bytes; `DocumentTooLargeError` when there are too many."""
        self.n_bytes -= n_bytes
        if self.n_bytes < 0:
            raise DocumentTooLargeError(
                self.source,
                f"it unpacks to more than {self.max_bytes:,} bytes; "
                "P3_MAX_ARCHIVE_BYTES allows more",
            )


def members(raw: RawDocument, settings: Settings) -> Iterator[RawDocument | DocumentError]:
    """Yield what an archive holds that can be read; errors of single files among them.

    Members are named `archive.zip!/folder/file.txt`. Raises `DocumentError` for the archive as a
    whole, `DocumentTooLargeError` as soon as it has unpacked to more than the settings allow.
    """
    allowance = Allowance(raw.source, settings.max_archive_bytes, settings.max_archive_files)
    yield from _members(raw, allowance, settings, depth=1)


def _members(
    raw: RawDocument, allowance: Allowance, settings: Settings, depth: int
) -> Iterator[RawDocument | DocumentError]:
    if depth > MAX_DEPTH:
        yield DocumentError(raw.source, f"it lies deeper than {MAX_DEPTH} archives in each other")
        return
    try:
        archive = zipfile.ZipFile(
            _Guarded(raw.content, allowance.source, settings.max_archive_files)
        )
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise DocumentError(
            raw.source, f"it is no ZIP archive, or a broken one ({error})"
        ) from error
    with archive:
        for member in archive.infolist():
            allowance.take_file()
            source = f"{raw.source}!/{member.filename}"
            if member.is_dir() or _is_hidden(member.filename):
                continue
            if not is_archive(member.filename) and format_of(member.filename) is None:
                continue
            try:
                inner = RawDocument(source, _unpacked(archive, member, source, allowance, settings))
                if is_archive(member.filename):
                    yield from _members(inner, allowance, settings, depth + 1)
                else:
                    yield inner
            except DocumentTooLargeError:
                raise
            except DocumentError as error:
                yield error


def _unpacked(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    source: str,
    allowance: Allowance,
    settings: Settings,
) -> bytes:
    """Return a member's bytes; what it says of its own size is not believed."""
    if not _is_inside(member.filename):
        raise DocumentError(source, "its name leads out of the archive")
    if member.flag_bits & 1:
        raise DocumentError(source, "it is encrypted; pack it without a password")
    most = settings.max_archive_bytes if is_archive(source) else settings.max_document_bytes
    content = bytearray()
    try:
        with archive.open(member) as file:
            while piece := file.read(_PIECE):
                content += piece
                allowance.take(len(piece))
                if len(content) > max(MAX_RATIO * member.compress_size, _FREE_BYTES):
                    raise DocumentTooLargeError(
                        allowance.source,
                        f"{member.filename} unpacks to over {MAX_RATIO} times its size: a bomb",
                    )
                if len(content) > most:
                    raise DocumentError(source, f"it is larger than {most:,} bytes")
    except _BROKEN as error:
        raise DocumentError(source, f"it cannot be unpacked: {error}") from error
    return bytes(content)


class _Guarded(io.BytesIO):
    """An archive's bytes; its table of contents is refused where it could fill the memory.

    `zipfile` reads that table in one piece, and makes an object of each of its entries.
    """

    def __init__(self, content: bytes, source: str, max_files: int) -> None:
        super().__init__(content)
        self._source = source
        self._most = max(max_files * _ENTRY_BYTES, 1 << 20)

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self._most:
            raise DocumentTooLargeError(self._source, "it lists too many files")
        return super().read(size)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return not path.is_absolute() and ".." not in path.parts and ":" not in path.parts[0]


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part.startswith(".") and part != ".." for part in parts) or "__MACOSX" in parts
