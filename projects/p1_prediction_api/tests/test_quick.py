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
from p1_prediction_api.contracts import MISSING, Feature, Predictions
from p1_prediction_api.database import Database
from p1_prediction_api.errors import RowError
from p1_prediction_api.live import LiveModel
from p1_prediction_api.loaded import LoadedModel, load
from p1_prediction_api.prediction_log import PredictionLog
from p1_prediction_api.quick_rows import careful_decoder, row_decoder
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


async def test_a_row_is_answered_alike_alone_and_among_many(live: LiveModel) -> None:
    """Many rows take another way through the trees; not a character may tell."""
    many = json.loads(await live.predict_json(json.dumps({"rows": ODD_ROWS * 30}).encode()))
    for k, row in enumerate(ODD_ROWS):
        alone = json.loads(await live.predict_json(json.dumps({"rows": [row]}).encode()))
        assert many["predictions"][k :: len(ODD_ROWS)] == alone["predictions"] * 30


@pytest.mark.parametrize("n_times", [0, 1, 40])
async def test_tensors_are_answered_as_the_graph_of_all_features_answers_them(
    live: LiveModel, n_times: int
) -> None:
    loaded = live.current
    read = loaded.reader.read(ODD_ROWS)
    read["prediction"][1], read["/c0"][2], read["c3"][3] = np.inf, -np.inf, np.nan
    tensors = {name: np.concatenate([one[:0], *[one] * n_times]) for name, one in read.items()}
    expected = loaded.session.run(tensors)
    found = await live.infer(tensors)
    assert list(found) == list(expected)
    for name, wanted in expected.items():
        assert found[name].shape == wanted.shape
        if wanted.dtype == object:
            assert found[name].tolist() == wanted.tolist()
        else:
            assert found[name].dtype == wanted.dtype
            assert np.allclose(found[name], wanted, rtol=1e-5, atol=2e-6, equal_nan=True)


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


PLAIN_FEATURES = [
    Feature(name="a", kind="number", may_be_missing=False, low=0, high=1, example=0.5),
    Feature(name="ö b", kind="number", may_be_missing=True, low=0, high=1, example=0.5),
    Feature(name="/c", kind="category", may_be_missing=False, categories=("x",), example="x"),
    Feature(name="d", kind="category", may_be_missing=True, categories=("x",), example="x"),
    Feature(name="e", kind="date", may_be_missing=True, low=0, high=1, example="1970-01-01"),
]
PLAIN_ROW = {"a": 0.25, "ö b": -3, "/c": "x", "d": "ä", "e": "2026-01-02"}
QUICK, CAREFUL = (make(PLAIN_FEATURES, 2) for make in (row_decoder, careful_decoder))
ODD_JSON = [
    '{"rows": [%s, %s]}',
    '{"rows": [%s]}',
    '{"rows": [%s, %s, %s]}',
    '{"rows": []}',
    '{"rows": [%s]} 1',
    '{"rows": [%s], "rows": [%s]}',
    '{"rows": [%s], "more": 1}',
    '{"rows": %s}',
    "[%s]",
]
VALUES = st.one_of(
    ANYTHING.map(json.dumps),
    st.text(st.characters(), max_size=4).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(
        ["1e30", "-1e30", "1e31", "1e400", "1e-400", "-0", "-0.0", "01", "1.", ".5", "+1", "NaN"]
    ),
    st.sampled_from(
        ['"\t"', '"\x00"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\x"', "1" + "0" * 30, "1" + "0" * 31]
    ),
    st.sampled_from([999, 1000, 1001]).map(lambda n: f'"{"ä" * n}"'),
)


@settings(max_examples=400, deadline=None)
@given(
    body=st.sampled_from(ODD_JSON),
    changes=st.dictionaries(st.sampled_from([*PLAIN_ROW, "unknown"]), VALUES, max_size=2),
    missing=st.sets(st.sampled_from(list(PLAIN_ROW)), max_size=2),
    twice=st.sampled_from(list(PLAIN_ROW)),
)
def test_both_decoders_take_the_same_bodies_for_the_same_rows(
    body: str, changes: dict[str, str], missing: set[str], twice: str
) -> None:
    given = {name: json.dumps(value, ensure_ascii=False) for name, value in PLAIN_ROW.items()}
    pairs = [*given.items(), (twice, given[twice]), *changes.items()]
    row = ", ".join(
        f"{json.dumps(name, ensure_ascii=False)}: {text}"
        for name, text in pairs
        if name not in missing
    )
    content = (body % ((f"{{{row}}}",) * body.count("%s"))).encode("utf-8", "surrogatepass")
    found = []
    for decode in (QUICK, CAREFUL):
        try:
            found.append(decode(content))
        except ValueError:
            found.append(None)
    assert found[0] == found[1], content
