"""Monitoring as a caller sees it: rows go in over HTTP, and what is amiss with them is told."""

import asyncio
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from common.errors import ProblemError
from common.models import open_registry
from common.service.client import ServiceClient, connect_app
from p1_prediction_api.api import create_app
from p1_prediction_api.monitoring.reference import MONITORING_FILE
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import TrainingRun, train

from tests.support.world import Change, as_json, draw, table

pytestmark = pytest.mark.anyio
Json = dict


@pytest.fixture(scope="module")
def run() -> TrainingRun:
    return train(table(np.random.default_rng(0), 4_000), target="buys", minutes=0.0)


@pytest.fixture(scope="module")
def published(run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with one version, to be copied: publishing takes seconds."""
    folder: Path = tmp_path_factory.mktemp("published")
    run.publish(model="shop", settings=Settings(data_dir=folder, model="shop"))
    return folder


@pytest.fixture
def settings(published: Path, tmp_path: Path) -> Settings:
    shutil.copytree(published / "models", tmp_path / "data" / "models")
    return Settings(
        data_dir=tmp_path / "data", model="shop", poll_s=0.02, train_on_first_start=False
    )


def rows(n: int, seed: int = 1, **changed: Change) -> list[Json]:
    drawn = draw(np.random.default_rng(seed), n)
    for name, change in changed.items():
        drawn[name] = np.asarray(change(drawn[name]), dtype=drawn[name].dtype)
    return as_json(drawn)


async def ask(client: ServiceClient, asked: list[Json], at_once: int = 50) -> None:
    for start in range(0, len(asked), at_once):
        await client.post("/v1/predict", {"rows": asked[start : start + at_once]})


def told(found: Json) -> set[tuple[str, str]]:
    return {(a["code"], a["subject"]) for a in found["alerts"] if a["severity"] != "note"}


async def test_traffic_like_training_raises_no_alert(settings: Settings) -> None:
    async with connect_app(create_app(settings)) as client:
        assert "Nobody asked" in (await client.get("/v1/monitoring"))["verdict"]
        await ask(client, rows(20))
        assert "too few to tell" in (await client.get("/v1/monitoring"))["verdict"]
        await ask(client, rows(1_000, seed=2))
        found = await client.get("/v1/monitoring?hours=2&moments=4")
    assert found["alerts"] == []
    assert found["verdict"] == "1,020 rows in the last 2 hours look like training."
    assert found["model"] == {"name": "shop", "version": 1, "alias": "champion"}
    assert {one["movement"] for one in found["features"]} == {"none"}
    assert {one["feature"] for one in found["features"]} == set(rows(1)[0])
    assert [one["n_rows"] for one in found["timeline"]] == [0, 0, 0, 1_020]
    assert found["out_of_distribution"]["seen"]["value"] < 0.03
    assert found["prediction"]["of"] in {"yes", "no"}
    assert found["log"]["is_on"]


CHANGES: dict[str, tuple[str, Change]] = {
    "drift": ("income", lambda v: v * 1.6),
    "missing": ("score", lambda v: np.where(np.arange(len(v)) % 3 == 0, np.nan, v)),
    "unseen-labels": ("city", lambda v: np.where(np.arange(len(v)) % 9 == 0, "Atlantis", v)),
    "out-of-distribution": ("score", lambda v: 8 - v),  # as before by itself, not beside age
}


@pytest.mark.parametrize("code", CHANGES)
async def test_a_planted_fault_is_named(settings: Settings, code: str) -> None:
    name, change = CHANGES[code]
    async with connect_app(create_app(settings)) as client:
        await ask(client, rows(600, **{name: change}))
        found = await client.get("/v1/monitoring")
    subject = "rows" if code == "out-of-distribution" else name
    assert (code, subject) in told(found)
    assert all(alert["next_step"] and alert["message"] for alert in found["alerts"])
    order = [("problem", "warning", "note").index(a["severity"]) for a in found["alerts"]]
    assert order == sorted(order)


async def test_answers_that_move_are_named(settings: Settings) -> None:
    async with connect_app(create_app(settings)) as client:
        await ask(client, rows(600, age=lambda v: v + 12))
        found = await client.get("/v1/monitoring")
    assert "prediction-drift" in {code for code, _ in told(found)}


async def test_refused_requests_are_counted_and_a_burst_is_named(settings: Settings) -> None:
    bad = [{"rows": [{"age": "old"}]}, {"rows": []}, {"rws": []}, {"rows": "none"}]
    async with connect_app(create_app(settings)) as client:
        await ask(client, rows(100))
        for body in bad * 2:
            with pytest.raises(ProblemError):
                await client.post("/v1/predict", body)
        found = await client.get("/v1/monitoring?moments=1")
    assert found["refused"] == 8
    assert found["timeline"][0]["n_refused"] == 8
    assert ("refused", "service") in told(found)


async def test_every_way_to_ask_is_counted_once(settings: Settings) -> None:
    """The quick path, the careful one, tensors; explaining an answer asks for no new one."""
    row = rows(1)[0]
    kinds = {"city": "BYTES", "is_new": "BYTES"}
    days = {"seen_at": 20_000.0}
    tensors = [
        {
            "name": name,
            "shape": [2, 1],
            "datatype": kinds.get(name, "FP32"),
            "data": [days.get(name, value)] * 2,
        }
        for name, value in row.items()
    ]
    async with connect_app(create_app(settings)) as client:
        await ask(client, [row, {**row, "city": "Atlantis"}, {**row, "age": 1e9}])
        await client.post("/v2/models/shop/infer", {"inputs": tensors})
        await client.post("/v1/explain", {"rows": [row]})
        found = await client.get("/v1/monitoring")
    assert found["n_rows"] == 5
    by_name = {one["feature"]: one for one in found["features"]}
    assert by_name["city"]["unseen"] == pytest.approx(1 / 5)
    assert by_name["age"]["unseen"] == pytest.approx(1 / 5)
    assert sum(one["seen"] for one in found["prediction"]["bins"]) == pytest.approx(1)


async def test_what_was_counted_outlives_the_process_and_replicas_add_up(
    settings: Settings,
) -> None:
    async with connect_app(create_app(settings)) as client:
        await ask(client, rows(100))
    often = settings.model_copy(update={"watch_window_s": 0.01})
    async with (
        connect_app(create_app(often)) as one,
        connect_app(create_app(settings)) as other,
    ):
        await ask(one, rows(200, seed=3))
        await ask(other, rows(300, seed=4))
        async with asyncio.timeout(20):
            while (await other.get("/v1/monitoring"))["n_rows"] < 600:
                await asyncio.sleep(0.05)
        assert (await one.get("/v1/monitoring"))["n_rows"] == 300  # the other's is not stored yet
    async with connect_app(create_app(settings)) as client:
        found = await client.get("/v1/monitoring")
    assert found["n_rows"] == 600
    assert found["alerts"] == []


async def test_another_version_is_watched_from_its_own_start(
    settings: Settings, run: TrainingRun
) -> None:
    async with connect_app(create_app(settings)) as client:
        await ask(client, rows(100))
        await asyncio.to_thread(run.publish, model="shop", settings=settings)
        async with asyncio.timeout(60):
            while (await client.get("/v1/monitoring"))["model"]["version"] == 1:
                await asyncio.sleep(0.05)
        await ask(client, rows(10))
        assert (await client.get("/v1/monitoring"))["n_rows"] == 10
        open_registry(settings.registry_location, cache_dir=settings.data_dir / "c").roll_back(
            "shop", "champion"
        )
        async with asyncio.timeout(60):
            while (await client.get("/v1/monitoring"))["model"]["version"] == 2:
                await asyncio.sleep(0.05)
        assert (await client.get("/v1/monitoring"))["n_rows"] == 100


async def test_a_version_published_without_a_reference_is_served_and_says_so(
    settings: Settings, tmp_path: Path
) -> None:
    registry = open_registry(settings.registry_location, cache_dir=tmp_path / "cache")
    old = registry.resolve("shop", "champion")
    files = tmp_path / "old"
    shutil.copytree(registry.fetch(old), files)
    (files / MONITORING_FILE).unlink()
    registry.publish("shop", files, metrics={}, signature=old.signature, alias="champion")
    async with connect_app(create_app(settings)) as client:
        await ask(client, rows(10))
        found = await client.get("/v1/monitoring?moments=2")
    assert found["model"]["version"] == 2
    assert (found["n_rows"], found["features"], found["prediction"]) == (10, [], None)
    assert [alert["code"] for alert in found["alerts"]] == ["no-reference"]
    assert "published without" in found["verdict"]
    assert found["timeline"][1]["n_rows"] == 10


async def test_a_version_that_does_not_load_and_a_log_that_lags_are_named(
    settings: Settings, tmp_path: Path
) -> None:
    chosen = settings.model_copy(update={"max_log_waiting": 1})
    async with connect_app(create_app(chosen)) as client:
        files = tmp_path / "broken"
        files.mkdir()
        (files / "model.onnx").write_bytes(b"no model")
        registry = open_registry(chosen.registry_location, cache_dir=tmp_path / "cache")
        registry.publish("shop", files, metrics={}, signature={}, alias="champion")
        blocker = sqlite3.connect(chosen.data_dir / "p1-prediction-api.db", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        await ask(client, rows(200), at_once=50)
        async with asyncio.timeout(20):
            while ("model-not-loaded", "service") not in told(
                found := await client.get("/v1/monitoring")
            ):
                await asyncio.sleep(0.05)
        blocker.execute("ROLLBACK")
        blocker.close()
    assert ("log-behind", "service") in told(found)
    assert found["log"]["n_lost"] > 0
    assert found["n_rows"] == 200
    assert "Version 2 cannot be loaded" in found["verdict"]


async def test_counts_that_cannot_be_read_are_a_clear_problem_and_hold_up_no_answer(
    settings: Settings,
) -> None:
    async with connect_app(create_app(settings)) as client:
        with sqlite3.connect(settings.data_dir / "p1-prediction-api.db") as connection:
            connection.execute("DROP TABLE windows")
        with pytest.raises(ProblemError) as refused:
            await client.get("/v1/monitoring")
        await ask(client, rows(3))
    assert refused.value.problem.status == 503
    assert refused.value.problem.type == "/problems/database-unavailable"


@pytest.mark.parametrize(
    "query",
    ["hours=0", "hours=1e-300", "hours=1e9", "moments=0", "moments=501", "hours=x", "hours=nan"],
)
async def test_a_span_that_cannot_be_is_refused_by_name(settings: Settings, query: str) -> None:
    async with connect_app(create_app(settings)) as client:
        with pytest.raises(ProblemError) as refused:
            await client.get(f"/v1/monitoring?{query}")
    assert refused.value.problem.status == 422
    assert refused.value.problem.errors[0].field == query.partition("=")[0]


async def test_before_there_is_a_model_nothing_is_watched(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, model="shop", train_on_first_start=False)
    async with connect_app(create_app(settings)) as client:
        with pytest.raises(ProblemError) as refused:
            await client.get("/v1/monitoring")
    assert refused.value.problem.type == "/problems/no-model"


async def test_prometheus_is_shown_the_same_figures(settings: Settings) -> None:
    chosen = settings.model_copy(update={"watch_refresh_s": 0.05})
    async with connect_app(create_app(chosen)) as client:
        await ask(client, rows(600, income=lambda v: v * 1.6))
        found = await client.get("/v1/monitoring")
        async with asyncio.timeout(20):
            while "watched_rows 600.0" not in (text := await metrics(client)):
                await asyncio.sleep(0.05)
    income = next(one for one in found["features"] if one["feature"] == "income")
    assert f'feature_psi{{feature="income"}} {income["psi"]}' in text
    assert 'feature_movement{feature="income"} 3.0' in text
    assert 'monitoring_alerts{severity="problem"} 1.0' in text
    assert "rows_seen_total 600.0" in text
    assert "requests_refused_total 0.0" in text


async def metrics(client: ServiceClient) -> str:
    async with client.stream("GET", "/metrics") as answer:
        return b"".join([part async for part in answer.parts()]).decode()
