"""`roadmap.toml` claims nothing that does not run, and forgets nothing that does."""

import ast
import importlib.metadata
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from common.learn.exercises import find_exercises, judge
from common.learn.roadmap import Line, Status, load_roadmap

ROOT = Path(__file__).parent.parent
ROADMAP = load_roadmap()
BUILT = [line for line in ROADMAP.lines if line.status is Status.BUILT]
CRITERIA = {line.id: line for phase in ROADMAP.phases for line in phase.criteria}
EXERCISES = find_exercises()

every_built_line = pytest.mark.parametrize("line", BUILT, ids=lambda line: line.id)


def criterion_marks() -> Iterator[str]:
    """Yield the id in each `@pytest.mark.criterion("…")` of the workspace's tests."""
    for path in [*ROOT.glob("tests/**/*.py"), *ROOT.glob("p*/*/tests/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.criterion":
                yield from (a.value for a in node.args if isinstance(a, ast.Constant))


@every_built_line
def test_the_file_of_a_built_line_exists(line: Line) -> None:
    assert (ROOT / line.file).exists(), line.file


@every_built_line
def test_the_command_of_a_built_line_starts_something_installed(line: Line) -> None:
    words = shlex.split(line.command)
    assert words[:2] == ["uv", "run"], line.command
    groups = {"dev", "language", "neural", "notebooks"} if "--group" in words else set()
    program = next(word for word in words[2:] if not word.startswith("-") and word not in groups)
    scripts = {entry.name for entry in importlib.metadata.entry_points(group="console_scripts")}
    assert program in scripts | {"python"}, line.command
    for word in words:
        if re.search(r"\.(py|toml|csv)$", word) and "/" in word:
            assert (ROOT / word).exists(), word


def test_every_built_criterion_has_a_test_and_an_exercise_and_no_mark_is_a_stranger() -> None:
    marks = set(criterion_marks())
    built = {name for name, line in CRITERIA.items() if line.status is Status.BUILT}
    assert marks <= set(CRITERIA), "a test names a criterion that the roadmap does not have"
    assert built <= marks, "a built criterion has no test"
    assert all(CRITERIA[name].exercises for name in built), "a built criterion has no exercise"


def test_every_exercise_serves_a_line_and_every_named_exercise_exists() -> None:
    named = {name for line in ROADMAP.lines for name in line.exercises}
    assert named == {exercise.id for exercise in EXERCISES}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_starter_of_an_exercise_fails_with_words_and_its_solution_passes(exercise) -> None:
    assert exercise.title
    assert len(exercise.hints) >= 2
    start = judge(exercise, exercise.starter)
    assert not start.has_passed
    assert len(start.message) > 20, "the check should say what is wrong"
    end = judge(exercise, exercise.solution)
    assert end.has_passed, end.message


SOURCE_COUNTS = {0: (4, 5, 3, 0, 3), 1: (6, 3, 2, 3, 3), 2: (5, 2, 3, 3, 3), 3: (6, 4, 3, 3, 3),
                 4: (6, 4, 2, 3, 3), 5: (5, 3, 2, 4, 3)}  # fmt: skip


def test_every_line_of_the_source_roadmap_is_here() -> None:
    """Topics, tools, resources, project parts and criteria of each phase, counted.

    FAISS and Pinecone stand in one line of the source and in two here.
    """
    counts = {
        phase.number: (
            len(phase.topics),
            len(phase.tools),
            len(phase.resources),
            len(phase.project.parts) if phase.project else 0,
            len(phase.criteria),
        )
        for phase in ROADMAP.phases
    }
    assert counts == SOURCE_COUNTS
    assert (len(ROADMAP.skips), len(ROADMAP.outcomes)) == (4, 5)
