"""`p3-rag-chatbot finetune` as a person types it: stopped, killed, gone on with, and mistyped."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from p3_rag_chatbot.cli import app
from p3_rag_chatbot.errors import OrderError
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.training.cards import Card
from p3_rag_chatbot.training.orders import ORDER_FILE, Order, as_begun, run_of
from typer.testing import CliRunner

N_OWN, N_PARTS = 200, 6


def held_out_article(hour: str) -> dict[str, object]:
    """An article to be measured on; no claims are made of questions that end so, which is quick."""
    passage = f"The museum opens at {hour}."
    answer = {"text": hour, "answer_start": passage.index(hour)}
    asked = [
        {"id": "1", "question": "When does it open? (museum)", "answers": [answer]},
        {"id": "2", "question": "Who built it?", "answers": [], "is_impossible": True},
    ]
    return {"title": hour, "paragraphs": [{"context": passage, "qas": asked}]}


@dataclass(frozen=True)
class Desk:
    """A person's folder: their examples, the data sets, the service's data directory."""

    folder: Path

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def own(self) -> Path:
        return self.folder / "own.csv"

    @property
    def runs(self) -> list[Path]:
        return sorted((self.data_dir / "runs").glob("*"))

    @property
    def adapter(self) -> Path:
        return self.data_dir / "adapters" / "reader"

    def started(self, *options: str) -> subprocess.Popen[str]:
        """Start the command in a process group of its own, as a shell does."""
        command = [sys.executable, "-m", "p3_rag_chatbot.cli", "--data-dir", str(self.data_dir)]
        env = os.environ | {
            "ROADMAP_DATASETS": str(self.folder / "datasets"),
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.Popen(
            [*command, "finetune", *options], env=env, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def ended(self, *options: str) -> tuple[int, str, str]:
        """Let the command come to its end: exit code, what it printed, what it said beside."""
        with self.started(*options) as process:
            out, err = process.communicate()
        return process.returncode, out, err

    def signalled(self, number: signal.Signals, *options: str) -> tuple[int, str, str]:
        """Send a signal to all of the command's processes once a part of six is behind it."""
        with self.started(*options) as process:
            said = ""
            for line in process.stderr or ():
                said += line
                if line.startswith("part 1 of "):
                    os.killpg(process.pid, number)
                    break
            out, rest = process.communicate()
        return process.returncode, out, said + rest


def desk_in(folder: Path) -> Desk:
    articles = [held_out_article(hour) for hour in ("six", "seven", "eight", "nine")]
    squad = folder / "datasets" / "qa" / "squad2_dev_part.json"
    squad.parent.mkdir(parents=True)
    squad.write_text(json.dumps({"data": articles}))
    desk = Desk(folder)
    with desk.own.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("question", "passage", "answer"))
        for number in range(N_OWN):
            hour = f"{number % 12} o'clock"
            writer.writerow((f"When is gate {number} shut?", f"Gate {number}: {hour}.", hour))
    return desk


Cut = tuple[Desk, tuple[int, str, str]]


def cut_off(folder: Path, number: signal.Signals) -> Cut:
    """A run that a signal ended; the person's examples are gone since."""
    desk = desk_in(folder)
    options = ("--own", str(desk.own), "--rank", "2", "--epochs", str(N_PARTS))
    said = desk.signalled(number, "reader", *options)
    desk.own.unlink()
    return desk, said


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Cut:
    return cut_off(tmp_path_factory.mktemp("stopped"), signal.SIGINT)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Cut:
    return cut_off(tmp_path_factory.mktemp("killed"), signal.SIGKILL)


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_learned_and_says_in_a_line_how_to_go_on(
    stopped: Cut,
) -> None:
    desk, (code, out, err) = stopped
    (run,) = desk.runs
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "interrupted"
    assert 1 <= record["step"] < record["steps"]
    assert err.splitlines()[-1] == (
        f"stopped: p3-rag-chatbot finetune, after step {record['step']}; everything is kept: "
        f"`p3-rag-chatbot finetune reader --resume {run.name}` goes on from there"
    )
    assert (code, out) == (130, "")
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_killed_run_said_its_name_and_has_kept_its_parts(
    killed: Cut,
) -> None:
    desk, (code, out, err) = killed
    (run,) = desk.runs
    assert (code, out) == (-signal.SIGKILL, "")
    assert err.startswith(f"run {run.name}: ")
    assert list((run / "checkpoints").iterdir())
    assert not desk.adapter.exists()


@pytest.mark.slow
def test_either_goes_on_by_its_name_alone_to_the_same_adapter(stopped: Cut, killed: Cut) -> None:
    learned = []
    for desk, _ in (stopped, killed):
        (run,) = desk.runs
        code, out, err = desk.ended("reader", "--resume", run.name)
        assert (code, desk.runs) == (0, [run]), err
        parts = re.findall(r"^part (\d+) of 6", err, re.MULTILINE)
        assert parts[-1:] == ["6"]
        assert "1" not in parts, "it began anew"
        assert out.endswith(f"It lies in {desk.adapter}\n")
        card = Card.model_validate_json((desk.adapter / "card.json").read_bytes())
        assert card.rank == 2
        assert [(one.name, one.n_examples) for one in card.data] == [("own", N_OWN)]
        learned.append((desk.adapter / "adapter_model.safetensors").read_bytes())
    assert learned[0] == learned[1], "where it was cut has changed what it learned"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("reader", "--own", "nowhere.csv"), "nowhere.csv: No such file or directory"),
        (("grounded", "--own", "lacking.csv"),
         "lacking.csv: there is no column 'answer'; accepted: question, passage, answer"),
        (("reader", "--own", "short.csv"), "short.csv: line 3: answer is not there"),
        (("grounded", "--rank", "0"), "rank is 0; accepted: 1 to 256"),
        (("reader", "--epochs", "0"), "epochs is 0; accepted: 1 or more"),
        (("tools", "--resume", "yesterday"), "there is no run 'yesterday'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_line_that_names_it_and_exit_code_2(
    options: Sequence[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lacking.csv").write_text("question,passage\nWho?,Ann sang.\n")
    (tmp_path / "short.csv").write_text(
        "question,passage,answer\nWho?,Ann sang.,Ann\nWho?,Ann sang.\n"
    )
    monkeypatch.chdir(tmp_path)
    desk = Desk(tmp_path)
    assert desk.ended(*options) == (2, "", f"error: {said}\n")
    assert desk.runs == [], "a run was begun"


def test_the_options_are_told_in_the_help() -> None:
    told = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["finetune", "--help"]).stdout
    for said in ("--own", "1 to 256", "exits with 130", "--resume"):
        assert said in told


def test_a_run_goes_on_only_as_it_was_begun(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    settings = Settings(data_dir=desk.data_dir)
    begun = Order("reader", own=desk.own, rank=4, epochs=2, to=tmp_path / "to")
    run = run_of(begun, settings)
    (run.path / "run.json").write_text(
        json.dumps({"id": run.path.name, "dataset": "", "model": "",
                    "started_at": "2026-11-01T10:00:00Z"})
    )  # fmt: skip
    desk.own.write_text("changed since")
    again = as_begun(Order("reader", resume=run.path.name), settings)
    assert (again.rank, again.epochs, again.to) == (4, 2, tmp_path / "to")
    assert again.own is not None
    assert len(again.own.read_text().splitlines()) == N_OWN + 1
    assert run_of(again, settings).path == run.path
    with pytest.raises(OrderError, match="leave out --rank"):
        as_begun(Order("reader", rank=8, resume=run.path.name), settings)
    with pytest.raises(OrderError, match=r"another adapter.*finetune reader --resume"):
        as_begun(Order("grounded", resume=run.path.name), settings)
    (run.path / ORDER_FILE).unlink()
    with pytest.raises(OrderError, match="no run of finetune's"):
        as_begun(Order("reader", resume=run.path.name), settings)
