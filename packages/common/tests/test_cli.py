"""The `roadmap` command itself: quick to start, one line for an error, verbs that pass on."""

import json
import subprocess
import sys
from pathlib import Path

HEAVY = {"fastapi", "pydantic", "numpy", "sqlalchemy", "httpx2", "rich", "uvicorn", "mcp"}
PROBE = """
import json, sys
sys.argv[0] = "roadmap"
from common import cli
try:
    cli.main()
finally:
    sys.stderr.write(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "common.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_help_loads_nothing_heavy() -> None:
    command = [sys.executable, "-c", PROBE, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    loaded = set(json.loads(done.stderr))
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def test_help_names_every_verb() -> None:
    done = run("--help")
    assert done.returncode == 0
    for verb in ("up", "status", "doctor", "models", "exercises", "checklist"):
        assert f"\n  {verb} " in done.stdout


def test_the_version_is_told() -> None:
    assert run("--version").stdout.startswith("roadmap 0.")


def test_in_a_pipe_every_exercise_is_one_whole_line() -> None:
    lines = run("exercises").stdout.splitlines()
    found = [line for line in lines if "p1/ninety-five-percent-of-nothing" in line]
    assert len(found) == 1
    assert "You know how to evaluate models correctly" in found[0]


def test_the_checklist_says_of_a_line_that_it_is_not_built() -> None:
    lines = run("checklist").stdout.splitlines()
    assert not [line for line in lines if "p1.trees" in line and "not built" in line]
    assert [line for line in lines if "p5.scale" in line and "not built yet" in line]


def test_a_port_that_is_none_is_refused_before_anything_starts(tmp_path: Path) -> None:
    done = run("up", "p1:99999", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "p1:99999" in done.stderr


def test_a_delegated_verb_answers_its_own_help() -> None:
    done = run("models", "show", "--help")
    assert done.returncode == 0
    assert "Usage: roadmap models show" in done.stdout


def test_a_domain_error_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = run("models", "show", "churn", "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == "roadmap: there is no model 'churn'; publish one first\n"


def test_an_unwritable_data_directory_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("up", "--data-dir", str(tmp_path / "file"))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be written" in done.stderr


def test_an_error_of_ours_is_one_line_with_a_report(tmp_path: Path) -> None:
    state = tmp_path / "run" / "services.json"
    state.mkdir(parents=True)  # a directory where a file should be: nobody expects that
    done = run("status", "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    report = Path(done.stderr.split("details are in ")[1].rstrip(")\n"))
    assert "IsADirectoryError" in report.read_text()
    report.unlink()


def test_a_state_file_of_nonsense_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "services.json").write_text("{")
    done = run("status", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.endswith("is not readable as service states; delete it.\n")


def test_status_where_nothing_was_started_expects_nothing(tmp_path: Path) -> None:
    done = run("status", "--json", "--data-dir", str(tmp_path))
    report = json.loads(done.stdout)
    assert (done.returncode, report["is_ok"]) == (0, True)
    assert [one["name"] for one in report["services"]] == ["p0", "p1", "p2", "p3", "p4", "p5"]


def test_doctor_prints_json_that_says_ok(tmp_path: Path) -> None:
    done = run("doctor", "--json", "--data-dir", str(tmp_path))
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["is_ok"]


def test_the_checklist_is_passed_on() -> None:
    done = run("checklist", "--week", "1")
    assert done.returncode == 0, done.stderr
    assert "Week 1" in done.stdout
