"""The exercises of a phase over HTTP: the task, the hints asked for, what is done.

Answers are files of a person's own, judged by `roadmap exercises check`: no code is taken here.
Progress is the same file that the command keeps. `/design/exercises.js` is the room that shows it.
"""

import difflib
from collections.abc import Iterable
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from common.errors import DomainError, ProblemType
from common.learn.exercises import Exercise, ExerciseError, find_exercises
from common.learn.progress import Progress, ProgressError
from common.learn.roadmap import load_roadmap
from common.web import render_markdown


class UnknownExerciseError(DomainError):
    """The phase has no such exercise."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        near = difflib.get_close_matches(name, list(known), n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f"there is no exercise {name!r}{meant}")


EXERCISE_PROBLEMS: dict[type[Exception], ProblemType] = {
    UnknownExerciseError: ProblemType(
        "unknown-exercise", "There is no such exercise", 404, "Use a name that the list gives."
    ),
    ExerciseError: ProblemType("exercise-incomplete", "The exercise cannot be read", 500),
    ProgressError: ProblemType(
        "progress-not-kept", "Progress cannot be kept", 503, "Make the data directory writable."
    ),
}


class ExerciseItem(BaseModel):
    """An exercise in the list, the easier first within its criterion."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    criterion: str = Field(description="The exit criterion of the phase that it serves.")
    n_hints: int
    n_hints_taken: int
    done_at: datetime | None = Field(description="When its check passed; null until then.")


class ExerciseText(ExerciseItem):
    """An exercise with its task, and the hints taken so far; both as sanitised HTML."""

    task_html: str
    hints_html: tuple[str, ...]
    start_command: str
    check_command: str


def exercise_router(phase: int, progress: Progress) -> APIRouter:
    """Make the routes about a phase's exercises."""
    router = APIRouter(prefix="/v1/exercises", tags=["exercises"])

    @router.get("")
    def list_exercises() -> list[ExerciseItem]:
        """Every exercise of the phase, by exit criterion, and what is done."""
        return [_item(one, aim, progress) for one, aim in _by_criterion(phase)]

    @router.get("/{name}")
    def read_exercise(name: str) -> ExerciseText:
        """One task with the hints taken so far and the commands to begin and to check it."""
        return _text(*_find(phase, name), progress)

    @router.post("/{name}/hints")
    def take_hint(name: str) -> ExerciseText:
        """Take one more hint; the command counts the same ones."""
        exercise, _ = _find(phase, name)
        if progress.n_hints(exercise.id) < len(exercise.hints):
            progress.take_hint(exercise.id)
        return _text(*_find(phase, name), progress)

    return router


def _by_criterion(phase: int) -> list[tuple[Exercise, str]]:
    """Return the exercises in the roadmap's order, each with the criterion it serves."""
    found = {one.id: one for one in find_exercises() if one.phase == phase}
    return [
        (found[name], line.text)
        for line in load_roadmap().phase(phase).lines
        for name in line.exercises
        if name in found
    ]


def _find(phase: int, name: str) -> tuple[Exercise, str]:
    known = {one.directory.name: (one, aim) for one, aim in _by_criterion(phase)}
    if name not in known:
        raise UnknownExerciseError(name, known)
    return known[name]


def _item(exercise: Exercise, criterion: str, progress: Progress) -> ExerciseItem:
    n_hints = len(exercise.hints)
    return ExerciseItem(
        name=exercise.directory.name,
        title=exercise.title,
        criterion=criterion,
        n_hints=n_hints,
        n_hints_taken=min(progress.n_hints(exercise.id), n_hints),
        done_at=progress.done().get(exercise.id),
    )


def _text(exercise: Exercise, criterion: str, progress: Progress) -> ExerciseText:
    item = _item(exercise, criterion, progress)
    _, _, task = exercise.prompt.lstrip().partition("\n")  # the first line is the title
    return ExerciseText.model_validate(
        item.model_dump()
        | {
            "task_html": render_markdown(task),
            "hints_html": tuple(
                render_markdown(hint) for hint in exercise.hints[: item.n_hints_taken]
            ),
            "start_command": f"uv run roadmap exercises start {exercise.id}",
            "check_command": f"uv run roadmap exercises check {exercise.id}",
        }
    )
