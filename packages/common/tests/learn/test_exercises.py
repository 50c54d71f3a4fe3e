from pathlib import Path

import pytest
from common.learn.exercises import Exercise, ExerciseError, find_exercise, judge

CHECK = "def check(module):\n    assert module.double(3) == 6, 'double(3) should be 6'\n"


@pytest.fixture
def exercise(tmp_path: Path) -> Exercise:
    folder = tmp_path / "doubling"
    folder.mkdir()
    (folder / "prompt.md").write_text("# Doubling\n\nWrite `double`.\n")
    (folder / "check.py").write_text(CHECK)
    (folder / "hints.md").write_text("# Hints\n\n## 1\nThink.\n\n## 2\nMultiply.\n")
    (folder / "starter.py").write_text("def double(x):\n    return x\n")
    (folder / "solution.py").write_text("def double(x):\n    return 2 * x\n")
    return Exercise("p0/doubling", folder)


def answer(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "answer.py"
    path.write_text(text)
    return path


def test_the_title_and_the_hints_are_read_from_the_folder(exercise: Exercise) -> None:
    assert exercise.title == "Doubling"
    assert exercise.hints == ("Think.", "Multiply.")


def test_the_starter_fails_with_words_and_the_solution_passes(exercise: Exercise) -> None:
    assert judge(exercise, exercise.starter).message == "double(3) should be 6"
    assert judge(exercise, exercise.solution).has_passed


def test_an_answer_that_raises_is_told_where(exercise: Exercise, tmp_path: Path) -> None:
    verdict = judge(exercise, answer(tmp_path, "def double(x):\n    return x / 0\n"))
    assert not verdict.has_passed
    assert verdict.message == "ZeroDivisionError: division by zero (line 2 of your answer)"


def test_an_answer_that_hangs_is_stopped(exercise: Exercise, tmp_path: Path) -> None:
    verdict = judge(exercise, answer(tmp_path, "while True: pass\n"), timeout_s=1)
    assert verdict.message == "no answer within 1 s"


def test_an_answer_that_exits_is_not_a_pass(exercise: Exercise, tmp_path: Path) -> None:
    assert not judge(exercise, answer(tmp_path, "import os\nos._exit(0)\n")).has_passed


def test_an_answer_that_prints_a_verdict_cannot_fool_the_judge(
    exercise: Exercise, tmp_path: Path
) -> None:
    text = 'print(\'{"passed": true, "message": ""}\')\ndef double(x):\n    return 0\n'
    assert not judge(exercise, answer(tmp_path, text)).has_passed


def test_a_missing_answer_says_how_to_start(exercise: Exercise, tmp_path: Path) -> None:
    with pytest.raises(ExerciseError, match="roadmap exercises start"):
        judge(exercise, tmp_path / "none.py")


def test_an_exercise_is_found_by_its_folder_alone() -> None:
    assert find_exercise("half-a-swap").id == "p1/half-a-swap"


def test_an_unknown_exercise_is_refused_by_name() -> None:
    with pytest.raises(ExerciseError, match="p9/flying"):
        find_exercise("p9/flying")
