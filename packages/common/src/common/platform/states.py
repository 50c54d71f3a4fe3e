"""What is known of each supervised service, and the file that tells other commands.

The file is replaced as a whole, so that a reader sees one moment and never half of one.
It starts nothing. Read next: `supervisor.py`, which writes it; `status.py`, which reads it.
"""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from common.errors import DomainError


class State(StrEnum):
    """Where a service is in its life."""

    STARTING = "starting"
    READY = "ready"
    UNREADY = "not ready"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


class ServiceState(BaseModel):
    """One supervised service as others may see it, at one moment."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    phase: int | None = None
    url: str | None = None
    state: State = State.STARTING
    reason: str | None = None
    pid: int | None = None
    n_restarts: int = 0
    since: datetime


class HouseState(BaseModel):
    """All services that one `roadmap up` looks after, at one moment."""

    model_config = ConfigDict(frozen=True)

    supervisor_pid: int
    started_at: datetime
    services: tuple[ServiceState, ...]


class UnreadableStateError(DomainError):
    """The state file exists and makes no sense."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path} is not readable as service states; delete it.")


def state_file(data_dir: Path) -> Path:
    """Name the file that holds the states of the house in this data directory."""
    return data_dir / "run" / "services.json"


def write_state(path: Path, state: HouseState) -> None:
    """Replace the file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".services-", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(state.model_dump_json(indent=2))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_state(path: Path) -> HouseState | None:
    """Read the states; None where no house was ever started or the last one ended cleanly."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return HouseState.model_validate_json(content)
    except ValidationError as error:
        raise UnreadableStateError(path) from error


def remove_state(path: Path) -> None:
    """Say that nothing runs any more."""
    path.unlink(missing_ok=True)
