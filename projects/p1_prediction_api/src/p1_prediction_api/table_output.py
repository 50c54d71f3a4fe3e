"""A table written piece by piece, that never looks complete before it is, and can be gone on with.

Pieces go to a folder beside the wanted file, `answers.csv.unfinished`; only when all of them are
written, and are on the disk, does the file take its name. After each commit the folder says how far
the work is; whatever is written beyond that when it ends (an error, Ctrl-C, kill -9) is cut off by
whoever goes on. What was asked for stands in it as well: other work starts afresh. An earlier file
of the wanted name stays as it was until then. Needs pandas; knows no model.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import IO

import pandas as pd
from pydantic import BaseModel, ValidationError

from p1_prediction_api.errors import TrainingError
from p1_prediction_api.table_forms import form_of

ANSWERS, SET_ASIDE, REACHED = "answers", "set-aside.csv", "reached.json"


class Reached(BaseModel):
    """How far the work is kept: what stands beyond it in the files counts for nothing."""

    order: dict[str, str]
    """What was asked for, part by part."""
    n_read: int = 0
    n_answered: int = 0
    n_set_aside: int = 0
    first_problem: str = ""
    n_bytes: int = 0
    n_bytes_set_aside: int = 0


def check_output(out: Path) -> None:
    """Refuse a path that cannot be written, before any work is done."""
    form_of(out)
    if not out.parent.is_dir():
        raise TrainingError(f"there is no folder {out.parent}")
    if out.is_dir():
        raise TrainingError(f"{out} is a folder; name a file")


class Unfinished:
    """Rows answered and rows set aside on their way to two files; made by `go_on`."""

    def __init__(self, out: Path, folder: Path, reached: Reached) -> None:
        self.reached = reached
        self._now = reached
        self._out, self._folder, self._form = out, folder, form_of(out)
        self._answers = _opened(folder / ANSWERS, reached.n_bytes)
        self._aside = _opened(folder / SET_ASIDE, reached.n_bytes_set_aside)

    def write(self, answered: pd.DataFrame, set_aside: pd.DataFrame) -> None:
        """Add the rows of a piece; those set aside begin with `row` and `problem`."""
        self._answers.write(self._form.encode(answered, self._folder / ANSWERS))
        self._answers.flush()  # the form looks at what is there
        update: dict[str, int | str] = {"n_answered": self._now.n_answered + len(answered)}
        if len(set_aside):
            header = self._aside.tell() == 0
            self._aside.write(set_aside.to_csv(index=False, header=header).encode())
            row, problem = set_aside.iloc[0, :2]
            update["n_set_aside"] = self._now.n_set_aside + len(set_aside)
            update["first_problem"] = self._now.first_problem or f"row {row}, {problem}"
        self._now = self._now.model_copy(update=update)

    def commit(self, n_read: int) -> None:
        """Make sure that all of it is kept, whatever comes: it answers `n_read` rows."""
        for file in (self._answers, self._aside):
            file.flush()
            os.fsync(file.fileno())
        update = {
            "n_read": n_read,
            "n_bytes": self._answers.tell(),
            "n_bytes_set_aside": self._aside.tell(),
        }
        self._now = self._now.model_copy(update=update)
        fresh = self._folder / f"{REACHED}.fresh"
        with fresh.open("w", encoding="utf-8") as file:
            file.write(self._now.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / REACHED)
        self.reached = self._now

    def finish(self) -> Path | None:
        """Give the files their names; return that of the rows set aside, if there are any."""
        self.close()
        whole = self._form.finished(self._folder / ANSWERS)
        beside = None
        if self.reached.n_set_aside:
            beside = self._out.with_name(f"{self._out.stem}.set-aside.csv")
            (self._folder / SET_ASIDE).replace(beside)
        whole.replace(self._out)
        self.discard()
        return beside

    def discard(self) -> None:
        """Leave nothing of it."""
        self.close()
        shutil.rmtree(self._folder)

    def close(self) -> None:
        """Close the files, which can be gone on with."""
        self._answers.close()
        self._aside.close()


def _opened(path: Path, n_bytes: int) -> IO[bytes]:
    """Open a file to add to what was committed of it."""
    path.touch()
    file = path.open("r+b")
    file.truncate(n_bytes)
    file.seek(n_bytes)
    return file


@contextlib.contextmanager
def go_on(out: Path, order: Mapping[str, str]) -> Generator[tuple[Unfinished, list[str]]]:
    """Begin, or go on where the same order was left; yield which parts of an earlier one differ.

    Leaving without `finish` keeps what was committed. Raises `TrainingError` when it cannot be
    written, or is being written.
    """
    check_output(out)
    folder = out.with_name(f"{out.name}.unfinished")
    try:
        folder.mkdir(exist_ok=True)
        with _only_one(folder):
            reached, differs = _left(folder, order)
            work = Unfinished(out, folder, reached)
            try:
                yield work, differs
            finally:
                work.close()
                if folder.is_dir() and not (folder / REACHED).is_file():
                    shutil.rmtree(folder)
    except OSError as error:
        raise TrainingError(
            f"{out} cannot be written: {error.strerror or error}; what is answered so far is kept, "
            "and the same command goes on from there"
        ) from error


@contextlib.contextmanager
def _only_one(folder: Path) -> Generator[None]:
    """Hold the folder by a lock of the kernel's, gone the moment its holder is."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise TrainingError(f"another command is writing to {folder}") from None
    finally:
        os.close(opened)


def _left(folder: Path, order: Mapping[str, str]) -> tuple[Reached, list[str]]:
    """Return where the same work was left, else its beginning and why it begins."""
    afresh = Reached(order=dict(order))
    try:
        found = Reached.model_validate_json((folder / REACHED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return afresh, []
    except ValidationError:
        return afresh, ["what is left of it"]
    differs = [part for part, said in order.items() if found.order.get(part) != said]
    if not differs and not _is_there(folder, found):
        differs = ["what is left of it"]
    if differs:
        (folder / REACHED).unlink()
        return afresh, differs
    return found, []


def _is_there(folder: Path, reached: Reached) -> bool:
    wanted = {ANSWERS: reached.n_bytes, SET_ASIDE: reached.n_bytes_set_aside}
    paths = {folder / name: n for name, n in wanted.items()}
    return all(path.is_file() and path.stat().st_size >= n for path, n in paths.items())
