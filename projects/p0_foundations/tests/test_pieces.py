"""A table in pieces is the table: typed alike on every page, from whichever row on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from p0_foundations import open_pieces, open_table, parse_schema

N_ROWS = 120_000
"""More than are looked at to decide."""


def long_table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"key": np.arange(N_ROWS), "price": rng.integers(0, 9999, N_ROWS) / 100})
    frame["day"] = (
        pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 300, N_ROWS), unit="D")
    ).strftime("%d.%m.%Y")
    frame["house"] = rng.integers(1, 200, N_ROWS).astype(str)
    frame.loc[N_ROWS - 1, "house"] = "12 b"
    frame.loc[frame.index[::10], "house"] = "7a"
    frame.loc[N_ROWS - 5, "price"] = np.nan
    return frame


def european(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, sep=";", decimal=",", encoding="cp1252")


def json_lines(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True)


def parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path)


def workbook(frame: pd.DataFrame, path: Path) -> None:
    frame.head(30_000).to_excel(path.with_suffix(".xlsx"), index=False)
    path.with_suffix(".xlsx").replace(path)


@pytest.mark.parametrize(
    "write", [european, json_lines, parquet, pytest.param(workbook, marks=pytest.mark.slow)]
)
def test_pieces_put_together_are_the_table_as_it_is_read_whole(
    tmp_path: Path, write: Callable[[pd.DataFrame, Path], None]
) -> None:
    path = tmp_path / "table"
    write(long_table(), path)
    pieces = open_pieces(path)
    whole = open_table(path).frame
    found = list(pieces.frames())
    assert len(found) > 1
    pd.testing.assert_frame_equal(pd.concat(found, ignore_index=True), whole)
    assert not pieces.reading.is_sampled
    later = pd.concat(pieces.frames(skip=25_001), ignore_index=True)
    pd.testing.assert_frame_equal(later, whole.iloc[25_001:].reset_index(drop=True))


def test_a_cell_that_is_no_number_keeps_its_text_where_that_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    cells = [str(k) for k in range(200)]
    cells[150], cells[160] = "far", "?"
    pd.DataFrame({"x": cells, "y": cells}).to_csv(path, index=False)
    pieces = open_pieces(path, keep_unread=["x"])
    (frame,) = pieces.frames()
    assert frame["x"][150] == "far"
    assert frame["x"].isna().tolist().count(True) == 1  # what is spelled missing is missing
    assert frame["y"].isna().sum() == 2
    assert [told for told in pieces.reading.cautions if told.startswith("x")] == []


def test_a_row_full_of_text_is_kept_for_whoever_asks_for_pieces(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    frame = pd.DataFrame({"x": range(300), "y": range(300)}).astype(str)
    frame.loc[250] = ["no", "row"]
    frame.to_csv(path, index=False)
    assert open_table(path).reading.n_set_aside == 1
    assert sum(len(piece) for piece in open_pieces(path).frames()) == 300


def test_lines_that_lack_a_column_have_it_empty(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = ['{"x": 1}'] * 20_000 + ['{"x": 2, "rare": "a"}'] * 20_000
    path.write_text("\n".join(lines))
    first, *_ = open_pieces(path).frames()
    assert list(first.columns) == ["x", "rare"]
    assert first["rare"].isna().all()


def test_rows_that_do_not_fit_are_set_aside_in_pieces_as_in_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = [f'{k},"name {k}"' for k in range(500)]
    lines[100], lines[200] = "1,2,3", '5,"never closed'
    path.write_text("\n".join(["x,name", *lines]))
    pieces = open_pieces(path)
    whole = open_table(path)
    assert pieces.reading.n_set_aside == whole.reading.n_set_aside > 0
    pd.testing.assert_frame_equal(pd.concat(pieces.frames(), ignore_index=True), whole.frame)


def test_what_a_schema_says_holds_in_every_piece(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    long_table().to_csv(path, index=False)
    said = {"columns": {"key": {"kind": "category"}, "price": {"kind": "ignore"}}}
    frames = list(open_pieces(path, schema=parse_schema(said, "s")).frames())
    assert all(list(frame.columns) == ["key", "day", "house"] for frame in frames)
    assert frames[-1]["key"].iloc[-1] == str(N_ROWS - 1)
