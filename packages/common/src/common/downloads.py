"""One file from its address, whole or not at all: resumed where it was cut off, then checked.

Bytes gather in `<file>.partial`, which a later call goes on with; the file appears under its own
name only when its length and sha256 are those that were pinned. Knows neither data sets nor models.
"""

import fcntl
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx2

from common.errors import DomainError
from common.progress import Advance, progress

MAX_CONNECTIONS = 20
TIMEOUT_S = 30.0


class DownloadError(DomainError):
    """A file is not to be had from its address, or is not the one that was pinned."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that is known to the byte before it is fetched."""

    url: str
    sha256: str
    n_bytes: int

    @property
    def name(self) -> str:
        """The file's own name: the last part of its address."""
        return self.url.rpartition("/")[2]


def fetch(remote: RemoteFile, target: Path) -> Path:
    """Download to `target` unless it is there; returns it.

    A connection that breaks is taken up again for as long as bytes come. Of two processes that
    fetch the same file one waits. `DownloadError` says what failed; what has come is kept.
    """
    if target.is_file():
        return target
    partial = target.with_name(f"{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # another may have finished it while this one waited
            if not target.is_file():
                _complete(remote, file)
                partial.replace(target)
    except OSError as error:
        raise DownloadError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


def _complete(remote: RemoteFile, file: BinaryIO) -> None:
    """Fill the file and check it; what an earlier call left is given up when it is at fault."""
    is_resumed = file.tell() > 0
    if file.tell() > remote.n_bytes:
        file.truncate(0)
    _download(remote, file)
    found = _sha256(file)
    if found != remote.sha256 and is_resumed:
        file.truncate(0)
        _download(remote, file)
        found = _sha256(file)
    if found != remote.sha256:
        file.truncate(0)
        raise DownloadError(
            f"{remote.url} is not the file that was published: its sha256 is {found}, "
            f"not {remote.sha256}"
        )
    os.fsync(file.fileno())


def _download(remote: RemoteFile, file: BinaryIO) -> None:
    client = httpx2.Client(follow_redirects=True, timeout=TIMEOUT_S)
    file.seek(0, os.SEEK_END)
    with client, progress(remote.name, remote.n_bytes, in_bytes=True) as advance:
        advance(file.tell())
        for _ in range(MAX_CONNECTIONS):
            have = file.tell()
            if have == remote.n_bytes:
                return
            cause: Exception | None = None
            try:
                _receive(client, remote, file, advance)
            except httpx2.HTTPError as error:
                cause = error
            if file.tell() <= have:
                why = str(cause) or type(cause).__name__ if cause else "it ended early"
                raise DownloadError(f"{remote.url} cannot be fetched: {why}") from cause
    raise DownloadError(f"{remote.url} cannot be fetched: the connection broke off too often")


def _receive(client: httpx2.Client, remote: RemoteFile, file: BinaryIO, advance: Advance) -> None:
    """Append what one connection brings, from where the file ends."""
    have = file.tell()
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", remote.url, headers=headers) as answer:
        answer.raise_for_status()
        goes_on = answer.headers.get("content-range", "").startswith(f"bytes {have}-")
        if have and not (answer.status_code == 206 and goes_on):
            file.truncate(0)  # a server that knows no ranges begins again
            file.seek(0)
            advance(-have)
        for piece in answer.iter_raw():
            if file.tell() + len(piece) > remote.n_bytes:
                raise DownloadError(
                    f"{remote.url} goes on after the {remote.n_bytes:,} bytes that were published"
                )
            file.write(piece)
            advance(len(piece))


def _sha256(file: BinaryIO) -> str:
    file.flush()
    with Path(file.name).open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()
