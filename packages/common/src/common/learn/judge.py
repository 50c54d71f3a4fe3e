"""Run one exercise's check on one answer; the last line of output is the verdict as JSON.

Run as a file in a process of its own (`python judge.py check.py answer.py`), so that an answer may
crash, hang or print without harm to the caller. Knows nothing of the rest of the package.
"""

import importlib.util
import json
import sys
import traceback
from pathlib import Path
from types import ModuleType


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _where(error: BaseException, answer: Path) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(answer)]
    return f" (line {frames[-1].lineno} of your answer)" if frames else ""


def judge(check: Path, answer: Path) -> tuple[bool, str]:
    """Return whether `answer` passes `check`, and what to tell its author."""
    try:
        module = _load(answer, "answer")
        _load(check, "exercise_check").check(module)
    except AssertionError as error:
        return False, str(error) or f"an assertion failed{_where(error, answer)}"
    except Exception as error:  # noqa: BLE001 - whatever an answer raises is its author's to read
        return False, f"{type(error).__name__}: {error}{_where(error, answer)}"
    return True, "passed"


if __name__ == "__main__":
    passed, message = judge(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.write("\n" + json.dumps({"passed": passed, "message": message}) + "\n")
