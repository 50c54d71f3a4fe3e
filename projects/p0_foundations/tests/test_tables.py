"""Files that people bring: read as meant, or refused for what they are."""

from pathlib import Path

import pandas as pd
import pytest
from p0_foundations import TableError, open_table, profile_frame, read_table
from p0_foundations.errors import TableTooLargeError

READ = {
    "comma": (b"a,b\n1,2\n", {"a": [1], "b": [2]}),
    "semicolon, decimal comma": (b"a;b\n1,5;x\n", {"a": [1.5], "b": ["x"]}),
    "tab": (b"a\tb\n1\t2\n", {"a": [1], "b": [2]}),
    "one column": (b"a\n1\n2\n", {"a": [1, 2]}),
    "a mark of UTF-8": ("\ufeffa,b\nä,2\n".encode(), {"a": ["ä"], "b": [2]}),
    "UTF-16": ("a,b\nä,2\n".encode("utf-16"), {"a": ["ä"], "b": [2]}),
    "quoted": (b'a,b\n"x, y",2\n"two\nlines",3\n', {"a": ["x, y", "two\nlines"], "b": [2, 3]}),
    "spelled missing stays": (b"a,b\nNA,1\nx,2\n", {"a": ["NA", "x"], "b": [1, 2]}),
    "header alone": (b"a,b\n", {"a": [], "b": []}),
}


@pytest.mark.parametrize("name", READ)
def test_a_table_is_read_as_it_was_meant(tmp_path: Path, name: str) -> None:
    content, expected = READ[name]
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    assert read_table(path).to_dict("list") == expected


REFUSED = {
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0", "PNG picture"),
    "a workbook": (b"PK\x03\x04\0\0", "spreadsheet"),
    "packed": (b"\x1f\x8b\x08\0", "gzip"),
    "bytes": (b"a,b\0\1\2", "binary file"),
    "nothing": (b"", "is empty"),
    "blank": (b" \n\n", "is empty"),
    "an open quotation": (b'a,b\n1,"2\n3,4\n', "never closed"),
    "a longer row": (b"a,b\n1,2\n1,2,3\n", "line 3"),
    "longer rows than the header": (b"a,b\n1,2,3\n1,2,3\n", "the header 2 names"),
    "half a Parquet": (b"PAR1 and no more", "not valid Parquet"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused_for_what_it_is(tmp_path: Path, name: str) -> None:
    content, reason = REFUSED[name]
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(TableError, match=reason):
        read_table(path)


def test_a_named_encoding_is_used_and_an_unknown_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("a\né\n".encode("cp1252"))
    assert read_table(path, encoding="cp1252")["a"].tolist() == ["é"]
    with pytest.raises(TableError, match="no encoding 'klingon'"):
        read_table(path, encoding="klingon")


def test_parquet_is_told_by_its_content(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "when": pd.date_range("2024", periods=2)})
    path = tmp_path / "named.csv"
    frame.to_parquet(path)
    pd.testing.assert_frame_equal(read_table(path), frame)


def test_rows_and_columns_have_limits(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,c\n1,2,3\n4,5,6\n")
    assert len(read_table(path, max_columns=3, max_rows=2)) == 2
    with pytest.raises(TableTooLargeError, match="3 columns; at most 2"):
        read_table(path, max_columns=2)
    with pytest.raises(TableTooLargeError, match="more than 1 rows"):
        read_table(path, max_rows=1)


def test_a_repeated_name_reaches_the_profile_as_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,a\n1,2\n")
    profile = profile_frame(read_table(path))
    assert [column.name for column in profile.columns] == ["a", "a (2)"]
    assert profile.findings[0].code == "duplicate-names"


def test_a_file_that_is_not_there_is_said_not_to_be(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"there is no file gone\.csv"):
        read_table(tmp_path / "gone.csv")


def test_a_column_of_a_table_that_was_read_can_be_written_to(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n,x,day\n" + "".join(f"{k},{k / 7},2024-01-{k:02d}\n" for k in range(1, 29)))
    frame = open_table(path).frame
    frame.loc[0, ["n", "x"]] = [7, 0.5]
    frame.loc[0, "day"] = pd.Timestamp("2025-01-01")
    assert frame.iloc[0].tolist() == [7, 0.5, pd.Timestamp("2025-01-01")]
