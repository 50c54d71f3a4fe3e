"""Whole tables: the answers of single rows in their order; refusals name row and column."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from common.models import open_registry
from p0_foundations import TableSchema
from p1_prediction_api.errors import RowError, TrainingError
from p1_prediction_api.loaded import LoadedModel, load, run_batch
from p1_prediction_api.search import Report
from p1_prediction_api.settings import Settings
from p1_prediction_api.table_command import Answered, answer_table, ask
from p1_prediction_api.table_output import Unfinished, go_on
from p1_prediction_api.table_prediction import ROWS_AT_ONCE, check_columns, predict_pieces
from p1_prediction_api.training import train


def say_nothing(what: str, share: float) -> None:
    """Report to nobody."""


def answered(loaded: LoadedModel, table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([piece.answered for piece in predict_pieces(loaded, [table])])


def command(
    loaded: LoadedModel,
    path: Path,
    out: Path,
    report: Report = say_nothing,
    said: list[str] | None = None,
) -> Answered:
    """Do what `predict-table` does with a file."""
    asked = ask(path, TableSchema(), loaded.signature, report, is_strict=False)
    return answer_table(loaded, asked, out, report, [].append if said is None else said.append)


def answer(loaded: LoadedModel, table: pd.DataFrame, out: Path) -> Answered:
    path = out.parent.with_name(f"{out.parent.name}-rows.csv")
    table.to_csv(path, index=False)
    return command(loaded, path, out)


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
    found = answered(loaded, table)
    assert found["key"].tolist() == table["key"].tolist()
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
        check_columns(loaded, [str(name) for name in table.columns])


@pytest.mark.parametrize(
    ("table", "row", "words"),
    [
        (rows(5).assign(x=["1", "2", "three", "4", "5"]), 3, "x: 'three' is no number"),
        (rows(5).assign(day=["2026-01-01"] * 4 + ["soon"]), 5, "day: 'soon' is no date"),
        (rows(5).assign(kind=["a", None, "b", "b", "a"]), 2, "kind: is missing"),
        (rows(5).assign(x=["1", "2", "3", "1e300", "5"]), 4, "x: '1e+300' is no number"),
        (rows(90).assign(day=["2026-01-01"] * 89 + ["soon"]), 90, "day: 'soon' is no date"),
        (rows(90).assign(x=[*range(89), "three"]), 90, "x: 'three' is no number"),
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
    done = answer(loaded, table, out)
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
        answer(loaded, rows(5).assign(x="far"), tmp_path / "answers.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_what_is_written_in_pieces_reads_as_one_table(
    loaded: LoadedModel, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"answers.{ending}"
    table = rows(2 * ROWS_AT_ONCE + 3)
    answer(loaded, table, out)
    readers = {
        "csv": pd.read_csv,
        "tsv": lambda path: pd.read_csv(path, sep="\t"),
        "jsonl": lambda path: pd.read_json(path, lines=True),
        "parquet": pd.read_parquet,
    }
    written = readers[ending](out)
    assert written["key"].tolist() == table["key"].tolist()
    assert written["prediction"].notna().all()


class Stops:
    """A report that ends the work when it hears of the `n`th piece, as Ctrl-C or a fault would."""

    def __init__(self, n: int, end: BaseException) -> None:
        self._left, self._end = n, end

    def __call__(self, what: str, share: float) -> None:
        self._left -= what.startswith("predicting")
        if not self._left:
            raise self._end


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("end", [KeyboardInterrupt(), RuntimeError("the power went")])
def test_stopped_work_never_looks_complete_and_goes_on_to_the_same_answers(
    loaded: LoadedModel, tmp_path: Path, ending: str, end: BaseException
) -> None:
    table = rows(45_000).astype({"x": object})
    table.loc[[7, 30_000], "x"] = "far"
    path, out, whole = (tmp_path / name for name in ("t.csv", f"a.{ending}", f"b.{ending}"))
    table.to_csv(path, index=False)
    out.write_text("of yesterday")
    with pytest.raises(type(end)):
        command(loaded, path, out, Stops(2, end))
    assert out.read_text() == "of yesterday"
    with (tmp_path / f"a.{ending}.unfinished" / "answers").open("ab") as file:
        file.write(b"half a li")  # written after the last commit
    said: list[str] = []
    done = command(loaded, path, out, said=said)
    assert said == ["going on after row 40,000, where this was stopped"]
    assert done == replace(command(loaded, path, whole), set_aside=done.set_aside)
    assert (done.n_answered, done.n_set_aside) == (44_998, 2)
    assert done.first_problem == "row 8, x: 'far' is no number"
    assert out.read_bytes() == whole.read_bytes()
    aside = [tmp_path / f"{name}.set-aside.csv" for name in "ab"]
    assert aside[0].read_bytes() == aside[1].read_bytes()
    assert not list(tmp_path.glob("*.unfinished"))


def test_another_table_under_the_name_of_a_stopped_one_begins_again(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    path, out = tmp_path / "t.csv", tmp_path / "answers.csv"
    rows(45_000).to_csv(path, index=False)
    with pytest.raises(KeyboardInterrupt):
        command(loaded, path, out, Stops(1, KeyboardInterrupt()))
    rows(45_000, seed=1).to_csv(path, index=False)
    said: list[str] = []
    command(loaded, path, out, said=said)
    assert said == ["the table changed since this was stopped: it begins again"]
    assert pd.read_csv(out)["x"].equals(rows(45_000, seed=1)["x"])


def test_a_table_that_changes_while_it_is_read_is_answered_by_no_file(
    loaded: LoadedModel, tmp_path: Path
) -> None:
    path, out = tmp_path / "t.csv", tmp_path / "answers.csv"
    rows(100).to_csv(path, index=False)

    def change(what: str, share: float) -> None:
        if what.startswith("predicting"):
            rows(101).to_csv(path, index=False)

    with pytest.raises(TrainingError, match="was changed while it was read"):
        command(loaded, path, out, change)
    assert not out.exists()


def test_two_commands_do_not_write_one_file(loaded: LoadedModel, tmp_path: Path) -> None:
    order = {"the table": "t"}

    def write(work: Unfinished) -> None:
        work.write(rows(3), rows(0))
        work.commit(3)

    with go_on(tmp_path / "answers.csv", order) as (work, _):
        write(work)
        with (
            pytest.raises(TrainingError, match="another command is writing"),
            go_on(tmp_path / "answers.csv", order),
        ):
            pass
    with go_on(tmp_path / "answers.csv", order) as (work, _):
        assert work.reached.n_read == 3


def test_a_column_that_is_called_as_an_answer_is_kept(loaded: LoadedModel) -> None:
    found = answered(loaded, rows(3).assign(prediction="mine"))
    assert found["prediction"].tolist() == ["mine"] * 3
    assert found["predicted prediction"].notna().all()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_no_rows_give_a_table_without_rows(
    loaded: LoadedModel, tmp_path: Path, ending: str
) -> None:
    done = answer(loaded, rows(0), tmp_path / f"answers.{ending}")
    assert done.n_answered == 0
    assert (tmp_path / f"answers.{ending}").stat().st_size > 0
