"""What one person has done, kept in a small JSON file of the data directory.

Ids are opaque here: lines of the roadmap (`p1.evaluate`), exercises (`p1/the-scaler-that-knew`).
Nothing already stored is lost: a file that cannot be read is set aside, never overwritten.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError


class ProgressError(Exception):
    """The progress file can be neither read nor written."""


class _Record(BaseModel):
    done: dict[str, datetime] = Field(default_factory=dict)
    hints: dict[str, int] = Field(default_factory=dict)


class Progress:
    """Done marks and hints taken, in `<data_dir>/progress.json`.

    Each change is made under a file lock and written through a temporary file and a rename: two
    processes lose nothing of each other's, and a crash leaves the old file or the new one.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "progress.json"

    def done(self) -> dict[str, datetime]:
        """Return when each finished id was finished (UTC)."""
        return self._read().done

    def mark(self, item_id: str, *, is_done: bool = True) -> None:
        """Mark `item_id` as done now, or take the mark back; marking twice keeps the first time."""
        with self._edit() as record:
            if is_done:
                record.done.setdefault(item_id, datetime.now(UTC))
            else:
                record.done.pop(item_id, None)

    def n_hints(self, item_id: str) -> int:
        """Return how many hints of `item_id` were shown so far."""
        return self._read().hints.get(item_id, 0)

    def take_hint(self, item_id: str) -> int:
        """Count one more hint of `item_id` as shown; return the new count."""
        with self._edit() as record:
            record.hints[item_id] = record.hints.get(item_id, 0) + 1
            return record.hints[item_id]

    @contextmanager
    def _edit(self) -> Iterator[_Record]:
        """Lock, read, let the caller change, write: the page and the terminal may both mark."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                record = self._read()
                yield record
                self._write(record)
        except OSError as error:
            raise ProgressError(f"cannot write {self.path}: {error.strerror}") from error

    def _read(self) -> _Record:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return _Record()
        except OSError as error:
            raise ProgressError(f"cannot read {self.path}: {error.strerror}") from error
        try:
            return _Record.model_validate_json(text)
        except ValidationError:
            aside = self.path.with_suffix(f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}.json")
            self.path.replace(aside)
            return _Record()

    def _write(self, record: _Record) -> None:
        text = json.dumps(record.model_dump(mode="json"), indent=2, sort_keys=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".progress-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self.path)
