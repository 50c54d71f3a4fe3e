"""The command: verdict on the screen, reports in files, an exit code that a pipeline can use."""

import subprocess
import sys
from pathlib import Path

from p0_foundations import Profile
from p0_foundations.api import PAGE_DIR
from p0_foundations.cli import app
from typer.testing import CliRunner

MARCH, JUNE = PAGE_DIR / "example-march.csv", PAGE_DIR / "example-june.csv"


def test_a_profile_is_told_and_written_in_both_forms(tmp_path: Path) -> None:
    stored, report = tmp_path / "p.json", tmp_path / "p.html"
    done = CliRunner().invoke(
        app, ["profile", str(MARCH), "--target", "left", "--out", str(stored), "--out", str(report)]
    )
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Not ready to use: 'exit_reason' alone predicts 'left'")
    assert Profile.from_json(stored.read_bytes()).leak_suspects == ("exit_reason",)
    assert "<svg" in report.read_text()


def test_a_stored_profile_is_compared_with_a_later_table_and_drift_ends_with_one(
    tmp_path: Path,
) -> None:
    stored = tmp_path / "march.json"
    CliRunner().invoke(app, ["profile", str(MARCH), "--out", str(stored)])
    moved = CliRunner().invoke(app, ["compare", str(stored), str(JUNE)])
    assert (moved.exit_code, "plan" in moved.output) == (1, True)
    same = CliRunner().invoke(app, ["compare", str(stored), str(MARCH)])
    assert (same.exit_code, same.output.startswith("No drift")) == (0, True)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "p0_foundations.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_what_is_wrong_is_one_line_and_exit_code_two(tmp_path: Path) -> None:
    picture = tmp_path / "photo.csv"
    picture.write_bytes(b"\x89PNG\0\0")
    for arguments, reason in (
        (("profile", str(picture)), "PNG picture"),
        (("profile", str(tmp_path / "gone.csv")), "there is no file gone.csv"),
        (("profile", str(MARCH), "--out", "report.pdf"), ".html and .json"),
    ):
        done = command(*arguments)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert reason in done.stderr


def test_importing_the_door_and_the_app_loads_no_pandas_and_no_matplotlib() -> None:
    code = (
        "import sys, p0_foundations, p0_foundations.api;"
        "print({'pandas', 'scipy', 'matplotlib', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "set()"
