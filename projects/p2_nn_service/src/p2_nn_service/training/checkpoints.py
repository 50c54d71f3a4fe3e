"""Checkpoints: everything a run needs to go on, in files that are whole or not there.

A file is one line, `p2-nn-service 1 <sha256>`, and behind it what `torch.save` writes. It is
written beside its place, flushed to the disk and renamed, so that a kill at any moment, or a full
disk, leaves the last good one. Reading checks the sum and runs no code of the file
(`weights_only`). Does not know what is in a checkpoint: `loop.py` does.
"""

import fcntl
import hashlib
import io
import os
import pickle
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from p2_nn_service.errors import CheckpointError, RunBusyError, TrainingError
from p2_nn_service.runs import LOCK_FILE

State = dict[str, Any]
CHECKPOINT_DIR = "checkpoints"
_MARK = "p2-nn-service 1"
_N_KEPT = 2


def seal(state: State, path: Path) -> None:
    """Write a state to a file, atomically; `TrainingError` says why it cannot be written."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(f"{_MARK} {hashlib.sha256(payload).hexdigest()}\n".encode())
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise TrainingError(
            f"cannot write {path} ({len(payload):,} bytes): {error.strerror or error}; what was "
            "written before it is whole: free some space and go on with --resume"
        ) from error


def unseal(path: Path) -> State:
    """Read what `seal` wrote; `CheckpointError` for a file that is torn, changed or of others."""
    try:
        first, _, payload = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}") from error
    mark, _, digest = first.decode("ascii", "replace").rpartition(" ")
    if mark != _MARK:
        raise CheckpointError(f"{path} is no checkpoint of ours, or its start is torn")
    if hashlib.sha256(payload).hexdigest() != digest:
        raise CheckpointError(f"{path} is corrupt: its checksum does not hold")
    try:
        state: State = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds more than weights and numbers: {error}") from error
    return state


class Checkpoints:
    """The checkpoints of one run folder; the two newest are kept."""

    def __init__(self, run_dir: Path) -> None:
        self.folder = run_dir / CHECKPOINT_DIR

    def __bool__(self) -> bool:
        return bool(self._files())

    def save(self, state: State, step: int) -> Path:
        """Write the state at a step, then take away all but the two newest."""
        path = self.folder / f"step-{step:08d}.ckpt"
        seal(state, path)
        for old in self._files()[_N_KEPT:]:
            old.unlink(missing_ok=True)
        return path

    def newest(self) -> tuple[State, list[str]]:
        """Return the newest whole one, and what was wrong with those after it.

        Raises `CheckpointError` when none is whole.
        """
        wrong: list[str] = []
        for path in self._files():
            try:
                return unseal(path), wrong
            except CheckpointError as error:
                wrong.append(str(error))
        what = "; ".join(wrong) or "there is none"
        raise CheckpointError(f"no checkpoint to go on from in {self.folder}: {what}")

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.ckpt"), reverse=True)


@contextmanager
def trainer_of(run_dir: Path) -> Generator[None]:
    """Be the one trainer of a run folder; `RunBusyError` names the process that already is.

    A lock of the kernel's: it is gone the moment its holder is, however it went.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / LOCK_FILE).open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip()
            raise RunBusyError(run_dir, int(holder) if holder.isdigit() else None) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
