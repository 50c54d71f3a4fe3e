"""Every prediction is stored beside what was asked, and the log never holds up an answer."""

import asyncio
import json
import sqlite3
import time
from pathlib import Path

import pytest
from common.service.client import connect_app
from p1_prediction_api.api import create_app
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import TrainingRun

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path, cancer_run: TrainingRun) -> Settings:
    chosen = Settings(data_dir=tmp_path / "data", poll_s=0.02, train_on_first_start=False)
    cancer_run.publish(settings=chosen)
    return chosen


def example(run: TrainingRun) -> dict[str, object]:
    return {feature.name: feature.example for feature in run.signature.features}


def database(settings: Settings) -> Path:
    return settings.data_dir / "p1-prediction-api.db"


def stored(settings: Settings) -> dict[str, tuple[int, int, str | None, str]]:
    with sqlite3.connect(database(settings)) as connection:
        rows = connection.execute("SELECT id, version, n_rows, request, answer FROM predictions")
        return {made: (version, n, asked, said) for made, version, n, asked, said in rows}


async def test_what_was_asked_and_answered_is_stored(
    settings: Settings, cancer_run: TrainingRun
) -> None:
    row = example(cancer_run)
    strange = {**row, next(iter(row)): 1e9}  # answered by the careful path, with a warning
    async with connect_app(create_app(settings)) as client:
        plain = await client.post("/v1/predict", {"rows": [row, row]})
        warned = await client.post("/v1/predict", {"rows": [strange]})
    found = stored(settings)
    assert set(found) == {plain["id"], warned["id"]}
    version, n_rows, asked, said = found[plain["id"]]
    assert (version, n_rows) == (1, 2)
    assert json.loads(asked or "") == {"rows": [row, row]}
    assert json.loads(said) == plain["predictions"]
    assert json.loads(found[warned["id"]][3])[0]["warnings"]


async def test_tensors_are_stored_by_their_answers(
    settings: Settings, cancer_run: TrainingRun
) -> None:
    inputs = [
        {"name": name, "shape": [1, 1], "datatype": "FP32", "data": [value]}
        for name, value in example(cancer_run).items()
    ]
    async with connect_app(create_app(settings)) as client:
        reply = await client.post(f"/v2/models/{settings.model}/infer", {"inputs": inputs})
    ((_, n_rows, asked, said),) = stored(settings).values()
    assert (n_rows, asked) == (1, None)
    (label,) = (one["data"] for one in reply["outputs"] if one["name"] == "label")
    assert json.loads(said)["label"] == label


@pytest.mark.parametrize("changed", [{"log_inputs": False}, {"max_logged_bytes": 10}])
async def test_what_was_asked_is_left_out_when_it_should_be(
    settings: Settings, cancer_run: TrainingRun, changed: dict[str, object]
) -> None:
    chosen = settings.model_copy(update=changed)
    async with connect_app(create_app(chosen)) as client:
        await client.post("/v1/predict", {"rows": [example(cancer_run)]})
    ((_, _, asked, said),) = stored(chosen).values()
    assert asked is None
    assert json.loads(said)


async def test_without_a_log_nothing_is_stored(settings: Settings, cancer_run: TrainingRun) -> None:
    chosen = settings.model_copy(update={"log_predictions": False})
    async with connect_app(create_app(chosen)) as client:
        assert (await client.post("/v1/predict", {"rows": [example(cancer_run)]}))["id"]
    assert stored(settings) == {}


async def test_a_log_that_falls_behind_says_so_and_holds_up_no_answer(
    settings: Settings, cancer_run: TrainingRun
) -> None:
    chosen = settings.model_copy(update={"max_log_waiting": 2})
    body = {"rows": [example(cancer_run)]}
    async with connect_app(create_app(chosen)) as client:
        blocker = sqlite3.connect(database(chosen), isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        for _ in range(5):
            assert (await client.post("/v1/predict", body))["predictions"]
        assert "not being stored fast enough" in str(await client.get("/readyz"))
        blocker.execute("ROLLBACK")
        blocker.close()
        async with asyncio.timeout(20):
            while "fast enough" in str(await client.get("/readyz")):
                await asyncio.sleep(0.05)
        last = await client.post("/v1/predict", body)
    found = stored(chosen)
    assert len(found) == 3
    assert last["id"] in found


async def test_what_is_too_old_is_removed(settings: Settings, cancer_run: TrainingRun) -> None:
    body = {"rows": [example(cancer_run)]}
    async with connect_app(create_app(settings)) as client:
        old = await client.post("/v1/predict", body)
        new = await client.post("/v1/predict", body)
    with sqlite3.connect(database(settings)) as connection:
        long_ago = time.time() - 31 * 86_400
        connection.execute("UPDATE predictions SET made_at = ? WHERE id = ?", (long_ago, old["id"]))
    async with connect_app(create_app(settings)), asyncio.timeout(20):
        while old["id"] in stored(settings):
            await asyncio.sleep(0.05)
    assert set(stored(settings)) == {new["id"]}
