"""Answers taken apart over HTTP: they add up, name each feature, and refuse what makes no sense."""

import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.errors import ProblemError
from common.service.client import ServiceClient, connect_app
from p1_prediction_api.api import create_app
from p1_prediction_api.errors import ModelContentError
from p1_prediction_api.explaining import Explainer
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import TrainingRun, train

pytestmark = pytest.mark.anyio
TARGETS = ("binary", "three", "number")


def trips(target: str) -> pd.DataFrame:
    """Price follows distance, a label and the weekend; the surcharge is for night alone."""
    rng = np.random.default_rng(5)
    n = 500
    when = pd.Timestamp("2025-05-01") + pd.to_timedelta(rng.integers(0, 90 * 24, n), unit="h")
    table = pd.DataFrame({"distance": rng.uniform(1, 30, n), "when": when.astype(str)})
    table["kind"] = rng.choice(["van", "car"], n)
    price = 2 * table["distance"] + 15 * (table["kind"] == "van") + rng.normal(size=n)
    table.loc[rng.random(n) < 0.1, "kind"] = None
    table["t"] = {
        "binary": np.where(price > 40, "dear", "cheap"),
        "three": np.select([price < 25, price < 50], ["low", "mid"], "high"),
        "number": price,
    }[target]
    return table


@dataclass(frozen=True)
class Served:
    run: TrainingRun
    settings: Settings
    client: ServiceClient


@pytest.fixture(scope="module", params=TARGETS)
def run(request: pytest.FixtureRequest) -> TrainingRun:
    return train(trips(request.param), target="t", minutes=0.03)


@pytest.fixture
async def served(run: TrainingRun, settings: Settings, tmp_path: Path) -> AsyncIterator[Served]:
    settings = settings.model_copy(update={"model": "trips", "data_dir": tmp_path})
    run.publish(model="trips", settings=settings)
    async with connect_app(create_app(settings)) as client:
        yield Served(run, settings, client)


ROWS = [
    {"distance": 29.5, "when": "2025-06-01T10:00", "kind": "van"},
    {"distance": 1.5, "when": "2025-06-03", "kind": None},
    {"distance": 12, "when": "2025-07-03T23:30:00Z", "kind": "never seen"},
]


async def test_every_answer_adds_up_to_what_is_predicted(served: Served) -> None:
    reply = await served.client.post("/v1/explain", {"rows": ROWS})
    predicted = await served.client.post("/v1/predict", {"rows": ROWS})
    classes = served.run.signature.classes
    for one, plain in zip(reply["explanations"], predicted["predictions"], strict=True):
        assert one["prediction"] == plain
        parts = [part["attribution"] for part in one["attributions"]]
        assert {p["feature"] for p in one["attributions"]} == {"distance", "when", "kind"}
        assert sorted(parts, key=abs, reverse=True) == parts
        assert one["base"] + math.fsum(parts) == pytest.approx(one["score"], abs=1e-9)
        if not classes:
            assert one["score"] == pytest.approx(plain["prediction"], rel=1e-4)
            assert one["scale"] == "target"
        elif len(classes) == 2:
            p = plain["probabilities"][one["of"]]
            if 1e-4 < p < 1 - 1e-4:
                assert one["score"] == pytest.approx(math.log(p / (1 - p)), abs=1e-2)


async def test_the_longest_trip_owes_its_price_to_its_distance(served: Served) -> None:
    of = {"binary": "dear", "three": "high"}
    classes = served.run.signature.classes
    body: dict[str, object] = {"rows": ROWS[:1]}
    if classes:
        body["of"] = of["binary" if len(classes) == 2 else "three"]
    (one,) = (await served.client.post("/v1/explain", body))["explanations"]
    first = one["attributions"][0]
    assert first["feature"] == "distance"
    assert first["attribution"] > 0
    assert first["value"] == 29.5
    shown = {part["feature"]: part["value"] for part in one["attributions"]}
    assert shown["when"].startswith("2025-06-01")
    assert shown["kind"] == "van"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"rows": ROWS, "of": "nobody"}, "of: is no class"),
        ({"rows": ROWS, "of": 3}, "of: is not a text"),
        ({"rows": ROWS, "why": "?"}, "why: is unknown"),
        ({"rows": ROWS * 50}, "at most 100"),
        ({"rows": [{"distance": 1, "kind": "car", "when": "the first of May"}]}, "rows.0.when"),
        ({"rows": [{"distance": 1, "kind": "car", "when": 20250501}]}, "ISO 8601"),
    ],
)
async def test_bad_input_is_named(served: Served, body: dict[str, object], words: str) -> None:
    with pytest.raises(ProblemError) as refused:
        await served.client.post("/v1/explain", body)
    told = refused.value.problem
    assert words in f"{told.detail} {told.errors}"
    assert told.status in {413, 422}


async def test_a_date_out_of_range_is_answered_with_a_warning(served: Served) -> None:
    row = {"distance": 3, "kind": "car", "when": "1925-05-01"}
    reply = await served.client.post("/v1/predict", {"rows": [row]})
    (warning,) = reply["predictions"][0]["warnings"]
    assert warning.startswith("when = 1925-05-01 is outside what training saw (2025-05-01")


def test_an_explainer_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "explainer.npz"
    for content in (b"", b"nonsense", b"PK\x03\x04"):
        path.write_bytes(content)
        with pytest.raises(ModelContentError, match="explains no model"):
            Explainer.load(path)
    np.savez(path, head=np.array("{}"))
    with pytest.raises(ModelContentError, match="explains no model"):
        Explainer.load(path)
