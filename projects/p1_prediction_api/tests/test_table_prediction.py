"""Whole tables: the answers of single rows in their order; refusals name row and column."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.models import open_registry
from p1_prediction_api.errors import RowError
from p1_prediction_api.loaded import LoadedModel, load, run_batch
from p1_prediction_api.settings import Settings
from p1_prediction_api.table_prediction import ROWS_AT_ONCE, predict_table
from p1_prediction_api.training import train


def rows(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"key": np.arange(n), "x": rng.normal(size=n)})
    frame["kind"] = rng.choice(["a", "b"], n)
    when = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 500, n), unit="D")
    frame["day"] = when.astype(str)
    frame.loc[frame.index[::9], "x"] = np.nan
    return frame


@pytest.fixture(scope="module", params=["class", "number"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder: Path = tmp_path_factory.mktemp("tables")
    settings = Settings(data_dir=folder, model="m", train_on_first_start=False)
    table = rows(400).drop(columns="key")
    score = table["x"].fillna(0) * 10 + (table["kind"] == "a")
    table["t"] = np.where(score > 0, "up", "down") if request.param == "class" else score
    train(table, target="t", minutes=0).publish(model="m", settings=settings)
    registry = open_registry(settings.registry_location, cache_dir=folder / "cache")
    version = registry.resolve("m", "champion")
    return load(version, registry.fetch(version), settings)


def test_each_row_gets_the_answer_it_would_get_alone(loaded: LoadedModel) -> None:
    table = rows(ROWS_AT_ONCE + 50, seed=1)
    done: list[float] = []
    found = predict_table(loaded, table, done.append)
    assert found["key"].tolist() == table["key"].tolist()
    assert done[-1] == 1.0
    for k in (0, 5, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, len(table) - 1):
        row = table.iloc[k]
        value = None if np.isnan(row["x"]) else float(row["x"])
        alone = [{"x": value, "kind": row["kind"], "day": row["day"]}]
        outputs = run_batch(loaded.session, [loaded.reader.read(alone)])[0]
        if loaded.signature.classes:
            assert found["prediction"].iloc[k] == outputs["label"][0]
            p = found["probability of up"].iloc[k]
            assert p == pytest.approx(float(outputs["probabilities"][0, 1]), abs=1e-6)
            assert found["prediction"].iloc[k] in found["prediction set"].iloc[k].split(" | ")
        else:
            assert found["prediction"].iloc[k] == pytest.approx(float(outputs["prediction"][0]))
            assert found["low"].iloc[k] <= found["high"].iloc[k]


def test_an_unknown_label_or_a_gap_is_answered_where_the_model_can(loaded: LoadedModel) -> None:
    table = rows(3).assign(kind=["zzz", "a", "b"], x=[1.0, np.nan, ""])
    assert predict_table(loaded, table, lambda share: None)["prediction"].notna().all()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (rows(5).rename(columns={"kind": "kinds"}), "kind: is no column of the table"),
        (rows(5).assign(x=["1", "2", "three", "4", "5"]), "row 3, x: 'three' is no number"),
        (rows(5).assign(day=["2026-01-01"] * 4 + ["soon"]), "row 5, day: 'soon' is no date"),
        (
            rows(5).assign(kind=["a", None, "b", None, "a"]),
            "row 2, kind: is missing and 1 more",
        ),
        (rows(5).assign(x=1e300), "row 1, x: '1e.300' is no number"),
    ],
)
def test_what_does_not_fit_is_named_by_row_and_column(
    loaded: LoadedModel, table: pd.DataFrame, words: str
) -> None:
    with pytest.raises(RowError, match=words):
        predict_table(loaded, table, lambda share: None)


def test_no_rows_give_no_rows(loaded: LoadedModel) -> None:
    assert len(predict_table(loaded, rows(0), lambda share: None)) == 0
