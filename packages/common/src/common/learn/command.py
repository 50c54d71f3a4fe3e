"""`roadmap exercises …` and `roadmap checklist`: the course in the terminal.

Thin: finds, asks the domain (`exercises`, `progress`, `roadmap`), prints. Read those first.
"""

import re
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markdown import Markdown
from typer.core import TyperGroup
from typing_extensions import override

from common.learn.exercises import Exercise, ExerciseError, find_exercise, find_exercises, judge
from common.learn.progress import Progress, ProgressError
from common.learn.roadmap import RoadmapError, Status, load_roadmap, weekly_checklist
from common.settings import Settings, SettingsError
from common.terminal import print_table

_Context = Any  # typer keeps the type of its own click to itself


class _PhaseListsIt(TyperGroup):
    """Lets `roadmap exercises p1` stand for `roadmap exercises list p1`."""

    @override
    def parse_args(self, ctx: _Context, args: list[str]) -> list[str]:
        is_phase = bool(args) and re.fullmatch(r"p\d", args[0]) is not None
        return super().parse_args(ctx, ["list", *args] if is_phase else args)


app = typer.Typer(
    name="exercises",
    cls=_PhaseListsIt,
    help="Exercises for the exit criteria: list, start, check, hint, solution.",
    invoke_without_command=True,
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
_console = Console()
_errors = Console(stderr=True)

ExerciseId = Annotated[str, typer.Argument(help="Such as p1/the-scaler-that-knew.")]
AnswerFile = Annotated[
    Path | None, typer.Argument(help="Your answer; default: where start put it.")
]


def _fail(error: Exception) -> typer.Exit:
    _errors.print(str(error), style="red", soft_wrap=True, markup=False, highlight=False)
    return typer.Exit(code=2)


def _data_dir() -> Path:
    try:
        return Settings().data_dir
    except SettingsError as error:
        raise _fail(error) from error


def _exercise(exercise_id: str) -> Exercise:
    try:
        return find_exercise(exercise_id)
    except ExerciseError as error:
        raise _fail(error) from error


def _answer_path(exercise: Exercise) -> Path:
    return _data_dir() / "exercises" / f"{exercise.id}.py"


@app.callback()
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_exercises()


@app.command("list")
def list_exercises(
    phase: Annotated[str, typer.Argument(help="Only this phase, such as p1.")] = "",
) -> None:
    """List the exercises, the exit criterion each serves, and which are done."""
    criteria = {name: line.text for line in load_roadmap().lines for name in line.exercises}
    done = Progress(_data_dir()).done()
    rows = [
        ("done" if one.id in done else "", one.id, one.title, criteria.get(one.id, ""))
        for one in find_exercises()
        if one.id.startswith(phase)
    ]
    if not rows:
        raise _fail(ExerciseError(f"no exercises for {phase!r}; phases are p0 to p5"))
    print_table(("", "exercise", "title", "exit criterion"), rows, whole={"exercise"})


@app.command()
def start(exercise_id: ExerciseId) -> None:
    """Show the task and copy its starter to a file of yours; an answer already begun is kept."""
    exercise = _exercise(exercise_id)
    answer = _answer_path(exercise)
    if not answer.exists():
        answer.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(exercise.starter, answer)
    _console.print(Markdown(exercise.prompt))
    _console.print(f"\nYour answer: {answer}", soft_wrap=True)
    _console.print(f"Check it:    roadmap exercises check {exercise.id}")


@app.command()
def check(exercise_id: ExerciseId, answer: AnswerFile = None) -> None:
    """Judge your answer; exit code 0 when it passes, 1 when not."""
    exercise = _exercise(exercise_id)
    try:
        verdict = judge(exercise, answer or _answer_path(exercise))
        if verdict.has_passed:
            Progress(_data_dir()).mark(exercise.id)
    except (ExerciseError, ProgressError) as error:
        raise _fail(error) from error
    if verdict.has_passed:
        _console.print(f"Passed: {exercise.title}", style="green")
        return
    _console.print(f"Not yet: {verdict.message}", style="yellow", markup=False)
    _console.print(f"A hint: roadmap exercises hint {exercise.id}")
    raise typer.Exit(code=1)


@app.command()
def hint(exercise_id: ExerciseId) -> None:
    """Show one more hint than last time."""
    exercise = _exercise(exercise_id)
    hints = exercise.hints
    n_shown = min(Progress(_data_dir()).take_hint(exercise.id), len(hints))
    for number, text in enumerate(hints[:n_shown], start=1):
        _console.print(Markdown(f"**{number} of {len(hints)}** {text}"))


@app.command()
def solution(exercise_id: ExerciseId) -> None:
    """Show one good answer."""
    _console.print(Markdown(f"```python\n{_exercise(exercise_id).solution.read_text()}\n```"))


def checklist(
    week: Annotated[int, typer.Option(help="Only this week, from 1.", min=0)] = 0,
    done: Annotated[str, typer.Option(help="Mark this line as done, such as p0.pandas.")] = "",
) -> None:
    """Print the weekly checklist of the roadmap, with what you have marked as done."""
    try:
        roadmap = load_roadmap()
        progress = Progress(_data_dir())
        if done and done not in {line.id for line in roadmap.lines}:
            raise RoadmapError(f"there is no line {done!r}; ids are shown by `roadmap checklist`")
        if done:
            progress.mark(done)
        marks = progress.done()
    except (RoadmapError, ProgressError) as error:
        raise _fail(error) from error
    for entry in weekly_checklist(roadmap):
        if week in {0, entry.number}:
            _console.print(f"\nWeek {entry.number}  (phase {entry.phase})", style="bold")
            for line in entry.lines:
                box = "[x]" if line.id in marks else "[ ]"
                note = "" if line.status is Status.BUILT else "  (not built yet)"
                text = f"  {box} {line.text}   {line.id}{note}"
                _console.print(text, markup=False, highlight=False, soft_wrap=True)
