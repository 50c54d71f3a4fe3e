"""The files of a folder that may be documents: neither hidden nor ignored, none outside it.

Symbolic links are not followed. What `.gitignore` and `.ignore` files name is left out, as in git.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.ingestion.formats import format_of, is_archive
from p3_rag_chatbot.ingestion.loading import too_large

_IGNORE_FILES = (".gitignore", ".ignore")
_NEVER = frozenset({"node_modules", "__pycache__", "site-packages", "venv"})
_LARGEST_IGNORE_FILE = 1 << 20


def files_of(folder: Path) -> Iterator[Path | DocumentError]:
    """Yield the files that may be read, by name, and an error for each folder that cannot be."""
    yield from _files(folder, [])


def _files(
    folder: Path, ignored: Sequence[tuple[Path, GitIgnoreSpec]]
) -> Iterator[Path | DocumentError]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield DocumentError(str(folder), f"the folder cannot be read: {error.strerror}")
        return
    rules = [*ignored, *_rules(folder)]
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith(".") or entry.name in _NEVER or entry.is_symlink():
            continue
        is_folder = entry.is_dir(follow_symlinks=False)
        if _is_ignored(path, rules, is_folder=is_folder):
            continue
        if is_folder:
            yield from _files(path, rules)
        elif entry.is_file(follow_symlinks=False) and (
            format_of(entry.name) or is_archive(entry.name)
        ):
            yield path


def read_file(path: Path, max_bytes: int) -> bytes:
    """Read a file; `DocumentError` where it is none, or larger than `max_bytes`.

    A device or a pipe is not waited for, and of a file that grows no more is read.
    """
    source = str(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise DocumentError(source, "it is no file")
            if found.st_size > max_bytes:
                raise too_large(source, max_bytes)
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise DocumentError(source, f"it cannot be read: {error.strerror}") from error
    if len(content) > max_bytes:
        raise too_large(source, max_bytes)
    return content


def _rules(folder: Path) -> Iterator[tuple[Path, GitIgnoreSpec]]:
    for name in _IGNORE_FILES:
        path = folder / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= _LARGEST_IGNORE_FILE:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            yield folder, GitIgnoreSpec.from_lines(lines)


def _is_ignored(
    path: Path, rules: Sequence[tuple[Path, GitIgnoreSpec]], *, is_folder: bool
) -> bool:
    """Whether the ignore files say so; the nearest that says anything is believed."""
    for folder, spec in reversed(rules):
        inside = str(PurePosixPath(path.relative_to(folder))) + ("/" if is_folder else "")
        said = spec.check_file(inside).include
        if said is not None:
            return said
    return False
