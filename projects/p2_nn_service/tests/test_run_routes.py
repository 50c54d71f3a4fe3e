import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from p2_nn_service.contracts import RunEvent, RunRecord, RunStatus
from p2_nn_service.run_routes import follow, run_router
from p2_nn_service.runs import LOCK_FILE, RunFolder, runs_dir
from p2_nn_service.settings import Settings
from starlette.testclient import TestClient


def record_of(run_id: str, status: RunStatus = "finished", **changes: object) -> RunRecord:
    made = RunRecord(
        id=run_id, dataset="d", model="mlp", status=status, started_at=datetime.now(UTC)
    )
    return made.model_copy(update=changes)


def event_at(step: int) -> RunEvent:
    return RunEvent(step=step, epoch=step / 10, at_s=step / 2, values={"loss": 1 / step})


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(run_router(Settings(data_dir=tmp_path)))
    with TestClient(app) as client:
        yield client


def test_runs_are_listed_the_newest_first_and_read_on_from_where_one_was(
    client: TestClient, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        RunFolder(runs_dir(tmp_path) / name).write(record_of(name))
    assert [run["id"] for run in client.get("/v1/runs").json()["runs"]] == ["b", "a"]
    folder = RunFolder(runs_dir(tmp_path) / "a")
    folder.append(event_at(1))
    first = client.get("/v1/runs/a/events").json()
    folder.append(event_at(2))
    then = client.get("/v1/runs/a/events", params={"after": first["next"]}).json()
    assert [event["step"] for event in first["events"] + then["events"]] == [1, 2]


@pytest.mark.anyio
async def test_a_run_is_followed_until_its_end(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a")
    folder.write(record_of("a", "running"))
    folder.append(event_at(1))
    coming = follow(folder)
    assert _read(await anext(coming))[0] == "events"
    assert _read(await anext(coming)) == ("record", json.loads(folder.read().model_dump_json()))
    folder.append(event_at(2))
    folder.write(record_of("a", "finished"))
    rest = [_read(text) async for text in coming]
    assert [name for name, _ in rest] == ["events", "record", "end"]
    assert [event["step"] for event in rest[0][1]] == [2]


@pytest.mark.anyio
async def test_following_a_run_that_is_deleted_ends_with_an_error(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a")
    folder.write(record_of("a", "running"))
    coming = follow(folder)
    assert _read(await anext(coming))[0] == "record"
    (tmp_path / "a" / "run.json").unlink()
    name, data = _read(await anext(coming))
    assert name == "error"
    assert "there is no run 'a'" in data["detail"]


def test_a_run_whose_process_was_killed_is_told_as_interrupted(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a")
    folder.write(record_of("a", "running"))
    code = (
        "import sys, time; from pathlib import Path\n"
        "from p2_nn_service.training.checkpoints import trainer_of\n"
        "with trainer_of(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    trainer = subprocess.Popen(
        [sys.executable, "-c", code, str(folder.path)], stdout=subprocess.PIPE, text=True
    )
    assert trainer.stdout is not None
    assert trainer.stdout.readline() == "held\n"
    assert (folder.path / LOCK_FILE).is_file()
    assert folder.read().status == "running"
    trainer.kill()
    trainer.communicate()
    found = folder.read()
    assert found.status == "interrupted"
    assert "--resume a" in found.reason


def _read(text: str) -> tuple[str, object]:
    name, data = text.removesuffix("\n\n").split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))
