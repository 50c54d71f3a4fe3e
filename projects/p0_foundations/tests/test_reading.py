"""Any table: what is decided and told, overridden by a schema, set aside, sampled."""

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from p0_foundations import (
    Holding,
    SchemaError,
    TableError,
    TableSchema,
    UnknownColumnError,
    load_schema,
    open_table,
    parse_schema,
    profile_frame,
    schema_toml,
)
from p0_foundations.reading.reservoir import Reservoir

DATASETS = Path(os.environ.get("ROADMAP_DATASETS", "")) / "tabular"


def write(folder: Path, content: bytes | str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


NAMES = {
    "cp1252": "Müller;Köln;10 €\nJosé;Málaga;“x”\nÉlodie;Orléans;5\n",
    "latin-1": "Müller;Köln;1\nÅse;Tromsø;2\nPeña;Cádiz;3\n",
    "cp1250": "Žofie;Brno-střed;1\nŁukasz;Łódź;2\nJiří;Plzeň;3\n",
    "shift-jis": "田中;東京;1\n鈴木;大阪;2\nさくら;京都;3\n",
    "cp1251": "Иван;Москва;1\nЮлия;Тюмень;2\nПётр;Томск;3\n",  # noqa: RUF001 - Cyrillic
    "utf-8-sig": "Žofie;Łódź;1\nJosé;京都;2\n",
    "utf-16": "Žofie;Łódź;1\nJosé;京都;2\n",
    "utf-16-le": "Žofie;Lodz;1\nJosé;Rome;2\n",
    "utf-16-be": "Žofie;Lodz;1\nJosé;Rome;2\n",
}


@pytest.mark.parametrize("encoding", NAMES)
def test_an_encoding_is_found_and_told(tmp_path: Path, encoding: str) -> None:
    text = "name;town;n\n" + NAMES[encoding] * 3
    found = open_table(write(tmp_path, text.encode(encoding)))
    wanted = pd.read_csv(io.StringIO(text), sep=";")
    assert found.frame["name"].tolist() == wanted["name"].tolist()
    assert found.frame["town"].tolist() == wanted["town"].tolist()
    is_certain = encoding.startswith("utf")
    assert any("guess" in one for one in found.reading.cautions) is not is_certain


def test_an_accent_far_behind_the_first_bytes_is_no_accident(tmp_path: Path) -> None:
    text = "name,n\n" + "plain,1\n" * 200_000 + "Köln,2\n"
    found = open_table(write(tmp_path, text.encode("cp1252")))
    assert found.frame["name"].iloc[-1] == "Köln"
    assert found.reading.encoding == "cp1252"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    words=st.lists(
        st.text(st.characters(codec="cp1252", categories=("L", "Zs", "P")), min_size=1).map(
            lambda s: "w" + s.strip("\xa0 ").replace("\x00", "")
        ),
        min_size=3,
        max_size=12,
    ),
    numbers=st.lists(st.floats(-1e6, 1e6).map(lambda v: round(v, 3)), min_size=12, max_size=12),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    words: list[str],
    numbers: list[float],
    separator: str,
    encoding: str,
    ending: str,
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=ending)
    writer.writerow(["label", "amount", "when"])
    rows = [(word, numbers[k], f"2024-03-{k + 1:02}") for k, word in enumerate(words)]
    writer.writerows(rows)
    folder = tmp_path_factory.mktemp("dialect")
    found = open_table(write(folder, text.getvalue().encode(encoding)))
    assert found.reading.separator == separator
    assert found.frame["label"].tolist() == [word for word, _, _ in rows]
    assert found.frame["amount"].tolist() == [number for _, number, _ in rows]
    assert found.frame["when"].dt.day.tolist() == list(range(1, len(rows) + 1))


NUMBERS = {
    "decimal comma": ("x;y\n1,5;a\n-2,25;b\n0,125;c\n", [1.5, -2.25, 0.125]),
    "points of thousands": ("x;y\n1.234,56;a\n12,5;b\n1.000.000,0;c\n", [1234.56, 12.5, 1e6]),
    "commas of thousands": ('x,y\n"1,234.50",a\n"12",b\n"1,000,000",c\n', [1234.5, 12, 1e6]),
    "spaces of thousands": ("x;y\n1 234,5;a\n12\u00a0000,0;b\n7;c\n", [1234.5, 12000, 7]),
    "apostrophes": ("x;y\n1'234.5;a\n12'000;b\n7;c\n", [1234.5, 12000, 7]),
    "currency": ("x;y\n$1,234.50;a\n$2.00;b\n-$3;c\n", [1234.5, 2, -3]),
    "percent": ("x;y\n12%;a\n3.5 %;b\n0%;c\n", [12, 3.5, 0]),
    "what one column shows, another means": ("x;y\n1.234;0,5\n2.500;1,25\n", [1234, 2500]),
    "missing in many ways": ("x,y\n1,a\nNA,b\n?,c\n,d\n", [1, None, None, None]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_read_as_their_writer_meant_them(tmp_path: Path, name: str) -> None:
    text, wanted = NUMBERS[name]
    found = open_table(write(tmp_path, text)).frame["x"]
    assert found.astype("float64").tolist() == pytest.approx(wanted, nan_ok=True) or (
        found.isna().tolist() == [one is None for one in wanted]
    )


def test_codes_with_leading_zeros_stay_codes(tmp_path: Path) -> None:
    found = open_table(write(tmp_path, "zip,n\n01234,1\n10115,2\n80331,3\n"))
    assert found.frame["zip"].tolist() == ["01234", "10115", "80331"]


def test_dates_that_could_be_two_days_are_told_as_a_doubt(tmp_path: Path) -> None:
    doubtful = open_table(write(tmp_path, "d,n\n03/04/2024,1\n05/06/2024,2\n"))
    assert any("day and month cannot be told apart" in one for one in doubtful.reading.cautions)
    certain = open_table(write(tmp_path, "d,n\n03/04/2024,1\n25/06/2024,2\n"))
    assert certain.frame["d"].dt.day.tolist() == [3, 25]
    assert certain.reading.columns[0].date_format == "%d/%m/%Y"
    assert not certain.reading.cautions


HEADERS = {
    "names": ("a,b\n1,x\n2,y\n", True),
    "values": ("1,x\n2,y\n3,x\n", False),
    "years": ("land,1990,1991,1992\nA,1.5,2,3\nB,2.5,3,4\n", True),
    "labels that come back": ("red,yes\nblue,no\nred,no\nblue,yes\n", False),
    "nothing tells": ("a,b\nx,y\n", True),
    "all numbers, one row": ("1,2,3\n", False),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_told_from_data(tmp_path: Path, name: str) -> None:
    text, wanted = HEADERS[name]
    reading = open_table(write(tmp_path, text)).reading
    assert reading.has_header is wanted
    if not wanted:
        assert reading.columns[0].name == "column_1"
        assert any("no header was found" in one for one in reading.cautions)


def test_titles_above_the_header_are_skipped(tmp_path: Path) -> None:
    found = open_table(write(tmp_path, "Sales of March\n\na;b\n1;2\n3;4\n"))
    assert found.frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    assert found.reading.skipped_lines == 2


def test_runs_of_spaces_and_padded_quotes_are_understood(tmp_path: Path) -> None:
    spaced = open_table(write(tmp_path, "a   b\n 1   2.5\n10  3.5\n 7   4\n"))
    assert spaced.frame.to_dict("list") == {"a": [1, 10, 7], "b": [2.5, 3.5, 4]}
    padded = open_table(write(tmp_path, 'a, b\n1, "x, y"\n2, z\n'))
    assert padded.frame["b"].tolist() == ["x, y", "z"]


GARBAGE = {
    "too many fields": (b"1,2,3,4\n", "has 4 fields, not 3"),
    "too few": (b"oops\n", "has 1 fields, not 3"),
    "no UTF-8": (b"1,\xff\xfe,z\xe9\n", "is not UTF-8 text"),
    "an open quotation": (b'1,"2,x\n', "never closed"),
    "a second header": (b"a,b,c\n", "text where numbers or dates are"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_one_garbage_row_in_a_hundred_thousand_is_set_aside_and_named(
    tmp_path: Path, name: str
) -> None:
    row, why = GARBAGE[name]
    good = [f"{k},{k / 2},ü{k}\n".encode() for k in range(100_000)]
    content = b"a,b,c\n" + b"".join(good[:70_000]) + row + b"".join(good[70_000:])
    found = open_table(write(tmp_path, content))
    assert len(found.frame) == 100_000
    assert found.frame["a"].tolist() == list(range(100_000))
    assert [one.line for one in found.reading.set_aside] == [70_002]
    assert why in found.reading.set_aside[0].why
    profile = profile_frame(found.frame, reading=found.reading)
    assert any("line 70,002" in finding.message for finding in profile.findings)


def test_much_garbage_is_refused_with_a_line(tmp_path: Path) -> None:
    rows = "".join(f"{k},{k}{',9' if k % 20 == 0 else ''}\n" for k in range(1, 1000))
    with pytest.raises(TableError, match=r"49 of 999 rows do not fit, such as line 21"):
        open_table(write(tmp_path, "a,b\n" + rows))


def test_a_few_words_among_numbers_are_missing_and_told(tmp_path: Path) -> None:
    rows = "".join(f"{'unknown' if k in {70, 80} else k},x{k % 3}\n" for k in range(300))
    found = open_table(write(tmp_path, "n,c\n" + rows))
    assert found.frame["n"].isna().sum() == 2
    assert any("2 cells are no numbers" in one for one in found.reading.cautions)
    assert "'unknown'" in " ".join(found.reading.cautions)


def test_repeated_and_absent_names_are_told_apart(tmp_path: Path) -> None:
    found = open_table(write(tmp_path, "a,a,,a\n1,2,3,4\n5,6,7,8\n"))
    assert list(found.frame.columns) == ["a", "a (2)", "column_3", "a (3)"]
    assert found.reading.renamed == ("a (2)", "a (3)")


def test_json_lines_are_read_with_objects_taken_apart(tmp_path: Path) -> None:
    rows = [
        {"n": k, "at": {"x": k / 2, "y": "left"}, "tags": ["a", k], "mixed": k} for k in range(30)
    ]
    rows[7]["mixed"] = "seven"
    found = open_table(write(tmp_path, "\n".join(map(json.dumps, rows)), "t.jsonl"))
    assert list(found.frame.columns) == ["n", "at.x", "at.y", "tags", "mixed"]
    assert found.frame["at.x"].tolist() == [k / 2 for k in range(30)]
    told = " ".join(found.reading.cautions)
    assert "taken apart" in told
    assert "mixed: mixes types: 29 whole number, 1 text" in told


def test_a_workbook_is_read_by_sheet(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "cover"
    sheet = book.create_sheet("data")
    for row in (
        ["Report"],
        ["name", "n", "when"],
        ["a", 1.5, pd.Timestamp("2024-03-01")],
        ["b", 2],
    ):
        sheet.append(row)
    other = book.create_sheet("other")
    other.append(["z"])
    other.append([9])
    path = tmp_path / "b.xlsx"
    book.save(path)
    found = open_table(path)
    assert found.frame["n"].tolist() == [1.5, 2]
    assert found.frame["when"].iloc[0] == pd.Timestamp("2024-03-01")
    assert (found.reading.sheet, found.reading.skipped_lines) == ("data", 1)
    assert any("other" in one for one in found.reading.cautions)
    named = open_table(path, schema=parse_schema({"file": {"sheet": "other"}}, "s"))
    assert named.frame.to_dict("list") == {"z": [9]}
    with pytest.raises(TableError, match="no sheet 'gone'; accepted: cover, data, other"):
        open_table(path, schema=parse_schema({"file": {"sheet": "gone"}}, "s"))


def test_a_schema_overrides_what_was_decided(tmp_path: Path) -> None:
    text = "1;-999;03/04/2024;NA;a\n2;5,5;05/06/2024;x;b\n1;7;07/08/2024;x;c\n"
    said = """
    [file]
    header = false
    names = ["code", "size", "day", "pool", "note"]
    [columns.code]
    kind = "category"
    [columns.size]
    decimal = ","
    missing = [-999]
    [columns.day]
    kind = "date"
    format = "%d/%m/%Y"
    [columns.pool]
    kind = "category"
    not_missing = ["NA"]
    [columns.note]
    kind = "ignore"
    """
    schema = load_schema(write(tmp_path, said, "s.toml"))
    found = open_table(write(tmp_path, text), schema=schema)
    assert list(found.frame.columns) == ["code", "size", "day", "pool"]
    assert found.frame["code"].tolist() == ["1", "2", "1"]
    assert found.frame["size"].isna().tolist() == [True, False, False]
    assert found.frame["day"].dt.month.tolist() == [4, 6, 8]
    assert found.frame["pool"].tolist() == ["NA", "x", "x"]
    kinds = {c.name: c.kind.value for c in profile_frame(found.frame).columns}
    assert kinds["code"] == kinds["pool"] == "category"


def test_a_written_schema_reads_the_table_the_same_way(tmp_path: Path) -> None:
    path = write(tmp_path, 'x;d;"odd ""name"""\n1.234,5;03.04.2024;a\n7,25;25.12.2023;b\n')
    first = open_table(path)
    again = open_table(
        path, schema=load_schema(write(tmp_path, schema_toml(first.reading), "s.toml"))
    )
    pd.testing.assert_frame_equal(first.frame, again.frame)
    assert all(one.is_told for one in again.reading.columns if one.kind != "text")


WRONG_SCHEMAS = {
    "key": ("[file]\nencodin = 'x'", "no key 'file.encodin'; did you mean 'encoding'"),
    "kind": ("[columns.a]\nkind = 'integer'", "accepted: 'number', 'date'"),
    "format": ("[columns.a]\nkind='number'\nformat='%Y'", "format is of dates"),
    "separator": ("[file]\nseparator = 'ab'", "one character"),
    "toml": ("[file", "is not TOML"),
}


@pytest.mark.parametrize("name", WRONG_SCHEMAS)
def test_a_wrong_schema_is_refused_by_name(tmp_path: Path, name: str) -> None:
    text, words = WRONG_SCHEMAS[name]
    with pytest.raises(SchemaError, match=words):
        load_schema(write(tmp_path, text, "s.toml"))


def test_a_schema_of_another_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownColumnError, match="did you mean 'amount'"):
        open_table(
            write(tmp_path, "amount,b\n1,2\n"),
            schema=TableSchema.model_validate({"columns": {"amonut": {"kind": "number"}}}),
        )


def test_a_table_larger_than_may_be_held_is_sampled_and_says_so(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "n,c\n" + "".join(f"{k},x\n" for k in range(300_000)))
    found = open_table(path, holding=Holding(max_rows=5_000))
    held = found.frame["n"].to_numpy()
    assert (len(held), found.reading.n_rows) == (5_000, 300_000)
    assert (np.diff(held) > 0).all()
    assert abs(held.mean() - 150_000) < 6 * 300_000 / np.sqrt(12 * 5_000)
    assert found.reading.cautions[0] == "read as a random sample of 5,000 of 300,000 rows"
    again = open_table(path, holding=Holding(max_rows=5_000))
    assert again.frame.equals(found.frame)


def test_every_row_is_equally_likely_to_stay() -> None:
    counts = np.zeros(60)
    for seed in range(800):
        held = Reservoir(10, seed=seed)
        for start in range(0, 60, 7):
            held.add(pa.table({"n": np.arange(start, min(start + 7, 60))}))
        counts[held.table()[1]] += 1
    expected = 800 / 6
    chi_squared = float(((counts - expected) ** 2 / expected).sum())
    assert chi_squared < 110, "the 99.99 % quantile of chi-squared with 59 degrees of freedom"


@pytest.mark.skipif(not DATASETS.is_dir(), reason="the tables are found by ROADMAP_DATASETS")
def test_real_tables_are_read_as_they_are_meant() -> None:
    adult = open_table(DATASETS / "adult.data")
    assert not adult.reading.has_header
    assert adult.frame["column_2"].iloc[0] == "State-gov"
    assert not open_table(DATASETS / "german_credit.csv").reading.has_header
    telco = open_table(DATASETS / "telco_churn.csv").frame
    assert telco["TotalCharges"].dtype == "float64"
    assert telco["TotalCharges"].isna().any()
    ames = open_table(DATASETS / "ames_housing.csv").frame
    assert (ames["Alley"] == "NA").any()
    gaps = open_table(DATASETS.parent / "series" / "beijing_pm25.csv")
    assert gaps.frame["pm2.5"].isna().sum() == 2067
    assert gaps.reading.columns[5].missing_spellings[0].value == "NA"
