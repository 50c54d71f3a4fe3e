"""A candidate answers the same live requests unseen, is compared, and disturbs nobody."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.models import open_registry
from common.service.client import ServiceClient, connect_app
from p1_prediction_api.api import create_app
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.live_scores import MIN_TRUTHS
from p1_prediction_api.settings import Settings
from p1_prediction_api.shadow import answer_each
from p1_prediction_api.training import TrainingRun, train
from sklearn import metrics

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def guess_run() -> TrainingRun:
    """A model of the same table that knows one useless column and guesses."""
    table = example_table()
    shuffled = table.copy()
    rng = np.random.default_rng(0)
    shuffled[TARGET] = rng.permutation(table[TARGET].to_numpy())
    return train(shuffled, target=TARGET, minutes=0)


@pytest.fixture
def settings(tmp_path: Path, cancer_run: TrainingRun) -> Settings:
    chosen = Settings(data_dir=tmp_path / "data", poll_s=0.02, train_on_first_start=False)
    cancer_run.publish(settings=chosen)
    return chosen


def held_out(run: TrainingRun) -> tuple[list[dict[str, object]], list[str]]:
    table = example_table().iloc[run.split.test]
    names = [feature.name for feature in run.signature.features]
    return table[names].to_dict("records"), table[TARGET].tolist()


async def until_shadowed(client: ServiceClient, n_rows: int) -> dict[str, object]:
    async with asyncio.timeout(60):
        while True:
            found = await client.get("/v1/shadow")
            if found is not None and found["n_rows"] >= n_rows:
                return found
            await asyncio.sleep(0.05)


async def test_without_a_candidate_nothing_shadows(
    settings: Settings, cancer_run: TrainingRun
) -> None:
    rows, _ = held_out(cancer_run)
    async with connect_app(create_app(settings)) as client:
        await client.post("/v1/predict", {"rows": rows})
        assert await client.get("/v1/shadow") is None
        assert b"shadow_requests_total{" not in await client.request("GET", "/metrics")


async def test_a_worse_candidate_is_told_from_the_champion_by_truths(
    settings: Settings, cancer_run: TrainingRun, guess_run: TrainingRun
) -> None:
    guess_run.publish(settings=settings, alias="candidate")
    rows, truths = held_out(cancer_run)
    async with connect_app(create_app(settings)) as client:
        await until_shadowed(client, 0)
        answer = await client.post("/v1/predict", {"rows": rows})
        assert answer["model"]["version"] == 1
        before = await until_shadowed(client, len(rows))
        assert before["candidate"] == {"name": "breast-cancer", "version": 2, "alias": "candidate"}
        assert before["agreement"]["value"] < 0.9
        assert f"{MIN_TRUTHS} are needed" in before["verdict"]
        told = [{"id": answer["id"], "row": k, "truth": one} for k, one in enumerate(truths)]
        await client.post("/v1/feedback", {"truths": told})
        after = await client.get("/v1/shadow")
    assert after["n_truths"] == len(rows)
    assert after["metric"] == "roc_auc"
    assert after["difference"]["high"] < 0
    assert "worse: keep the champion" in after["verdict"]
    p = [one["probabilities"]["malignant"] for one in answer["predictions"]]
    expected = metrics.roc_auc_score([one == "malignant" for one in truths], p)
    assert after["champion_score"]["value"] == pytest.approx(expected, abs=1e-6)


async def test_a_candidate_like_the_champion_is_not_said_to_be_better(
    settings: Settings, cancer_run: TrainingRun
) -> None:
    cancer_run.publish(settings=settings, alias="candidate")
    rows, truths = held_out(cancer_run)
    async with connect_app(create_app(settings)) as client:
        await until_shadowed(client, 0)
        answer = await client.post("/v1/predict", {"rows": rows})
        await until_shadowed(client, len(rows))
        told = [{"id": answer["id"], "row": k, "truth": one} for k, one in enumerate(truths)]
        await client.post("/v1/feedback", {"truths": told})
        found = await client.get("/v1/shadow")
        assert found["agreement"]["value"] == 1
        assert found["mean_difference"]["value"] == pytest.approx(0)
        assert found["difference"]["low"] < 0 < found["difference"]["high"]
        assert "no difference shown" in found["verdict"]
        await client.post("/v1/promote", {"version": 2})
        async with asyncio.timeout(20):
            while await client.get("/v1/shadow") is not None:  # it answers now: nothing to compare
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("content", [b"", b"not a model"])
async def test_a_candidate_that_cannot_be_loaded_is_said_and_the_champion_answers(
    settings: Settings, cancer_run: TrainingRun, tmp_path: Path, content: bytes
) -> None:
    registry = open_registry(settings.registry_location, cache_dir=tmp_path / "cache")
    files = tmp_path / "files"
    shutil.copytree(registry.fetch(registry.resolve("breast-cancer", "champion")), files)
    (files / "model.onnx").write_bytes(content)
    signature = cancer_run.signature.model_dump(mode="json")
    registry.publish("breast-cancer", files, signature=signature, alias="candidate")
    rows, _ = held_out(cancer_run)
    async with connect_app(create_app(settings)) as client:
        async with asyncio.timeout(20):
            while "candidate version 2 is not compared" not in str(await client.get("/readyz")):
                await asyncio.sleep(0.02)
        answer = await client.post("/v1/predict", {"rows": rows[:1]})
        assert answer["model"]["version"] == 1
        assert await client.get("/v1/shadow") is None


async def test_a_candidate_of_another_table_is_not_asked(
    settings: Settings, cancer_run: TrainingRun
) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"rooms": rng.normal(size=80), "age": rng.normal(size=80)})
    table["rent"] = 2 * table["rooms"] + rng.normal(size=80)
    train(table, target="rent", minutes=0).publish(settings=settings, alias="candidate")
    async with connect_app(create_app(settings)) as client, asyncio.timeout(20):
        while "it predicts 'rent'" not in str(await client.get("/readyz")):
            await asyncio.sleep(0.02)


async def test_a_candidate_with_other_features_fails_alone_and_is_counted(
    settings: Settings, cancer_run: TrainingRun
) -> None:
    fewer = example_table().drop(columns="mean radius")
    train(fewer, target=TARGET, minutes=0).publish(settings=settings, alias="candidate")
    rows, _ = held_out(cancer_run)
    async with connect_app(create_app(settings)) as client:
        await until_shadowed(client, 0)
        answers = [await client.post("/v1/predict", {"rows": rows[:2]}) for _ in range(3)]
        assert all(len(answer["predictions"]) == 2 for answer in answers)
        async with asyncio.timeout(20):
            while (found := await client.get("/v1/shadow"))["n_failed"] < 3:
                await asyncio.sleep(0.02)
        metrics_text = (await client.request("GET", "/metrics")).decode()
    assert found["n_rows"] == 0
    assert "could not answer 3 request(s)" in found["verdict"]
    assert 'shadow_requests_total{outcome="failed"} 3.0' in metrics_text


class Raising:
    """A model that raises when a batch holds what it does not like."""

    def __init__(self) -> None:
        self.read = bytes.decode

    def run(self, items: Sequence[str]) -> list["Raising.Answer"]:
        if "bad" in items:
            raise RuntimeError("the graph has no answer")
        return [Raising.Answer(item) for item in items]

    class Answer:
        def __init__(self, json: str) -> None:
            self.json = json


def test_a_candidate_that_raises_fails_on_that_request_alone() -> None:
    bodies = [b"a", b"bad", b"c", b"d", b"bad"]
    assert answer_each(Raising(), bodies) == ["[a]", None, "[c]", "[d]", None]


async def test_what_does_not_fit_the_queue_is_skipped_counted_and_answered(
    settings: Settings, cancer_run: TrainingRun
) -> None:
    cancer_run.publish(settings=settings, alias="candidate")
    rows, _ = held_out(cancer_run)
    many = rows * (130_000 // len(str(rows)) + 1)  # longer than what a candidate is asked
    async with connect_app(create_app(settings)) as client:
        await until_shadowed(client, 0)
        answer = await client.post("/v1/predict", {"rows": many})
        assert len(answer["predictions"]) == len(many)
        await client.post("/v1/predict", {"rows": rows[:1]})
        found = await until_shadowed(client, 1)
    assert (found["n_rows"], found["n_skipped"]) == (1, 1)


@pytest.mark.parametrize("changed", [{"shadow_alias": ""}, {"log_predictions": False}])
async def test_it_can_be_left_out(
    settings: Settings, cancer_run: TrainingRun, changed: dict[str, object]
) -> None:
    cancer_run.publish(settings=settings, alias="candidate")
    rows, _ = held_out(cancer_run)
    async with connect_app(create_app(settings.model_copy(update=changed))) as client:
        for _ in range(5):
            await client.post("/v1/predict", {"rows": rows[:1]})
        assert await client.get("/v1/shadow") is None
