"""Exercises: folders that state a task, hold a flawed or empty start, and check an answer.

    exercises/<name>/prompt.md     the task; its first heading is the title
                     starter.py    where to begin; the check must fail on it
                     check.py      `check(module) -> None`, raises AssertionError with what is wrong
                     hints.md      sections `## 1`, `## 2`, … from a nudge to nearly the answer
                     solution.py   one good answer; the check must pass on it

Where they lie: beside a project's `src` in a checkout, inside its package in a wheel. The check
runs in a process of its own (`judge`), with a time limit. Which exit criterion an exercise serves
is said once, in `roadmap.toml`.
"""

import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ENTRY_POINT_GROUP = "ai_roadmap.services"
CHECK_TIMEOUT_S = 120.0
_JUDGE = Path(__file__).with_name("judge.py")


class ExerciseError(Exception):
    """An exercise is unknown, incomplete, or could not be judged."""


@dataclass(frozen=True)
class Exercise:
    """One exercise; `id` is `<phase>/<folder>`, such as `p1/the-scaler-that-knew`."""

    id: str
    directory: Path

    @property
    def phase(self) -> int:
        """The phase it belongs to, 0 to 5."""
        return int(self.id[1])

    @property
    def prompt(self) -> str:
        """The task, in Markdown."""
        return (self.directory / "prompt.md").read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        """The first heading of the prompt."""
        first = self.prompt.lstrip().splitlines()[0]
        return first.lstrip("# ").strip()

    @property
    def starter(self) -> Path:
        """The file to begin from."""
        return self.directory / "starter.py"

    @property
    def solution(self) -> Path:
        """One good answer."""
        return self.directory / "solution.py"

    @property
    def hints(self) -> tuple[str, ...]:
        """The hints in rising explicitness, in Markdown."""
        text = (self.directory / "hints.md").read_text(encoding="utf-8")
        return tuple(part.strip() for part in re.split(r"(?m)^## \d+.*$", text)[1:])


@dataclass(frozen=True)
class Judgement:
    """What the check said of an answer: passed, or what is wrong in words."""

    has_passed: bool
    message: str


def find_exercises() -> tuple[Exercise, ...]:
    """Return the exercises of every installed project, ordered by phase and name."""
    found: list[Exercise] = []
    for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        directory = _exercise_root(entry.value.partition(".")[0])
        if directory is None:
            continue
        folders = sorted(path.parent for path in directory.glob("*/prompt.md"))
        found += [Exercise(f"{entry.name}/{folder.name}", folder) for folder in folders]
    return tuple(sorted(found, key=lambda exercise: exercise.id))


def find_exercise(exercise_id: str) -> Exercise:
    """Return one exercise by id, or by its folder's name where only one phase has it.

    `ExerciseError` names the nearest when there is none.
    """
    known = {exercise.id: exercise for exercise in find_exercises()}
    if exercise_id in known:
        return known[exercise_id]
    named = [one for one in known.values() if one.directory.name == exercise_id]
    if len(named) == 1:
        return named[0]
    import difflib  # noqa: PLC0415 - only on the way to an error

    near = difflib.get_close_matches(exercise_id, known, n=1, cutoff=0.3)
    hint = f"; did you mean {near[0]}?" if near else "; see `roadmap exercises list`"
    raise ExerciseError(f"there is no exercise {exercise_id!r}{hint}")


def judge(exercise: Exercise, answer: Path, *, timeout_s: float = CHECK_TIMEOUT_S) -> Judgement:
    """Run the exercise's check on the file `answer` in a process of its own.

    An answer that raises, hangs past `timeout_s` seconds or exits is a failed answer, told in
    words. Raises `ExerciseError` when `answer` cannot be read.
    """
    if not answer.is_file():
        raise ExerciseError(f"there is no answer at {answer}; `roadmap exercises start` makes one")
    command = [sys.executable, str(_JUDGE), str(exercise.directory / "check.py"), str(answer)]
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter on our own file; no shell
            command, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return Judgement(has_passed=False, message=f"no answer within {timeout_s:g} s")
    last = done.stdout.strip().splitlines()[-1:] or [""]
    try:
        verdict = json.loads(last[0])
        return Judgement(has_passed=bool(verdict["passed"]), message=str(verdict["message"]))
    except (ValueError, KeyError, TypeError):
        tail = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        return Judgement(has_passed=False, message=f"the answer ended the check: {tail[0]}")


def _exercise_root(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    for candidate in (home / "exercises", home.parent.parent / "exercises"):
        if candidate.is_dir():
            return candidate
    return None
