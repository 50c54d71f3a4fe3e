"""What all Office files share: they are ZIP packages, checked before they are unpacked."""

import datetime
import io
import zipfile
from typing import Protocol

from p3_rag_chatbot.ingestion.documents import DocumentBuilder, one_line
from p3_rag_chatbot.ingestion.loaders.limits import Limits, TooLargeError, UnreadableError

_ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # a compound file: encrypted, or of before 2007
_MOST_COMPRESSED = 200  # times; real documents are below 50


def check_package(content: bytes, limits: Limits) -> None:
    """Refuse an Office file that is encrypted, or that unpacks to more than the limits."""
    if content.startswith(_ENCRYPTED):
        raise UnreadableError(
            "it is encrypted or of a format of before 2007; save it as DOCX, PPTX or XLSX "
            "without a password"
        )
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = package.infolist()
    n_bytes = sum(part.file_size for part in parts)
    if len(parts) > limits.max_files or n_bytes > limits.max_unpacked_bytes:
        raise TooLargeError(f"it unpacks to {len(parts):,} parts of {n_bytes:,} bytes")
    if n_bytes > _MOST_COMPRESSED * max(len(content), 65536):
        raise TooLargeError(f"{len(content):,} bytes unpack to {n_bytes:,}: it is made to exhaust")


class Properties(Protocol):
    """What an Office file says of itself."""

    @property
    def title(self) -> str | None:
        """Title that its author gave it."""
        ...

    @property
    def author(self) -> str | None:
        """Who made it."""
        ...

    @property
    def subject(self) -> str | None:
        """What it is about."""
        ...

    @property
    def keywords(self) -> str | None:
        """Words to find it by."""
        ...

    @property
    def modified(self) -> datetime.datetime | None:
        """When it was changed last."""
        ...


def add_properties(builder: DocumentBuilder, properties: Properties) -> None:
    """Take the title, and what else an Office file says of itself, as metadata."""
    builder.title = one_line(properties.title or "")
    builder.metadata |= {
        "author": properties.author or "",
        "subject": properties.subject or "",
        "keywords": properties.keywords or "",
        "modified": properties.modified.isoformat() if properties.modified else "",
    }
