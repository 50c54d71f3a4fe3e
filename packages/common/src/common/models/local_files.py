"""Files of a version on local disk: hashing, listing, and the verified cache that serving reads.

A cached folder appears by one rename after every file was verified while it was copied, so that
many processes may share a cache and none sees a half one. Beside it, the two steps that a folder
shared by many writers needs: a file that appears whole or not at all, and a lock.
"""

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from common.models.registry import CorruptModelError, ModelFile, ModelVersion, check_path

CHUNK_BYTES = 1024 * 1024


def list_files(directory: Path) -> list[str]:
    """List the regular files below a folder by relative path; links are refused."""
    found = []
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory).as_posix()
        if path.is_symlink():
            check_path(f"/{relative}")
        if path.is_file():
            found.append(check_path(relative))
    return found


def describe_file(path: Path, relative: str) -> ModelFile:
    """Hash one file in chunks."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ModelFile(path=relative, sha256=digest, n_bytes=path.stat().st_size)


def copy_verified(
    version: ModelVersion, file: ModelFile, source: BinaryIO, target: Path | None
) -> None:
    """Read a stored file to its end, compare its hash, and keep it when `target` is given."""
    digest, n_bytes = hashlib.sha256(), 0
    sink = target.open("wb") if target else None
    try:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            n_bytes += len(chunk)
            if sink:
                sink.write(chunk)
    finally:
        if sink:
            sink.close()
    if digest.hexdigest() != file.sha256:
        raise CorruptModelError(
            version.model,
            version.version,
            file.path,
            f"its sha256 is {digest.hexdigest()} over {n_bytes} bytes, "
            f"published was {file.sha256} over {file.n_bytes}",
        )


def make_folder(path: Path) -> None:
    """Make a folder and those above it; `NotADirectoryError` where none can be, as in /proc."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError as error:
        reason = "no folder can be made there"
        raise NotADirectoryError(errno.ENOTDIR, reason, str(path)) from error


def create_whole(path: Path, content: bytes) -> bool:
    """Write to a temporary file, then link it to its name: whole or not at all, never twice."""
    name = path.parent / f".new-{secrets.token_hex(8)}"
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # less what the umask takes
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)
        except FileExistsError:
            return False
        flush(path.parent)
    finally:
        name.unlink(missing_ok=True)
    return True


def flush(path: Path) -> None:
    """Have the kernel write a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Wait for the lock at `path` and hold it; between threads, too. It dies with its holder."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)  # closing alone would leave it to a forked child
    finally:
        os.close(handle)


class VerifiedCache:
    """Folders of fetched versions, named by what they hold.

    A folder is trusted by its files' sizes afterwards: the cache is private to its user, and a
    full hash of a large model at each start would cost more than it finds. `verify` reads all.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def folder(self, version: ModelVersion, copy: Callable[[ModelFile, Path], None]) -> Path:
        """Return the folder of a version, filled by `copy(file, target)` when it is not there."""
        content = "".join(f"{file.path}\0{file.sha256}\n" for file in version.files)
        digest = hashlib.sha256(content.encode()).hexdigest()[:16]
        final = self.directory / version.model / f"{version.version}-{digest}"
        if self._is_whole(final, version):
            return final
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=final.parent))
        try:
            for file in version.files:
                target = partial / check_path(file.path)
                target.parent.mkdir(parents=True, exist_ok=True)
                copy(file, target)
            self._put(partial, final, version)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return final

    def _put(self, partial: Path, final: Path, version: ModelVersion) -> None:
        try:
            partial.rename(final)
        except OSError:
            if self._is_whole(final, version):
                return  # another process was faster
            stale = Path(tempfile.mkdtemp(prefix=".stale-", dir=final.parent))
            final.rename(stale / "old")
            partial.rename(final)
            shutil.rmtree(stale, ignore_errors=True)

    @staticmethod
    def _is_whole(folder: Path, version: ModelVersion) -> bool:
        try:
            sizes = [(folder / file.path).stat().st_size for file in version.files]
        except OSError:
            return False
        return sizes == [file.n_bytes for file in version.files]
