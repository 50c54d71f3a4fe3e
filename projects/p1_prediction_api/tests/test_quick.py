"""The quick path gives the answers of the plain one, to the last character."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.models import open_registry
from common.telemetry import Telemetry
from hypothesis import given, settings
from hypothesis import strategies as st
from p0_foundations import parse_schema
from p1_prediction_api.contracts import MISSING, Predictions
from p1_prediction_api.database import Database
from p1_prediction_api.errors import RowError
from p1_prediction_api.live import LiveModel
from p1_prediction_api.loaded import LoadedModel, load
from p1_prediction_api.prediction_log import PredictionLog
from p1_prediction_api.settings import Settings
from p1_prediction_api.table_prediction import predict_pieces
from p1_prediction_api.training import train

pytestmark = pytest.mark.anyio


def table(target: str) -> pd.DataFrame:
    """Columns with names that a graph, JSON or Python could trip over."""
    rng = np.random.default_rng(0)
    n = 300
    frame = pd.DataFrame({"label": rng.normal(size=n), "c3": rng.integers(0, 50, n)})
    frame['a "quoted"\n name'] = rng.choice(["ä", 'say "hi"', "/v1"], n)
    frame["prediction"] = rng.normal(size=n).round(2)
    when = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 9999, n), unit="min")
    frame["/c0"] = when.astype(str)
    frame.loc[rng.random(n) < 0.2, "label"] = np.nan
    frame.loc[rng.random(n) < 0.2, 'a "quoted"\n name'] = None
    frame.loc[rng.random(n) < 0.1, 'a "quoted"\n name'] = "?"
    frame.loc[rng.random(n) < 0.1, "label"] = -999
    score = frame["prediction"] + frame["c3"] / 20 + rng.normal(scale=0.3, size=n)
    cut = {"yes-no": [1.2], "three": [0.8, 1.7]}
    if target == "number":
        return frame.assign(t=score * 1000)
    classes = ['x"1', "ö2", "z3"]
    return frame.assign(t=np.array(classes)[np.digitize(score, cut[target])])


@pytest.fixture(scope="module", params=["yes-no", "three", "number"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("quick")
    chosen = Settings(data_dir=folder, model="odd", poll_s=0.05, train_on_first_start=False)
    schema = parse_schema({"columns": {"label": {"missing": [-999]}}}, "s")
    run = train(table(request.param), target="t", schema=schema, minutes=0.0)
    run.publish(model="odd", settings=chosen)
    return chosen


@pytest.fixture
async def live(served: Settings) -> AsyncIterator[LiveModel]:
    telemetry = Telemetry("test")
    async with (
        Database(served) as database,
        PredictionLog(served, telemetry, database) as predictions,
        LiveModel(served, telemetry, predictions=predictions) as live,
    ):
        yield live


@pytest.fixture(scope="module")
def loaded(served: Settings) -> LoadedModel:
    registry = open_registry(served.registry_location, cache_dir=served.data_dir / "cache")
    version = registry.resolve("odd", "champion")
    return load(version, registry.fetch(version), served)


NAME = 'a "quoted"\n name'
ROW = {"label": 0.5, "c3": 7, NAME: "ä", "prediction": -1, "/c0": "2026-01-02T10:00"}
ODD_ROWS = [
    ROW,
    {**ROW, "label": None},
    {key: value for key, value in ROW.items() if key != "label"},
    {**ROW, NAME: None, "/c0": "2026-01-03"},
    {**ROW, NAME: "never seen"},
    {**ROW, NAME: "?", "label": -999},
    {**ROW, "label": 1e30, "c3": -9999},
    {**ROW, "/c0": "1999-01-01T00:00:00+05:00"},
]


@pytest.mark.parametrize("k", range(len(ODD_ROWS)))
async def test_one_row_is_answered_alike_on_both_paths(live: LiveModel, k: int) -> None:
    body = json.dumps({"rows": [ODD_ROWS[k]]}).encode()
    assert live.current.quick.read(body) is not None
    quick = json.loads(await live.predict_json(body))
    plain = json.loads((await live.predict([ODD_ROWS[k]])).model_dump_json())
    assert list(quick) == list(plain)
    assert_alike(quick, plain)


async def test_many_rows_are_answered_alike_in_their_order(live: LiveModel) -> None:
    rows = ODD_ROWS * 30
    quick = json.loads(await live.predict_json(json.dumps({"rows": rows}).encode()))
    plain = json.loads((await live.predict(rows)).model_dump_json())
    assert_alike(quick, plain)
    Predictions.model_validate(quick)


async def test_what_training_took_for_missing_is_missing_however_it_is_asked(
    live: LiveModel,
) -> None:
    spelled, empty = {**ROW, NAME: "?", "label": -999}, {**ROW, NAME: None, "label": None}
    for rows in ([spelled], [spelled, {**ROW, NAME: "never seen"}]):  # the second has a warning
        body = json.dumps({"rows": [*rows, empty]}).encode()
        answers = json.loads(await live.predict_json(body))["predictions"]
        assert answers[0] == answers[-1]
        assert answers[0]["warnings"] == []
    loaded = live.current
    tensors = {name: np.full((2, 1), ROW[name], np.float32) for name in ("c3", "prediction")}
    tensors["/c0"] = np.full((2, 1), 20_000, np.float32)
    tensors[NAME] = np.array([["?"], [MISSING]], object)
    tensors["label"] = np.array([[-999], [np.nan]], np.float32)
    for answer in (await live.infer(tensors)).values():
        first, second = answer.tolist()
        assert first == second
    frame = pd.DataFrame([spelled, empty])
    (piece,) = predict_pieces(loaded, [frame])
    said = piece.answered.drop(columns=list(frame.columns))
    assert said.iloc[0].tolist() == said.iloc[1].tolist()
    shown = loaded.reader.row_model.model_json_schema()["properties"]
    assert "null or '?' when missing" in shown[NAME]["description"]
    assert "null or '-999' when missing" in shown["label"]["description"]


def assert_alike(quick: dict, plain: dict) -> None:
    """Equal, but for the last digits of numbers: two graphs round differently."""
    assert quick["model"] == plain["model"]
    for one, other in zip(quick["predictions"], plain["predictions"], strict=True):
        assert list(one) == list(other)
        for key in one:
            if isinstance(one[key], dict):
                assert list(one[key]) == list(other[key])
                assert list(one[key].values()) == pytest.approx(list(other[key].values()), abs=2e-6)
            elif isinstance(one[key], (float, list)) and key in {"prediction", "interval"}:
                assert one[key] == pytest.approx(other[key], rel=1e-5)
            else:
                assert one[key] == other[key]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


@settings(max_examples=200, deadline=None)
@given(
    changes=st.dictionaries(st.sampled_from([*ROW, "unknown"]), ANYTHING, max_size=2),
    missing=st.sets(st.sampled_from(list(ROW)), max_size=1),
)
def test_what_the_quick_path_reads_the_plain_one_accepts_and_the_other_way_round(
    loaded: LoadedModel, changes: dict, missing: set
) -> None:
    row = {key: value for key, value in {**ROW, **changes}.items() if key not in missing}
    body = json.dumps({"rows": [row]}).encode()
    try:
        tensors = loaded.reader.read(json.loads(body)["rows"])
    except RowError:
        tensors = None
    quick = loaded.quick.read(body)
    assert (quick is None) == (tensors is None), row
    if quick is not None and tensors is not None:
        (found,) = loaded.quick.run([quick])
        assert bool(found.strange) == bool(loaded.reader.warnings(tensors)[0])


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"rows": []}', b'{"rows": [{}]}', b'{"rows": {}}', b'{"row": []}'],
)
def test_a_body_that_is_no_list_of_rows_is_left_to_the_plain_path(
    loaded: LoadedModel, body: bytes
) -> None:
    assert loaded.quick.read(body) is None
