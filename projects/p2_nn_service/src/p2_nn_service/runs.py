"""Run folders: `<data_dir>/runs/<id>/` with `run.json`, `events.jsonl`, checkpoints. No torch.

Training writes them; the page, `compare` and the tools read them, also while a run goes. A record
is replaced atomically; events are appended a line at a time, and a torn last line is left out.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from p2_nn_service.contracts import RunEvent, RunRecord
from p2_nn_service.errors import RunNotFoundError, RunNotRunningError

RECORD_FILE = "run.json"
EVENTS_FILE = "events.jsonl"
LOCK_FILE = "trainer.lock"
"""Locked by the process that trains in the folder, as long as it lives."""
STOP_FILE = "stop.request"
"""Lies there from when somebody asks the trainer to stop; forgotten when a training begins."""


class RunFolder:
    """One run's folder; made when it is first written to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, record: RunRecord) -> None:
        """Replace the record, atomically."""
        self.path.mkdir(parents=True, exist_ok=True)
        partial = self.path / f"{RECORD_FILE}.{os.getpid()}.partial"
        partial.write_text(record.model_dump_json(indent=2), encoding="utf-8")
        partial.replace(self.path / RECORD_FILE)

    def read(self) -> RunRecord:
        """Return the record; `RunNotFoundError` when there is none that can be read.

        A run whose process was killed could not write so: it is told as interrupted.
        """
        try:
            text = (self.path / RECORD_FILE).read_text(encoding="utf-8")
            record = RunRecord.model_validate_json(text)
        except (OSError, ValidationError) as error:
            raise RunNotFoundError(self.path.name) from error
        if record.status != "running" or self._is_held():
            return record
        verb = "language train" if record.kind == "text" else "train"
        reason = f"its process is gone; `p2-nn-service {verb} --resume {record.id}` goes on"
        return record.model_copy(update={"status": "interrupted", "reason": reason})

    def _is_held(self) -> bool:
        """Whether a process trains here; without a lock file that cannot be told, and is believed.

        Asked with a shared lock, so that two who ask do not take each other for a trainer.
        """
        try:
            with (self.path / LOCK_FILE).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:  # of which BlockingIOError says that it is held
            return True
        return False

    def ask_to_stop(self) -> RunRecord:
        """Ask whoever trains here to stop between two steps, with a checkpoint; returns at once.

        Raises `RunNotFoundError`, and `RunNotRunningError` for a run that nobody trains.
        """
        record = self.read()
        if record.status != "running":
            raise RunNotRunningError(record.id, record.status)
        (self.path / STOP_FILE).touch()
        return record

    def is_asked_to_stop(self) -> bool:
        """Whether somebody asked the trainer to stop."""
        return (self.path / STOP_FILE).exists()

    def forget_requests(self) -> None:
        """Take back what was asked of an earlier trainer."""
        (self.path / STOP_FILE).unlink(missing_ok=True)

    def append(self, event: RunEvent) -> None:
        """Add numbers at a step."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / EVENTS_FILE).open("a", encoding="utf-8") as file:
            file.write(event.model_dump_json() + "\n")

    def events(self) -> Iterator[RunEvent]:
        """Yield every event; of steps that a resumed run repeated, the later ones hold."""
        position = 0
        while True:
            found, after = self.read_events(position)
            yield from found
            if after == position:
                return
            position = after

    def read_events(self, after: int = 0, *, most: int = 5_000) -> tuple[list[RunEvent], int]:
        """Return the events that begin at byte `after`, at most so many, and where to read on.

        A line that is still being written waits for the next time; one that is no event is left
        out. A position past the end reads nothing.
        """
        found: list[RunEvent] = []
        path = self.path / EVENTS_FILE
        if not path.is_file():
            return found, after
        with path.open("rb") as file:
            file.seek(after)
            for line in file:
                if not line.endswith(b"\n") or len(found) == most:
                    break
                after += len(line)
                with contextlib.suppress(ValidationError):
                    found.append(RunEvent.model_validate_json(line))
        return found, after


def runs_dir(data_dir: Path) -> Path:
    """Return where run folders are kept."""
    return data_dir / "runs"


def find_run(data_dir: Path, run_id: str) -> RunFolder:
    """Return a run's folder; `RunNotFoundError` names those that are there."""
    folder = runs_dir(data_dir) / run_id
    known = [record.id for record in list_runs(data_dir)]
    if run_id not in known:
        raise RunNotFoundError(run_id, known)
    return RunFolder(folder)


def list_runs(data_dir: Path) -> list[RunRecord]:
    """Return the records of all runs, the newest first."""
    found: list[RunRecord] = []
    for folder in runs_dir(data_dir).glob("*/"):
        try:
            found.append(RunFolder(folder).read())
        except RunNotFoundError:
            continue
    return sorted(found, key=lambda record: record.started_at, reverse=True)


def new_run_id(model: str, dataset: str, now: datetime | None = None) -> str:
    """Make a name that sorts by time, such as `20261124-181530-cnn-fashion-mnist`."""
    at = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in f"{model}-{dataset}")
    return f"{at}-{name}"[:80]
