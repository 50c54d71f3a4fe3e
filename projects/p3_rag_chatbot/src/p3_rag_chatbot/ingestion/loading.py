"""Reads documents in a process of its own: a hostile file harms nothing but its own reading.

One process serves many documents; it is replaced when a document has crashed it, hung it or taken
all its memory. Read next: `worker.py` for what runs there, `loaders/` for the formats.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from p3_rag_chatbot.errors import DocumentError, DocumentTooLargeError
from p3_rag_chatbot.ingestion.documents import Attachment, LoadedDocument
from p3_rag_chatbot.ingestion.formats import TEXT, Format, format_of, sniffed
from p3_rag_chatbot.ingestion.frames import BrokenFrameError, Message, receive, send
from p3_rag_chatbot.ingestion.worker import Answer, Request
from p3_rag_chatbot.settings import Settings

# What the process inherits: no keys, no addresses.
_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR")
_BYTES_PER_CHARACTER = 6  # at most, in JSON
_ANSWER_BYTES = 16 * 1024 * 1024  # for marks and metadata


@dataclass(frozen=True)
class RawDocument:
    """A document's bytes, with the name it goes by and what a server called it."""

    source: str
    content: bytes
    media_type: str = ""


class DocumentLoader:
    """Turns bytes into documents; safe to use from several threads, which wait for each other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._is_closed = False

    def load(self, raw: RawDocument) -> LoadedDocument:
        """Read a document; `DocumentError` or `DocumentTooLargeError` says why it cannot be."""
        if len(raw.content) > self._settings.max_document_bytes:
            raise too_large(raw.source, self._settings.max_document_bytes)
        found = format_of(raw.source, raw.media_type) or sniffed(raw.content) or _as_text(raw)
        request = self._request(raw, found)
        with self._lock:
            message = self._asked(raw, request)
        return _document(raw, found, message)

    def interrupt(self) -> None:
        """End the reading that is under way, if there is one, with a `DocumentError`."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process; a reading that is under way ends with it."""
        self._is_closed = True
        self.interrupt()
        with self._lock:
            self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _request(self, raw: RawDocument, found: Format) -> Request:
        return Request(
            loader=found.loader,
            is_package=found.is_package,
            title=title_of(raw.source),
            media_type=found.media_type,
            max_characters=self._settings.max_document_characters,
            max_unpacked_bytes=self._settings.max_archive_bytes,
            max_files=self._settings.max_archive_files,
            seconds=self._settings.load_timeout_s,
        )

    def _asked(self, raw: RawDocument, request: Request) -> Message:
        deadline = time.monotonic() + request.seconds
        if self._is_closed:
            raise DocumentError(raw.source, "it was not read: the reader has been closed")
        connection = self._started()
        try:
            connection.settimeout(request.seconds)
            send(connection, Message(request.model_dump(), (raw.content,)))
            return receive(connection, max_bytes=self._max_answer_bytes, deadline=deadline)
        except TimeoutError:
            self._stop()
            raise DocumentError(
                raw.source,
                f"reading it took longer than {request.seconds:g} s; P3_LOAD_TIMEOUT_S allows more",
            ) from None
        except (BrokenFrameError, OSError, ValueError):
            code = self._stop()
            raise DocumentError(
                raw.source, f"reading it ended the reader ({_ending(code)})"
            ) from None

    @property
    def _max_answer_bytes(self) -> int:
        characters = _BYTES_PER_CHARACTER * self._settings.max_document_characters
        return characters + self._settings.max_archive_bytes + _ANSWER_BYTES

    def _started(self) -> socket.socket:
        """Return the socket to the process; one that has ended is replaced."""
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        if self._connection is None:
            ours, theirs = socket.socketpair()
            arguments = [str(theirs.fileno()), str(self._settings.load_memory_bytes)]
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                [sys.executable, "-P", "-m", "p3_rag_chatbot.ingestion.worker", *arguments],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                start_new_session=True,  # Ctrl-C is for the service, which ends this one itself
            )
            theirs.close()
            self._connection = ours
        return self._connection

    def _stop(self) -> int | None:
        """End the process; returns how it ended."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is None:
            return None
        try:
            return process.wait(timeout=0.2)  # it may have ended by itself: then how is of interest
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None


def _ending(code: int | None) -> str:
    if code is None:
        return "it stopped answering"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _document(raw: RawDocument, found: Format, message: Message) -> LoadedDocument:
    try:
        answer = Answer.model_validate(message.values)
    except ValidationError as error:
        raise DocumentError(raw.source, "the reader gave an answer that is none") from error
    if answer.error:
        kind = DocumentTooLargeError if answer.is_too_large else DocumentError
        raise kind(raw.source, answer.error)
    return LoadedDocument(
        title=answer.title,
        text=answer.text,
        marks=answer.marks,
        metadata=answer.metadata,
        notes=answer.notes,
        n_pages=answer.n_pages,
        media_type=found.media_type,
        attachments=tuple(map(Attachment, answer.attachments, message.blobs)),
    )


def _as_text(raw: RawDocument) -> Format:
    """Return plain text for a document without a known name, if that is what it may be."""
    if b"\0" in raw.content[:65536]:
        raise DocumentError(raw.source, "its format is not one that is read")
    return TEXT


def too_large(source: str, max_bytes: int) -> DocumentTooLargeError:
    """Say that a document has too many bytes, and which setting allows more."""
    return DocumentTooLargeError(
        source, f"it is larger than {max_bytes:,} bytes; P3_MAX_DOCUMENT_BYTES allows more"
    )


def title_of(source: str) -> str:
    """Return the last part of a path or an address, for a document that has no title."""
    path = urlsplit(source).path if "://" in source else source
    return unquote(PurePosixPath(path.rpartition("!/")[2]).name) or source
