import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from p1_prediction_api.diagnosis import Diagnosis

pytestmark = pytest.mark.slow


def run(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "p1_prediction_api.cli", *arguments]
    environment = os.environ | variables
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment)


def write_table(path: Path, n_rows: int = 200) -> Path:
    rows = [f"{k % 7},{'hot' if k % 7 > 3 else 'cold'},{k % 3}" for k in range(n_rows)]
    path.write_text("\n".join(["degrees;feel;day", *(r.replace(",", ";") for r in rows)]))
    return path


def test_a_persons_table_is_trained_published_and_predicted(tmp_path: Path) -> None:
    table = write_table(tmp_path / "weather.csv")
    report = tmp_path / "why.html"
    train = ("train", str(table), "--target", "feel", "--minutes", "0.03", "--miss-cost", "3")
    done = run(*train, "--report", str(report), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "a probability of 0.25 on: missing one costs 3" in done.stdout
    assert "diagnosis: " in done.stdout
    assert report.read_text().startswith("<!doctype html>")
    assert "published weather version 1 as champion" in done.stdout
    row = json.dumps({"degrees": 6, "day": 1})
    answer = run("predict", row, cwd=tmp_path, P1_MODEL="weather")
    assert json.loads(answer.stdout)["label"] == ["hot"], answer.stderr
    out = tmp_path / "answers.csv"
    answered = run("predict-table", str(table), "--out", str(out), cwd=tmp_path, P1_MODEL="weather")
    assert "200 rows predicted by weather version 1" in answered.stdout, answered.stderr
    assert "probability of hot" in out.read_text().splitlines()[0]
    same = run("check", str(table), cwd=tmp_path, P1_MODEL="weather")
    assert same.returncode == 0, same.stdout + same.stderr
    table.write_text(table.read_text().replace("cold", "mild"))
    drifted = run("check", str(table), cwd=tmp_path, P1_MODEL="weather")
    assert drifted.returncode == 1
    assert "feel" in drifted.stdout


def test_what_would_stop_the_service_is_said_before_it_trains(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("--port", port, cwd=tmp_path, ROADMAP_DATA_DIR=str(tmp_path / "data"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert not (tmp_path / "data" / "models").exists()


def test_what_is_trained_on_the_first_start_comes_with_its_diagnosis(tmp_path: Path) -> None:
    for said in ("published breast-cancer version 1 as champion", "is there already"):
        done = run("train", "--if-missing", cwd=tmp_path, ROADMAP_DATA_DIR=str(tmp_path / "data"))
        assert said in done.stdout, done.stderr
    (report,) = (tmp_path / "data" / "models").rglob("report.html")
    assert report.read_text().startswith("<!doctype html>")
    (diagnosis,) = (tmp_path / "data" / "models").rglob("diagnosis.json")
    assert Diagnosis.model_validate_json(diagnosis.read_text()).verdict


def test_with_a_registry_out_of_reach_it_trains_nothing_and_says_why(tmp_path: Path) -> None:
    done = run("train", "--if-missing", cwd=tmp_path, ROADMAP_REGISTRY="mlflow+http://127.0.0.1:9")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "127.0.0.1:9" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "nope.csv", "--target", "feel"), "there is no file"),
        (("train", "weather.csv"), "name it with --target"),
        (("train", "weather.csv", "--target", "fell"), "did you mean 'feel'"),
        (("train", "picture.csv", "--target", "feel"), "picture.csv"),
        (("train", "empty.csv", "--target", "feel"), "empty"),
        (("train", "weather.csv", "--target", "feel", "--positive", "wet"), "no class of feel"),
        (("train", "weather.csv", "--target", "feel", "--report", "no/where.html"), "no folder no"),
        (("predict", "{"), "registry yet|no model"),
        (("predict-table", "weather.csv", "--out", "x.docx"), "accepted endings are .csv"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    write_table(tmp_path / "weather.csv")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0" * 20)
    (tmp_path / "empty.csv").write_bytes(b"")
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert any(word in done.stderr for word in words.split("|")), done.stderr
    assert "Traceback" not in done.stderr
