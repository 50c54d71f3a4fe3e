"""Whole tables: the answers of single rows in their order; refusals name row and column."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.models import open_registry
from p1_prediction_api.errors import RowError
from p1_prediction_api.loaded import LoadedModel, load, run_batch
from p1_prediction_api.settings import Settings
from p1_prediction_api.table_command import answer_table
from p1_prediction_api.table_output import written_whole
from p1_prediction_api.table_prediction import ROWS_AT_ONCE, predict_pieces
from p1_prediction_api.training import train


def say_nothing(share: float) -> None:
    """Report to nobody."""


def answered(loaded: LoadedModel, table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([piece.answered for piece in predict_pieces(loaded, table, say_nothing)])


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
    found = pd.concat([piece.answered for piece in predict_pieces(loaded, table, done.append)])
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
    assert answered(loaded, table)["prediction"].notna().all()


def test_a_table_without_a_column_of_the_model_is_refused(loaded: LoadedModel) -> None:
    table = rows(5).rename(columns={"kind": "kinds"})
    with pytest.raises(RowError, match="kind: is no column of the table"):
        answered(loaded, table)


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        (rows(5).assign(x=["1", "2", "three", "4", "5"]), 3, "x: 'three' is no number"),
        (rows(5).assign(day=["2026-01-01"] * 4 + ["soon"]), 5, "day: 'soon' is no date"),
        (rows(5).assign(kind=["a", None, "b", "b", "a"]), 2, "kind: is missing"),
        (rows(5).assign(x=["1", "2", "3", "1e300", "5"]), 4, "x: '1e300' is no number"),
        (
            rows(5).assign(x=["1", "2", "3", "many", "5"], day=["2026-01-01"] * 3 + ["soon"] * 2),
            4,
            "x: 'many' is no number; day: 'soon' is no date",
        ),
    ],
)
def test_a_row_that_does_not_fit_is_set_aside_and_the_others_are_answered(
    loaded: LoadedModel, tmp_path: Path, table: pd.DataFrame, row: int, words: str
) -> None:
    out = tmp_path / "answers.csv"
    done = answer_table(loaded, table, out, say_nothing)
    assert done.first_problem == f"row {row}, {words}"
    aside = pd.read_csv(tmp_path / "answers.set-aside.csv")
    assert aside["row"][0] == row
    assert aside["problem"][0] == words
    assert aside["key"][0] == table["key"].iloc[row - 1]
    written = pd.read_csv(out)
    assert (done.n_answered, done.n_set_aside) == (len(written), len(aside))
    assert sorted([*written["key"], *aside["key"]]) == table["key"].tolist()
    assert written["prediction"].notna().all()


def test_when_no_row_can_be_answered_nothing_is_written(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    with pytest.raises(RowError, match="row 1: x: 'far' is no number and 4 more"):
        answer_table(loaded, rows(5).assign(x="far"), tmp_path / "answers.csv", say_nothing)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_what_is_written_in_pieces_reads_as_one_table(
    loaded: LoadedModel, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"answers.{ending}"
    table = rows(2 * ROWS_AT_ONCE + 3)
    answer_table(loaded, table, out, say_nothing)
    readers = {
        "csv": pd.read_csv,
        "tsv": lambda path: pd.read_csv(path, sep="\t"),
        "jsonl": lambda path: pd.read_json(path, lines=True),
        "parquet": pd.read_parquet,
    }
    written = readers[ending](out)
    assert written["key"].tolist() == table["key"].tolist()
    assert written["prediction"].notna().all()


@pytest.mark.parametrize("end", [KeyboardInterrupt(), RuntimeError("the power went")])
def test_half_written_output_never_looks_complete(tmp_path: Path, end: BaseException) -> None:
    out = tmp_path / "answers.csv"
    out.write_text("of yesterday\n")

    def work() -> None:
        with written_whole(out) as write:
            write(rows(10))
            assert out.read_text() == "of yesterday\n"
            raise end

    with pytest.raises(type(end)):
        work()
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]
    assert out.read_text() == "of yesterday\n"


def test_a_column_that_is_called_as_an_answer_is_kept(loaded: LoadedModel) -> None:
    found = answered(loaded, rows(3).assign(prediction="mine"))
    assert found["prediction"].tolist() == ["mine"] * 3
    assert found["predicted prediction"].notna().all()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_no_rows_give_a_table_without_rows(
    loaded: LoadedModel, tmp_path: Path, ending: str
) -> None:
    done = answer_table(loaded, rows(0), tmp_path / f"answers.{ending}", say_nothing)
    assert done.n_answered == 0
    assert (tmp_path / f"answers.{ending}").stat().st_size > 0
