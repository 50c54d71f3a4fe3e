"""History, promote and roll back over HTTP; a version of another table under the alias."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.errors import ProblemError
from common.models import Registry, open_registry
from common.models.releases import is_loopback
from common.service.client import ServiceClient, connect_app
from p1_prediction_api.api import create_app
from p1_prediction_api.compatibility import check_same_table
from p1_prediction_api.contracts import Feature, Signature
from p1_prediction_api.errors import OtherTableError
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import TrainingRun, train
from starlette.testclient import TestClient

from .waiting import until_ready

pytestmark = pytest.mark.anyio

KEY = "of the tests"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()


@pytest.fixture(scope="module")
def other_run() -> TrainingRun:
    """Something that has nothing to do with the example."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"rooms": rng.normal(size=80), "age": rng.normal(size=80)})
    table["rent"] = np.where(table["rooms"] > 0, "high", "low")
    return train(table, target="rent", minutes=0)


@pytest.fixture
def settings(tmp_path: Path, cancer_run: TrainingRun) -> Settings:
    chosen = Settings(data_dir=tmp_path / "data", poll_s=0.02, train_on_first_start=False)
    cancer_run.publish(settings=chosen)
    cancer_run.publish(settings=chosen, alias=None)
    return chosen


@pytest.fixture
def registry(settings: Settings) -> Registry:
    return open_registry(settings.registry_location, cache_dir=settings.data_dir / "cache")


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[ServiceClient]:
    async with connect_app(create_app(settings), retries=0) as client:
        await until_ready(client)
        yield client


def publish_broken(registry: Registry, run: TrainingRun, folder: Path, alias: str | None) -> None:
    files = folder / "files"
    shutil.copytree(registry.fetch(registry.resolve("breast-cancer", "champion")), files)
    (files / "model.onnx").write_bytes(b"not a model")
    signature = run.signature.model_dump(mode="json")
    registry.publish("breast-cancer", files, signature=signature, alias=alias)


async def answers_with(client: ServiceClient) -> int:
    return (await client.get("/v1/model"))["model"]["version"]


async def test_promote_and_roll_back_answer_once_the_version_does(client: ServiceClient) -> None:
    before = await client.get("/v1/history")
    assert (before["stands_on"], before["rolls_back_to"], before["may_change"]) == (1, None, True)
    assert [one["version"] for one in before["versions"]] == [2, 1]
    assert [one["is_serving"] for one in before["versions"]] == [False, True]
    moved = await client.post("/v1/promote", {"version": 2, "expected": 1})
    assert (moved["version"], moved["previous"], moved["is_roll_back"]) == (2, 1, False)
    assert await answers_with(client) == 2
    back = await client.post("/v1/roll-back", {})
    assert (back["version"], back["is_roll_back"]) == (1, True)
    assert await answers_with(client) == 1
    after = await client.get("/v1/history")
    assert [one["version"] for one in after["moves"]] == [1, 2, 1]
    assert after["versions"][1]["aliases"] == ["champion"]


@pytest.mark.parametrize(
    ("path", "body", "status", "slug"),
    [
        ("promote", {"version": 9}, 404, "no-such-version"),
        ("promote", {"version": 2, "expected": 5}, 409, "alias-moved"),
        ("promote", {"version": 0}, 422, "invalid-input"),
        ("promote", {"version": "two"}, 422, "invalid-input"),
        ("promote", {"versoin": 2}, 422, "invalid-input"),
        ("roll-back", {}, 409, "no-earlier-version"),
    ],
)
async def test_what_cannot_be_moved_is_a_problem_and_moves_nothing(
    client: ServiceClient, path: str, body: dict[str, object], status: int, slug: str
) -> None:
    with pytest.raises(ProblemError) as caught:
        await client.post(f"/v1/{path}", body)
    assert (caught.value.problem.status, caught.value.problem.type) == (status, f"/problems/{slug}")
    assert (await client.get("/v1/history"))["stands_on"] == 1
    assert await answers_with(client) == 1


async def test_a_version_that_cannot_be_loaded_is_not_promoted(
    client: ServiceClient, cancer_run: TrainingRun, registry: Registry, tmp_path: Path
) -> None:
    publish_broken(registry, cancer_run, tmp_path, alias=None)
    with pytest.raises(ProblemError, match=r"version 3 cannot answer here.*version 1 goes on"):
        await client.post("/v1/promote", {"version": 3})
    assert (await client.get("/v1/history"))["stands_on"] == 1


async def test_without_permission_nothing_is_moved_and_the_setting_is_named(
    settings: Settings,
) -> None:
    shut = settings.model_copy(update={"allow_promotion": False})
    async with connect_app(create_app(shut), retries=0) as client:
        assert (await client.get("/v1/history"))["may_change"] is False
        for path, body in (("promote", {"version": 2}), ("roll-back", {})):
            with pytest.raises(ProblemError, match="P1_ALLOW_PROMOTION") as caught:
                await client.post(f"/v1/{path}", body)
            assert caught.value.problem.status == 403
        assert await answers_with(client) == 1


@pytest.mark.parametrize(
    ("changed", "may_change"),
    [
        ({}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "0.0.0.0", "api_keys": (DIGEST,)}, True),
        ({"host": "0.0.0.0", "allow_promotion": True}, True),
        ({"api_keys": (DIGEST,), "allow_promotion": False}, False),
        ({"alias": "2", "allow_promotion": True}, False),
    ],
)
def test_who_may_move_the_alias_by_default(
    settings: Settings, changed: dict[str, object], *, may_change: bool
) -> None:
    chosen = settings.model_copy(update=changed)
    with TestClient(create_app(chosen), base_url="http://localhost") as client:
        shown = client.get("/v1/history", headers={"X-API-Key": KEY})
    assert shown.json()["may_change"] is may_change


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_an_address_that_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host)
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.com")


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"host": "rebound.example"}]
)
def test_another_sites_page_moves_nothing(settings: Settings, headers: dict[str, str]) -> None:
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        for path, body in (("promote", {"version": 2}), ("roll-back", {})):
            refused = client.post(f"/v1/{path}", json=body, headers=headers)
            assert refused.status_code == 403
            assert refused.json()["type"] == "/problems/promotion-not-allowed"
        own = {"origin": "http://127.0.0.1"}
        assert client.post("/v1/promote", json={"version": 2}, headers=own).status_code == 200


async def until_noted(client: ServiceClient, words: str) -> str:
    async with asyncio.timeout(30):
        while words not in (note := str((await client.get("/readyz")).get("notes"))):
            await asyncio.sleep(0.02)
    return note


async def test_a_model_of_another_table_under_the_alias_leaves_the_old_one_answering(
    client: ServiceClient, cancer_run: TrainingRun, other_run: TrainingRun, settings: Settings
) -> None:
    other_run.publish(settings=settings)
    note = await until_noted(client, "another table")
    assert "predicts 'rent' (classification), not 'diagnosis'" in note
    assert "ALLOW_OTHER_TABLES" in note
    assert "version 1 goes on answering" in note
    assert (await client.get("/v1/model"))["trouble"] in note
    row = {one.name: one.example for one in cancer_run.signature.features}
    answer = await client.post("/v1/predict", {"rows": [row]})
    assert answer["model"]["version"] == 1
    with pytest.raises(ProblemError, match="another table"):
        await client.post("/v1/promote", {"version": 3})
    back = await client.post("/v1/roll-back", {})
    assert back["version"] == 1
    assert (await client.get("/readyz")).get("notes") is None


async def test_another_table_is_served_where_that_is_wanted(
    cancer_run: TrainingRun, other_run: TrainingRun, settings: Settings
) -> None:
    wanted = settings.model_copy(update={"allow_other_tables": True})
    async with connect_app(create_app(wanted), retries=0) as client:
        version = other_run.publish(settings=settings, alias=None)
        await client.post("/v1/promote", {"version": version.version})
        answer = await client.post("/v1/predict", {"rows": [{"rooms": 1.0, "age": 0.0}]})
    assert answer["model"]["version"] == 3
    assert answer["predictions"][0]["prediction"] == "high"


def changed(signature: Signature, change: Callable[[Feature], Feature]) -> Signature:
    features = (change(signature.features[0]), *signature.features[1:])
    return signature.model_copy(update={"features": features})


def test_newer_rows_of_the_same_table_are_the_same_table(cancer_run: TrainingRun) -> None:
    old = cancer_run.signature
    newer = changed(old, lambda one: one.model_copy(update={"low": -5.0, "high": 900.0}))
    check_same_table(old, newer.model_copy(update={"classes": ("a", "b", "c")}))
    with pytest.raises(OtherTableError, match=r"also needs 'x'.*does not take 'mean radius'"):
        check_same_table(old, changed(old, lambda one: one.model_copy(update={"name": "x"})))
    with pytest.raises(OtherTableError, match="another kind of 'mean radius'"):
        check_same_table(old, changed(old, lambda one: one.model_copy(update={"kind": "date"})))


async def test_without_a_model_the_history_is_empty(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path, train_on_first_start=False)
    async with connect_app(create_app(chosen), retries=0) as client:
        shown = await client.get("/v1/history")
    assert (shown["model"], shown["versions"], shown["moves"]) == (None, [], [])
