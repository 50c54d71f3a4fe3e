"""Labelled series from `.ts` files and CSV tables; each fault is named with its line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p2_nn_service import open_dataset
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.errors import DatasetError
from p2_nn_service.settings import Settings

NAN = float("nan")
UNIVARIATE = """\
# Two shapes.
@problemName Shapes
@timeStamps false
@missing false
@univariate true
@equalLength true
@seriesLength 3
@classLabel true up down
@data
1,2,3:up
3,2,1:down
2,3,4:up
4,3,1.5e0:down
"""
UNEQUAL = """\
@problemName Gestures
@univariate false
@dimensions 2
@equalLength false
@classLabel true b a
@data
1,2,3:-1,-2,-3:b
4,5:-4,-5:a
6:-6:b
7,8:-7,-8:a
"""


def opened(path: Path, text: str) -> Dataset:
    path.write_text(text, encoding="utf-8")
    return open_dataset(path)


# ------------------------------------------------------------------------------------ .ts files
def test_a_univariate_file_is_read(tmp_path: Path) -> None:
    found = opened(tmp_path / "x.ts", UNIVARIATE)
    assert found.kind == "series"
    assert found.name == "Shapes"
    assert found.classes == ("up", "down")
    assert found.labels.tolist() == [0, 1, 0, 1]
    assert found.inputs.dtype == np.float32
    assert found.inputs[:, 0].tolist() == [[1, 2, 3], [3, 2, 1], [2, 3, 4], [4, 3, 1.5]]
    assert found.notes == ("1 channel of 3 steps",)


def test_what_a_shorter_series_lacks_is_nan_at_its_end(tmp_path: Path) -> None:
    found = opened(tmp_path / "x.ts", UNEQUAL)
    assert found.classes == ("b", "a")
    assert found.inputs.shape == (4, 2, 3)
    np.testing.assert_array_equal(found.inputs[1], [[4, 5, NAN], [-4, -5, NAN]])
    np.testing.assert_array_equal(found.inputs[2], [[6, NAN, NAN], [-6, NAN, NAN]])
    assert found.notes == ("2 channels of 1 to 3 steps",)


def test_a_missing_value_is_filled_and_one_at_the_end_is_lacking(tmp_path: Path) -> None:
    text = UNIVARIATE.replace("1,2,3:up", "1,?,3:up").replace("3,2,1:down", "?,2,?:down")
    found = opened(tmp_path / "x.ts", text)
    np.testing.assert_array_equal(found.inputs[:2, 0], [[1, 2, 3], [2, 2, NAN]])
    assert found.notes[1].startswith("2 missing values filled")


FAULTS = {
    "time stamps announced": (
        "@timeStamps false",
        "@timeStamps true",
        "line 3: @timeStamps true: series with time",
    ),
    "time stamps in the data": ("1,2,3:up", "(0,1),(1,2):up", "line 10: series with time stamps"),
    "an odd flag": ("@missing false", "@missing perhaps", "line 4: @missing perhaps: accepted"),
    "an odd count": ("@seriesLength 3", "@seriesLength three", "line 7: @seriesLength three"),
    "an unknown line": ("@missing false", "@colour blue", "line 4: @colour: no such line"),
    "no classes": ("@classLabel true up down", "@classLabel true", "line 8: @classLabel true: no"),
    "no labels": ("@classLabel true up down", "@classLabel false", "only labelled series"),
    "a target": ("@classLabel true up down", "@targetLabel true", "a number to predict"),
    "no class line": ("@classLabel true up down\n", "", "line 8: no line @classLabel before"),
    "no data line": ("@data\n", "", "line 9: data before the line @data"),
    "a foreign label": ("1,2,3:up", "1,2,3:left", "line 10: label 'left' is none of .*: up, down"),
    "no label": ("1,2,3:up", "1,2,3", "line 10: no colon before a label"),
    "two channels": ("1,2,3:up", "1,2,3:4,5,6:up", "line 10: 2 channels and a label, where 1"),
    "another length": ("1,2,3:up", "1,2:up", "line 10: 2 steps; the header says @seriesLength 3"),
    "a word": ("1,2,3:up", "1,two,3:up", "line 10: 'two' is not a number"),
    "infinity": ("1,2,3:up", "1,inf,3:up", "line 10: inf is not a finite number"),
    "beyond float32": ("1,2,3:up", "1,1e39,3:up", "line 10: 1e39 is not a finite number"),
    "all missing": ("1,2,3:up", "?,?,?:up", "line 10: a series without a single value"),
    "a lone example": ("1,2,3:up\n", "", "a single example of 'up'"),
    "a class without": ("up down", "up down left", "no example of 'left'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_ts_file_is_named(fault: str, tmp_path: Path) -> None:
    was, now, said = FAULTS[fault]
    assert was in UNIVARIATE
    with pytest.raises(DatasetError, match=said) as caught:
        opened(tmp_path / "x.ts", UNIVARIATE.replace(was, now))
    assert str(tmp_path / "x.ts") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ends at line 0 without a line @data"),
        (UNIVARIATE.partition("1,2,3:up")[0], "has no series"),
        ("\x00\x01\xff" * 99, "line 1: data before the line @data"),
    ],
)
def test_a_file_without_series_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=said):
        opened(tmp_path / "x.ts", text)


numbers = st.floats(-1e6, 1e6, width=32)
channel_sets = st.integers(1, 3).flatmap(
    lambda n: st.lists(
        st.lists(st.lists(numbers, min_size=1, max_size=6), min_size=n, max_size=n),
        min_size=4,
        max_size=8,
    )
)


@given(channel_sets)
def test_series_that_are_written_are_read_back(
    tmp_path_factory: pytest.TempPathFactory, series: list[list[list[float]]]
) -> None:
    lines = [
        ":".join(",".join(map(repr, channel)) for channel in one) + f":{'ab'[k % 2]}"
        for k, one in enumerate(series)
    ]
    text = "@classLabel true a b\n@data\n" + "\n".join(lines)
    found = opened(tmp_path_factory.mktemp("ts") / "x.ts", text)
    assert found.labels.tolist() == [k % 2 for k in range(len(series))]
    for read, written in zip(found.inputs, series, strict=True):
        for steps, channel in zip(read, written, strict=True):
            np.testing.assert_array_equal(steps[: len(channel)], np.float32(channel))
            assert np.isnan(steps[len(channel) :]).all()


# --------------------------------------------------------------------------------------- tables
WIDE = "label,1,2,3\n10,1,2,3\n2,4,,6\n10,7,8,\n2,9,NA,\n"
LONG = """\
id;step;label;x;y
a;2;walk;3;30
a;1;walk;1;10
b;1;run;5;50
b;2;run;;60
b;3;run;7;
c;1;walk;8;80
d;1;run;9;90
"""


def test_a_wide_table_has_a_series_a_row(tmp_path: Path) -> None:
    found = opened(tmp_path / "x.csv", WIDE)
    assert found.name == "x"
    assert found.classes == ("2", "10")
    assert found.labels.tolist() == [1, 0, 1, 0]
    np.testing.assert_array_equal(
        found.inputs[:, 0], [[1, 2, 3], [4, 5, 6], [7, 8, NAN], [9, NAN, NAN]]
    )


def test_a_long_table_has_a_step_a_row_in_any_order(tmp_path: Path) -> None:
    found = opened(tmp_path / "x.csv", LONG)
    assert found.classes == ("run", "walk")
    assert found.labels.tolist() == [1, 0, 1, 0]
    np.testing.assert_array_equal(found.inputs[0], [[1, 3, NAN], [10, 30, NAN]])
    np.testing.assert_array_equal(found.inputs[1], [[5, 6, 7], [50, 60, NAN]])


def test_names_of_columns_are_read_without_regard_to_case_and_id_is_passed_over(
    tmp_path: Path,
) -> None:
    plain = opened(tmp_path / "plain.csv", WIDE)
    text = "ID," + WIDE.replace("label", "Label ").replace("\n", "\nr,", 4)
    other = opened(tmp_path / "other.csv", text)
    assert other.fingerprint == plain.fingerprint


TABLE_FAULTS = {
    "no label column": (WIDE, "label", "kind", "line 1: no column `label` in 'kind', '1'"),
    "a column twice": (WIDE, "1,2,3\n10", "1,2,2\n10", "line 1: the column '2' stands twice"),
    "no values": ("label,id\na,1\n", "x", "x", "line 1: no column of values"),
    "step without id": ("label,step,x\na,1,1\n", "y", "y", "a column `step` without a column `id`"),
    "a word": (WIDE, "7,8", "7,eight", "line 4: 'eight' is not a number"),
    "an empty label": (WIDE, "10,7", ",7", "line 4: the label is empty"),
    "an empty row": (WIDE, "10,7,8,", "10,,,", "line 4: a series without a single value"),
    "too many cells": (WIDE, "7,8,", "7,8,9,10", "line 4: 5 cells under 4 columns"),
    "two labels": (LONG, "b;2;run", "b;2;walk", "line 5: series 'b' is labelled 'walk' here"),
    "a step twice": (LONG, "b;2;run", "b;1;run", "line 5: step 1 of series 'b' stands twice"),
    "an odd step": (LONG, "b;2;run", "b;two;run", "line 5: step 'two' is not a number"),
    "an empty file": ("", "x", "x", "line 1: no column `label` in nothing"),
    "no rows": ("label,1,2\n", "x", "x", "has no series"),
    "one class": (WIDE.replace("10", "2"), "x", "x", "only the class '2'"),
    "not text": ("label,1\n" + '"' * 3 + "\x00" * 200_000, "x", "x", "cannot be read as CSV"),
}


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_a_fault_in_a_table_is_named(fault: str, tmp_path: Path) -> None:
    text, was, now, said = TABLE_FAULTS[fault]
    with pytest.raises(DatasetError, match=said) as caught:
        opened(tmp_path / "x.csv", text.replace(was, now, 1))
    assert str(tmp_path / "x.csv") in str(caught.value)


def test_one_long_series_among_many_does_not_take_the_memory(tmp_path: Path) -> None:
    rows = ["label," + ",".join(map(str, range(500)))]
    rows += [f"{'ab'[k % 2]},1" for k in range(400)] + ["a," + ",".join(["1"] * 500)]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(rows))
    with pytest.raises(DatasetError, match="takes 802,000 bytes; the limit is 100,000"):
        open_dataset(path, Settings(max_dataset_bytes=100_000))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"accepted: a folder of labelled images, a \.ts file"):
        opened(tmp_path / "x.parquet", "")
