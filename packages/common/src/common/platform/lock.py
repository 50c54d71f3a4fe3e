"""At most one `roadmap up` for each data directory, and whether there is one now.

A lock of the kernel's rather than a process id in a file: it is gone the moment its holder is,
however it went. Read next: `up.py`, which holds it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from common.errors import DomainError


class AlreadyUpError(DomainError):
    """Another `roadmap up` looks after the same data directory."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(
            f"another `roadmap up` already runs with {data_dir}; "
            "stop it, or name another directory with --data-dir"
        )


@contextmanager
def supervision_of(data_dir: Path) -> Generator[None]:
    """Be the one supervisor of a data directory; raises AlreadyUpError when there is one."""
    path = _lock_file(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUpError(data_dir) from None
        yield


def is_supervised(data_dir: Path) -> bool:
    """Whether a `roadmap up` looks after this data directory now."""
    try:
        with _lock_file(data_dir).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except BlockingIOError:
        return True
    return False


def _lock_file(data_dir: Path) -> Path:
    return data_dir / "run" / "up.lock"
