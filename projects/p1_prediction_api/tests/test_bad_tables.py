"""Tables that people bring to training: what is refused, and what is told and left out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from p0_foundations import Holding, parse_schema
from p1_prediction_api.errors import TrainingError
from p1_prediction_api.prepared import prepare
from p1_prediction_api.training import train
from typer.testing import CliRunner


def table(n_rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    found = pd.DataFrame({"x": rng.normal(size=n_rows), "colour": rng.choice(["a", "b"], n_rows)})
    found["y"] = np.where(found["x"] + rng.normal(size=n_rows) > 0, "yes", "no")
    return found


def ids(n_rows: int) -> list[str]:
    return [f"row-{k:05d}" for k in range(n_rows)]


REFUSED = {
    "one class": (table().assign(y="yes"), "y", "y holds one value only"),
    "an id": (table().assign(y=ids(200)), "y", "y names the rows: 200 distinct values"),
    "all missing": (table().assign(y=None), "y", "y holds no value in any of 200 rows"),
    "spelled missing": (table().assign(y="?"), "y", "y holds no value in any of 200 rows"),
    "dates": (table().assign(y=pd.date_range("2024", periods=200)), "y", "y holds dates"),
    "no such column": (table(), "z", "no column 'z'; did you mean"),
    "one row": (table(1), "y", "at least 50 are needed"),
    "no rows": (table(0), "y", "holds no value in any of 0 rows"),
    "rare classes": (table().assign(y=["a"] * 198 + ["b"] * 2), "y", r"too few rows .* b \(2\)"),
    "nothing to learn from": (
        table().assign(x=1, colour=ids(200)),
        "y",
        "no column is left to predict y from: x holds one value only; colour identifies rows",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_teach_is_refused_in_words(name: str) -> None:
    frame, target, words = REFUSED[name]
    with pytest.raises(TrainingError, match=words):
        prepare(frame, target)


def test_empty_and_constant_columns_are_left_out_and_told() -> None:
    data = prepare(table().assign(gone=np.nan, blank="?", same=3), "y")
    assert set(data.dropped) == {"gone", "blank", "same"}
    assert data.dropped["gone"] == "holds no value"


def test_a_minus_999_is_a_suspect_until_a_schema_says_that_it_is_missing(tmp_path: Path) -> None:
    frame = table(400)
    frame.loc[::10, "x"] = -999
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    run = train(path, target="y", minutes=0)
    assert any("-999" in warning for warning in run.card.warnings)
    assert run.data.X["x"].min() == -999
    schema = parse_schema({"columns": {"x": {"missing": [-999]}}}, "s")
    told = train(path, target="y", schema=schema, minutes=0)
    assert not any("-999" in warning for warning in told.card.warnings)
    assert told.data.X["x"].isna().sum() == 40


def test_a_kind_that_is_told_is_the_kind_that_is_learned(tmp_path: Path) -> None:
    frame = table(400).assign(level=np.arange(400) % 40, note=[f"n{k % 7}" for k in range(400)])
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    schema = parse_schema(
        {"columns": {"level": {"kind": "category"}, "note": {"kind": "text"}}}, "s"
    )
    data = train(path, target="y", schema=schema, minutes=0).data
    assert "level" in data.labels
    assert data.dropped["note"] == "free text"


def test_a_sample_is_trained_on_and_the_card_says_so(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    table(3000).to_csv(path, index=False)
    run = train(path, target="y", holding=Holding(max_rows=500), minutes=0)
    assert run.card.n_train + run.card.n_test == 500
    assert "read as a random sample of 500 of 3,000 rows" in run.card.reading


def test_a_european_table_is_trained_on_and_later_rows_are_read_as_told(tmp_path: Path) -> None:
    """The schema is published with the model: -999 is missing at prediction as in training."""
    from p1_prediction_api.cli import app

    frame = table(300)
    frame.loc[::10, "x"] = -999
    path, out, said = tmp_path / "eu.csv", tmp_path / "out.csv", tmp_path / "s.toml"
    frame.to_csv(path, index=False, sep=";", decimal=",", encoding="cp1252")
    said.write_text("[columns.x]\nmissing = [-999]\n")
    data = ["--data-dir", str(tmp_path / "data")]
    ordered = ["train", str(path), "--target", "y", "--minutes", "0", "--no-diagnose"]
    done = CliRunner().invoke(
        app, [*data, *ordered, "--schema", str(said), "--model", "breast-cancer"]
    )
    assert done.exit_code == 0, done.output
    assert "separated by semicolon" in done.output
    assert "learned from as a number" in done.output
    answered = CliRunner().invoke(app, [*data, "predict-table", str(path), "--out", str(out)])
    assert answered.exit_code == 0, answered.output
    assert pd.read_csv(out)["x"].isna().sum() == 30
