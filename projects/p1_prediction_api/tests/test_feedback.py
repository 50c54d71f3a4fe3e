"""The truth, later: stored or refused as a whole, joined with what was answered, scored."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.errors import ProblemError
from common.service.client import ServiceClient, connect_app
from p1_prediction_api.api import create_app
from p1_prediction_api.contracts import Truth
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.live_scores import comparable
from p1_prediction_api.scoring import score_table
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import Costs, TrainingRun, train
from pydantic import ValidationError
from sklearn import metrics

from .waiting import until_ready

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path, cancer_run: TrainingRun) -> Settings:
    chosen = Settings(data_dir=tmp_path / "data", poll_s=0.02, train_on_first_start=False)
    cancer_run.publish(settings=chosen)
    return chosen


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[ServiceClient]:
    async with connect_app(create_app(settings), retries=0) as client:
        yield client


def database(settings: Settings) -> Path:
    return settings.data_dir / "p1-prediction-api.db"


def stored(settings: Settings) -> dict[tuple[str, int], str]:
    with sqlite3.connect(database(settings)) as connection:
        rows = connection.execute("SELECT prediction_id, row, truth FROM truths")
        return {(made, row): truth for made, row, truth in rows}


def held_out(run: TrainingRun) -> tuple[list[dict[str, object]], list[str]]:
    """Rows that the model never saw, and their classes."""
    table = example_table().iloc[run.split.test]
    names = [feature.name for feature in run.signature.features]
    return table[names].to_dict("records"), table[TARGET].tolist()


def figures_of(run: TrainingRun) -> dict[str, float]:
    """What the published model scores on those rows: it learned from them after its test."""
    rows, y = run.data.X.iloc[run.split.test], run.data.y[run.split.test]
    said = run.published.predict(rows)
    return {name: score(y, said) for name, score in score_table("classification", 2).items()}


async def predicted(client: ServiceClient, rows: list[dict[str, object]]) -> dict[str, object]:
    await until_ready(client)
    return await client.post("/v1/predict", {"rows": rows})


async def test_live_scores_are_those_of_the_held_out_rows_that_are_told(
    client: ServiceClient, cancer_run: TrainingRun
) -> None:
    rows, truths = held_out(cancer_run)
    assert await client.get("/v1/live-scores") is None
    answer = await predicted(client, rows)
    told = [{"id": answer["id"], "row": k, "truth": truth} for k, truth in enumerate(truths)]
    assert await client.post("/v1/feedback", {"truths": told[:10]}) == {
        "n_stored": 10,
        "n_pending": 0,
    }
    few = await client.get("/v1/live-scores")
    assert (few["n_truths"], few["metrics"]) == (10, {})
    assert "from 20 on" in few["verdict"]
    await client.post("/v1/feedback", {"truths": told})
    found = await client.get("/v1/live-scores")
    assert found["n_truths"] == len(rows)
    card, exact = cancer_run.card, figures_of(cancer_run)
    for name, one in found["metrics"].items():
        assert one["value"] == pytest.approx(exact[name], abs=1e-6), name
        assert one["low"] <= one["value"] <= one["high"]
        assert found["expected"][name]["value"] == pytest.approx(card.metrics[name].value)
    assert {"roc_auc", "accuracy", "recall"} <= set(found["metrics"]) <= set(card.metrics)
    assert card.uncertainty is not None
    assert found["coverage"]["value"] >= card.uncertainty.coverage.value - 0.02
    assert found["verdict"].startswith("Live ")
    assert not found["is_worse"]


async def test_worse_answers_than_in_training_are_said_to_be_so(
    client: ServiceClient, cancer_run: TrainingRun
) -> None:
    rows, truths = held_out(cancer_run)
    answer = await predicted(client, rows)
    wrong = {"benign": "malignant", "malignant": "benign"}
    told = [
        {"id": answer["id"], "row": k, "truth": wrong[truth] if k % 3 else truth}
        for k, truth in enumerate(truths)
    ]
    await client.post("/v1/feedback", {"truths": told})
    found = await client.get("/v1/live-scores")
    assert "below the" in found["verdict"]
    assert "beyond chance" in found["verdict"]
    assert "less than the 90%" in found["verdict"]
    assert found["is_worse"]
    alert = (await client.get("/v1/monitoring"))["alerts"][0]
    assert (alert["severity"], alert["code"]) == ("problem", "worse-than-training")
    async with asyncio.timeout(20):
        while b"live_score{" not in (text := await client.request("GET", "/metrics")):
            await asyncio.sleep(0.05)
    assert f'live_truths{{state="scored"}} {float(len(rows))}' in text.decode()


async def test_the_last_word_stands_and_saying_it_again_changes_nothing(
    client: ServiceClient, cancer_run: TrainingRun, settings: Settings
) -> None:
    rows, _ = held_out(cancer_run)
    made = (await predicted(client, rows[:2]))["id"]
    first = [{"id": made, "truth": "benign"}, {"id": made, "row": 1, "truth": "benign"}]
    last = [{"id": made, "truth": "benign"}, {"id": made, "truth": "malignant"}]
    for body in (first, first, last):
        await client.post("/v1/feedback", {"truths": body})
    assert stored(settings) == {(made, 0): '"malignant"', (made, 1): '"benign"'}


async def test_a_truth_before_its_prediction_waits_for_it(
    client: ServiceClient, settings: Settings
) -> None:
    told = [{"id": f"ffff-{k}", "truth": "benign"} for k in range(3)]
    assert await client.post("/v1/feedback", {"truths": told}) == {"n_stored": 3, "n_pending": 3}
    found = await client.get("/v1/live-scores")
    assert (found["n_truths"], found["n_pending"]) == (0, 3)
    assert len(stored(settings)) == 3


async def test_tensors_are_scored_too(
    client: ServiceClient, cancer_run: TrainingRun, settings: Settings
) -> None:
    rows, truths = held_out(cancer_run)
    inputs = [
        {"name": name, "shape": [len(rows), 1], "datatype": "FP32", "data": [r[name] for r in rows]}
        for name in rows[0]
    ]
    await client.post("/v2/models/breast-cancer/infer", {"inputs": inputs})
    await client.post("/v1/feedback", {"truths": [{"id": "unknown", "truth": "benign"}]})
    with sqlite3.connect(database(settings)) as connection:
        ((made,),) = connection.execute("SELECT id FROM predictions")
    told = [{"id": made, "row": k, "truth": truth} for k, truth in enumerate(truths)]
    await client.post("/v1/feedback", {"truths": told})
    found = (await client.get("/v1/live-scores"))["metrics"]
    for name in ("roc_auc", "accuracy"):
        assert found[name]["value"] == pytest.approx(figures_of(cancer_run)[name], abs=1e-6)


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"truth": "purple"}, "truths.0.truth", "benign, malignant"),
        ({"truth": 1.5}, "truths.0.truth", "benign, malignant"),
        ({"truth": True}, "truths.0.truth", ""),
        ({"row": 7}, "truths.0.row", "0 to 1"),
        ({"row": -1}, "truths.0.row", "at least 0"),
        ({"rows": 1}, "truths.0.rows", "is not a known field"),
        ({"id": ""}, "truths.0.id", ""),
        ({"id": "a\u0000b"}, "truths.0.id", ""),
    ],
)
async def test_a_truth_that_cannot_be_is_named_and_none_is_stored(
    client: ServiceClient,
    cancer_run: TrainingRun,
    settings: Settings,
    changed: dict[str, object],
    field: str,
    words: str,
) -> None:
    rows, _ = held_out(cancer_run)
    made = (await predicted(client, rows[:2]))["id"]
    good = {"id": made, "row": 1, "truth": "benign"}
    with pytest.raises(ProblemError) as caught:
        await client.post("/v1/feedback", {"truths": [{**good, **changed}, good]})
    problem = caught.value.problem
    assert problem.status == 422
    assert problem.errors[0].field.startswith(field)
    assert words in str(problem.errors)
    assert stored(settings) == {}


async def test_a_truth_of_another_models_prediction_is_refused(
    client: ServiceClient, cancer_run: TrainingRun, settings: Settings
) -> None:
    rows, _ = held_out(cancer_run)
    made = (await predicted(client, rows[:1]))["id"]
    await client.post("/v1/feedback", {"truths": [{"id": made, "truth": "benign"}]})
    with sqlite3.connect(database(settings)) as connection:
        connection.execute("UPDATE predictions SET model = 'churn'")
    with pytest.raises(ProblemError, match="churn"):
        await client.post("/v1/feedback", {"truths": [{"id": made, "truth": "malignant"}]})
    assert stored(settings) == {(made, 0): '"benign"'}


@pytest.mark.parametrize("truth", [float("nan"), float("inf")])
def test_no_truth_is_infinite_or_no_number(truth: float) -> None:
    with pytest.raises(ValidationError):
        Truth(id="a", truth=truth)


async def test_too_many_truths_at_once_are_refused(client: ServiceClient) -> None:
    told = [{"id": "a", "row": k, "truth": "benign"} for k in range(10_001)]
    with pytest.raises(ProblemError, match="10000"):
        await client.post("/v1/feedback", {"truths": told})


async def test_of_numbers_the_errors_are_scored(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=400), "z": rng.normal(size=400)})
    table["price"] = 3 * table["x"] + rng.normal(size=400)
    settings = Settings(data_dir=tmp_path, model="prices", poll_s=0.02, train_on_first_start=False)
    train(table, target="price", minutes=0).publish(settings=settings, model="prices")
    rows = [{"x": float(x), "z": 0.0} for x in rng.normal(size=60)]
    async with connect_app(create_app(settings), retries=0) as client:
        answer = await predicted(client, rows)
        said = [one["prediction"] for one in answer["predictions"]]
        truth = [one + float(rng.normal()) for one in said]
        told = [{"id": answer["id"], "row": k, "truth": one} for k, one in enumerate(truth)]
        await client.post("/v1/feedback", {"truths": told})
        found = await client.get("/v1/live-scores")
        for bad in ("high", 1e300):
            with pytest.raises(ProblemError, match=r"truths\.0\.truth"):
                await client.post("/v1/feedback", {"truths": [{**told[0], "truth": bad}]})
    for name, score in (
        ("r2", metrics.r2_score),
        ("mean_absolute_error", metrics.mean_absolute_error),
    ):
        assert found["metrics"][name]["value"] == pytest.approx(score(truth, said))
    is_held = [
        one["interval"][0] <= true <= one["interval"][1]
        for one, true in zip(answer["predictions"], truth, strict=True)
    ]
    assert found["coverage"]["value"] == pytest.approx(np.mean(is_held))
    assert found["level"] == 0.9


async def test_what_a_threshold_decides_live_is_set_beside_what_it_decided_in_training(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    table = pd.DataFrame({"x": x, "t": np.where(x + rng.normal(size=600) > 1, "a", "b")})
    settings = Settings(data_dir=tmp_path, model="m", poll_s=0.02, train_on_first_start=False)
    run = train(table, target="t", positive="a", costs=Costs(1, 4), minutes=0)
    run.publish(settings=settings, model="m")
    async with connect_app(create_app(settings), retries=0) as client:
        rows = table.iloc[run.split.test]
        answer = await predicted(client, rows[["x"]].to_dict("records"))
        told = [{"id": answer["id"], "row": k, "truth": one} for k, one in enumerate(rows["t"])]
        await client.post("/v1/feedback", {"truths": told})
        found = await client.get("/v1/live-scores")
    for name in ("precision", "recall", "accuracy", "balanced_accuracy"):
        assert found["expected"][name]["value"] == run.card.metrics[name].value
        assert found["metrics"][name]["value"] == pytest.approx(
            run.card.metrics[name].value, abs=0.1
        )
    card = run.card.model_copy(update={"decided_at": None})  # as cards of before are read
    assert set(comparable(card, run.signature)) == {
        *("roc_auc", "average_precision", "log_loss", "brier_score")
    }


async def test_what_is_too_old_is_forgotten(client: ServiceClient, settings: Settings) -> None:
    told = [{"id": "old", "truth": "benign"}, {"id": "new", "truth": "benign"}]
    await client.post("/v1/feedback", {"truths": told})
    with sqlite3.connect(database(settings)) as connection:
        long_ago = (time.time() - 31 * 86_400, "old")
        connection.execute("UPDATE truths SET told_at = ? WHERE prediction_id = ?", long_ago)
    async with connect_app(create_app(settings)), asyncio.timeout(20):
        while ("old", 0) in stored(settings):
            await asyncio.sleep(0.05)
    assert set(stored(settings)) == {("new", 0)}
