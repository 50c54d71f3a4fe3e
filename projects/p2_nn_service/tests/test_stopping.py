"""A training stopped over HTTP: by whom, and what is left of it."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from p2_nn_service.api import create_app
from p2_nn_service.contracts import RunRecord
from p2_nn_service.runs import STOP_FILE, RunFolder, runs_dir
from p2_nn_service.settings import Settings
from p2_nn_service.training.checkpoints import Checkpoints
from starlette.testclient import TestClient

KEY = "a key"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()
TRAINER = """
import sys
from pathlib import Path
import numpy as np
import torch
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import resume_classifier, train_classifier
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training.watching import Watcher

class Tells(Watcher):
    def started(self, record):
        self.first = record.step
    def stepped(self, step, *_):
        if step == self.first + 1:
            print(step, flush=True)

torch.set_num_threads(1)
chance = np.random.default_rng(0)
images = chance.integers(0, 255, (60, 1, 8, 8)).astype(np.uint8)
noise = Dataset("noise", images, np.arange(60) % 3, ("a", "b", "c"))
recipe = Recipe(epochs=1_000_000, batch_size=9, precision="fp32")
settings = Settings(data_dir=Path(sys.argv[1]))
if sys.argv[2:]:
    resume_classifier(sys.argv[2], settings=settings, dataset=noise, sinks=[Tells()])
else:
    train_classifier(noise, "perceptron", recipe, settings=settings, sinks=[Tells()])
"""


@contextmanager
def trainer(data_dir: Path, *resume: str) -> Iterator[subprocess.Popen[str]]:
    """Train in a process of its own for as long as it is let; it has taken a step."""
    command = [sys.executable, "-c", TRAINER, str(data_dir), *resume]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().strip().isdigit()
        yield process
    finally:
        process.kill()
        process.communicate()


def running(data_dir: Path) -> RunFolder:
    """Keep a run that says that it runs; without a lock it is believed."""
    folder = RunFolder(runs_dir(data_dir) / "a")
    folder.write(RunRecord(id="a", dataset="d", model="mlp", started_at=datetime.now(UTC)))
    return folder


def service(data_dir: Path, **changes: object) -> TestClient:
    settings = Settings(data_dir=data_dir, publish_builtin=False)
    return TestClient(create_app(settings.model_copy(update=changes)))


@pytest.mark.slow
def test_a_training_in_another_process_stops_with_a_checkpoint_and_goes_on(
    tmp_path: Path,
) -> None:
    with service(tmp_path) as client:
        with trainer(tmp_path) as process:
            (record,) = client.get("/v1/runs").json()["runs"]
            answer = client.post(f"/v1/runs/{record['id']}/stop")
            assert (answer.status_code, answer.json()["status"]) == (202, "running")
            assert process.wait(120) == 0, "it ended by itself"
        stopped = client.get(f"/v1/runs/{record['id']}").json()
        assert (stopped["status"], stopped["reason"]) == ("interrupted", "asked to stop")
        folder = RunFolder(runs_dir(tmp_path) / record["id"])
        state, wrong = Checkpoints(folder.path).newest()
        assert (state["progress"]["step"], wrong) == (stopped["step"], [])
        again = client.post(f"/v1/runs/{record['id']}/stop")
        assert (again.status_code, again.json()["title"]) == (409, "This run is not running")
        with trainer(tmp_path, record["id"]):
            assert not folder.is_asked_to_stop(), "the request was for the training before"
            assert client.get(f"/v1/runs/{record['id']}").json()["status"] == "running"


def test_a_run_that_is_not_there_cannot_be_stopped(tmp_path: Path) -> None:
    running(tmp_path)
    with service(tmp_path) as client:
        answer = client.post("/v1/runs/b/stop")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "there is no run 'b'; known: a" in answer.json()["detail"]


def test_a_page_of_another_site_stops_nothing(tmp_path: Path) -> None:
    folder = running(tmp_path)
    with service(tmp_path) as client:
        foreign = {"origin": "https://evil.example.com"}
        refused = client.post("/v1/runs/a/stop", headers=foreign)
        assert (refused.status_code, refused.json()["title"]) == (
            403, "Trainings are not stopped here",
        )  # fmt: skip
        assert not (folder.path / STOP_FILE).exists()
        assert client.post("/v1/runs/a/stop").status_code == 202


@pytest.mark.parametrize(
    ("changes", "may_stop"),
    [
        ({"host": "0.0.0.0"}, False),
        ({"host": "0.0.0.0", "allow_stopping": True}, True),
        ({"allow_stopping": False}, False),
    ],
)
def test_who_may_stop_is_told_and_held(
    tmp_path: Path, changes: dict[str, object], *, may_stop: bool
) -> None:
    running(tmp_path)
    with service(tmp_path, **changes) as client:
        assert client.get("/v1/runs").json()["may_stop"] is may_stop
        answer = client.post("/v1/runs/a/stop")
    assert answer.status_code == (202 if may_stop else 403)
    assert may_stop or "P2_ALLOW_STOPPING=true" in answer.json()["detail"]


def test_where_there_are_keys_a_key_is_needed_and_is_enough(tmp_path: Path) -> None:
    folder = running(tmp_path)
    with service(tmp_path, host="0.0.0.0", api_keys=(DIGEST,)) as client:
        assert client.post("/v1/runs/a/stop").status_code == 401
        assert not folder.is_asked_to_stop()
        with_key = {"authorization": f"Bearer {KEY}"}
        assert client.post("/v1/runs/a/stop", headers=with_key).status_code == 202
    assert folder.is_asked_to_stop()
