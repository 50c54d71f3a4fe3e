"""The service in process: real registry folder, real ONNX, no socket."""

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest
import structlog
from common.errors import ProblemError
from common.models import open_registry
from common.service.client import ServiceClient, connect_app
from fastapi import FastAPI
from p1_prediction_api.api import create_app
from p1_prediction_api.diagnosis import Diagnosis, diagnose
from p1_prediction_api.publishing import publish
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import TrainingRun
from starlette.testclient import TestClient

pytestmark = pytest.mark.anyio


@pytest.fixture
def app(cancer_run: TrainingRun, settings: Settings) -> FastAPI:
    cancer_run.publish(settings=settings)
    return create_app(settings)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[ServiceClient]:
    async with connect_app(app) as client:
        yield client


def example(run: TrainingRun) -> dict[str, object]:
    return {feature.name: feature.example for feature in run.signature.features}


@pytest.mark.criterion("p1.deploy")
async def test_a_published_model_is_served_and_answers(
    client: ServiceClient, cancer_run: TrainingRun
) -> None:
    reply = await client.post("/v1/predict", {"rows": [example(cancer_run)]})
    (one,) = reply["predictions"]
    assert reply["model"] == {"name": "breast-cancer", "version": 1, "alias": "champion"}
    assert one["prediction"] in {"benign", "malignant"}
    assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert one["warnings"] == []


async def test_a_larger_tumour_is_likelier_malignant(
    client: ServiceClient, cancer_run: TrainingRun
) -> None:
    """Direction: every size-like figure at its largest against its smallest."""
    features = cancer_run.signature.features
    small = {f.name: f.low for f in features}
    large = {f.name: f.high for f in features}
    reply = await client.post("/v1/predict", {"rows": [small, large]})
    p_small, p_large = (p["probabilities"]["malignant"] for p in reply["predictions"])
    assert p_small < 0.1
    assert p_large > 0.9


async def test_the_documentation_shows_the_models_own_fields(
    client: ServiceClient, cancer_run: TrainingRun
) -> None:
    document = await client.get("/openapi.json")
    row = document["components"]["schemas"]["Row"]
    assert set(row["required"]) == set(example(cancer_run))
    body = document["paths"]["/v1/predict"]["post"]["requestBody"]
    example_rows = body["content"]["application/json"]["example"]["rows"]
    assert await client.post("/v1/predict", {"rows": example_rows})


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b'{"rows": [{"mean radius": NaN}]}', 422, "invalid-rows"),
        (b'{"rows": [{"mean radius": 1e999}]}', 422, "invalid-rows"),
        (b'{"rows": [', 400, "malformed-body"),
        (b"\xff\xfe", 400, "malformed-body"),
        (b"[]", 422, "invalid-rows"),
        (b'{"rows": []}', 422, "invalid-rows"),
        (b'{"rows": [{}], "extra": 1}', 422, "invalid-rows"),
        (b'{"rows": [' + b"{}," * 10_000 + b"{}]}", 413, "too-many-rows"),
        (b'{"rows": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "malformed-body"),
    ],
    ids=["nan", "inf", "cut", "binary", "list", "empty", "unknown", "too-many", "deep"],
)
def test_bad_input_is_a_clear_problem(app: FastAPI, body: bytes, status: int, slug: str) -> None:
    with TestClient(app) as client:
        answer = client.post(
            "/v1/predict", content=body, headers={"content-type": "application/json"}
        )
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"/problems/{slug}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"]
    if b"mean radius" in body:
        (named,) = [one for one in problem["errors"] if "finite" in one["message"]]
        assert named["field"] == "rows.0.mean radius"
    assert problem["request_id"]


async def test_without_a_model_it_starts_and_says_what_to_do(settings: Settings) -> None:
    async with connect_app(create_app(settings), retries=0) as client:
        assert await client.get("/healthz") == {"status": "alive"}
        for path in ("/readyz", "/v1/model"):
            with pytest.raises(ProblemError, match="p1-prediction-api train"):
                await client.get(path)


async def until_version(client: ServiceClient, version: int) -> None:
    async with asyncio.timeout(20):
        while (await client.get("/v1/model"))["model"]["version"] != version:
            await asyncio.sleep(0.005)


@pytest.mark.criterion("p1.deploy")
async def test_a_swap_and_a_roll_back_under_load_fail_no_request(
    client: ServiceClient, cancer_run: TrainingRun, settings: Settings
) -> None:
    body = {"rows": [example(cancer_run)] * 5}
    versions: list[int] = []
    is_over = asyncio.Event()

    async def keep_asking() -> None:
        while not is_over.is_set():
            reply = await client.post("/v1/predict", body)
            versions.append(reply["model"]["version"])
            assert len(reply["predictions"]) == 5

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(keep_asking())
        second = await asyncio.to_thread(cancer_run.publish, settings=settings)
        await until_version(client, second.version)
        registry = open_registry(
            settings.registry_location, cache_dir=settings.data_dir / "cache" / "models"
        )
        await asyncio.to_thread(registry.roll_back, "breast-cancer", "champion")
        await until_version(client, 1)
        is_over.set()
    assert {1, 2} <= set(versions)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07\x12\x04skl2" * 50])
async def test_a_corrupt_or_foreign_model_keeps_the_old_one_answering(
    client: ServiceClient, cancer_run: TrainingRun, settings: Settings, content: bytes, tmp_path
) -> None:
    registry = open_registry(settings.registry_location, cache_dir=tmp_path / "cache")
    files = tmp_path / "files"
    shutil.copytree(registry.fetch(registry.resolve("breast-cancer", "champion")), files)
    (files / "model.onnx").write_bytes(content)
    signature = cancer_run.signature.model_dump(mode="json")
    registry.publish("breast-cancer", files, signature=signature, alias="champion")
    async with asyncio.timeout(20):
        while b"model_load_failures_total 1.0" not in await client.request("GET", "/metrics"):
            await asyncio.sleep(0.005)
    reply = await client.post("/v1/predict", {"rows": [example(cancer_run)]})
    assert reply["model"]["version"] == 1
    (note,) = (await client.get("/readyz"))["notes"]
    assert "version 2 cannot be loaded" in note
    assert (await client.get("/v1/model"))["trouble"] == note
    with structlog.testing.capture_logs() as events:
        await asyncio.to_thread(registry.roll_back, "breast-cancer", "champion")
        async with asyncio.timeout(20):
            while (await client.get("/readyz")).get("notes"):
                await asyncio.sleep(0.005)
    told = [(one["event"], one["version"]) for one in events if "version" in one]
    assert told == [("model_kept", 1)]  # it answered all along: nothing was swapped


async def test_a_file_changed_in_the_registry_is_not_served(
    cancer_run: TrainingRun, settings: Settings
) -> None:
    cancer_run.publish(settings=settings)
    (stored,) = (settings.data_dir / "models").rglob("model.onnx")
    stored.write_bytes(stored.read_bytes()[:-1] + b"!")
    async with connect_app(create_app(settings), retries=0) as client:
        with pytest.raises(ProblemError, match="sha256"):
            await client.get("/readyz")


async def test_the_report_of_the_version_that_answers_is_shown(
    cancer_run: TrainingRun, settings: Settings
) -> None:
    diagnosis = diagnose(cancer_run, minutes=0.0)
    publish(
        cancer_run,
        model="breast-cancer",
        alias="champion",
        settings=settings,
        diagnosis=diagnosis,
    )
    with TestClient(create_app(settings)) as client:
        shown = client.get("/v1/report")
        as_data = client.get("/v1/diagnosis")
    assert shown.headers["content-type"].startswith("text/html")
    assert diagnosis.verdict.split("(")[0] in shown.text
    assert Diagnosis.model_validate_json(as_data.content) == diagnosis


@pytest.mark.parametrize("path", ["/v1/report", "/v1/diagnosis"])
async def test_a_version_without_a_report_says_how_to_get_one(app: FastAPI, path: str) -> None:
    with TestClient(app) as client:
        refused = client.get(path)
    assert refused.status_code == 404
    assert "`p1-prediction-api train`" in refused.json()["detail"]


async def test_predictions_and_the_served_version_are_in_the_metrics(
    client: ServiceClient, cancer_run: TrainingRun
) -> None:
    await client.post("/v1/predict", {"rows": [example(cancer_run)]})
    text = (await client.request("GET", "/metrics")).decode()
    assert 'model_info{model="breast-cancer",version="1"} 1.0' in text
    assert 'http_requests_total{method="POST",route="/v1/predict",status="200"} 1.0' in text
    assert "batch_size_count" in text
    assert 'predictions_total{label="benign",version="1"} 1.0' in text
