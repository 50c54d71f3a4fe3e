"""The report: pictures without a plotting library, what is missing together, what texts hold."""

import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p0_foundations import ColumnProfile, Profile, profile_frame
from p0_foundations.shape_findings import chi2_below
from p0_foundations.sheets import round_marks
from p0_foundations.texts import count_characters
from p0_foundations.unicode_blocks import ANOTHER, block_of
from scipy import stats

RNG = np.random.default_rng(6)
PEOPLE = ["Ærø Ærø", "a tram, a bus", "A bus!", "東京 \N{SNOWMAN}"]


def column(values: object) -> ColumnProfile:
    return profile_frame(pd.DataFrame({"x": values})).column("x")


def gappy(n: int = 1200) -> pd.DataFrame:
    at = RNG.random(n) < 0.3
    frame = pd.DataFrame({name: RNG.normal(size=n) for name in ("a", "b", "c", "whole")})
    frame.loc[at, ["a", "b"]] = np.nan
    frame.loc[n // 2 :, "c"] = np.nan
    return frame


def test_a_report_is_written_without_a_plotting_library_or_scipy() -> None:
    code = (
        "import sys, pandas; from p0_foundations import profile_frame;"
        "t = pandas.DataFrame({k: [1.5, 2, None, 9, 4] for k in 'abc'} | {'d': list('xxyyz')});"
        "page = profile_frame(t).to_html();"
        "print(page.count('<svg'), {'matplotlib', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["7", "set()"]


def test_gaps_are_counted_where_they_are_and_columns_that_share_them_are_told() -> None:
    frame = gappy()
    gaps = profile_frame(frame).gaps
    assert gaps is not None
    assert gaps.columns == ("a", "b", "c")
    for k, name in enumerate(gaps.columns):
        bands = [frame[name].isna().iloc[i:j].sum() for i, j in pairwise(gaps.edges)]
        assert list(gaps.n_missing[k]) == bands
    marks = frame[list(gaps.columns)].isna().astype(float).corr()
    for pair in gaps.pairs:
        assert pair.value == pytest.approx(marks.loc[pair.a, pair.b])
    assert (gaps.pairs[0].a, gaps.pairs[0].b, gaps.pairs[0].value) == ("a", "b", 1.0)
    page = profile_frame(frame).to_html()
    assert "c, rows 601 to 1,200: 100.0% missing" in page
    assert profile_frame(frame[["whole"]]).gaps is None


def test_a_table_wider_than_is_related_keeps_the_gaps_of_its_first_columns() -> None:
    wide = pd.DataFrame(np.where(RNG.random((30, 90)) < 0.5, np.nan, 1.0))
    gaps = profile_frame(wide).gaps
    assert gaps is not None
    assert len(gaps.columns) == 40


@given(st.lists(st.text(), max_size=40), st.data())
def test_characters_are_counted_as_python_counts_them(
    texts: list[str], data: st.DataObject
) -> None:
    n = data.draw(st.lists(st.integers(1, 9), min_size=len(texts), max_size=len(texts)))
    wanted = Counter[str]()
    for text, times in zip(texts, n, strict=True):
        wanted.update("".join([text] * times))
    assert count_characters(texts, np.array(n, dtype=np.int64)) == wanted


def test_texts_are_told_by_words_scripts_and_blocks_and_a_rare_word_is_not_kept() -> None:
    found = column([*PEOPLE * 5, "secret"]).text
    assert found is not None
    assert found.frequent_words[0].model_dump() == {"value": "a", "n": 15}
    assert [one.value for one in found.frequent_words if one.value == "secret"] == []
    assert (found.n_distinct_words, found.words_of) == (7, 1.0)
    assert {one.value for one in found.n_by_script} == {"LATIN", "CJK"}
    blocks = {one.value: one.n for one in found.n_by_block}
    assert blocks["CJK Unified Ideographs"] == 10
    assert blocks["Miscellaneous Symbols"] == 5
    assert sum(one.n for one in found.n_by_category) == found.n_characters
    ids = column([f"u-{k:05d}" for k in range(80)])
    assert (ids.kind, ids.text and ids.text.n_words) == ("id", None)


def test_much_text_is_read_for_words_in_part_and_says_so() -> None:
    profile = profile_frame(pd.DataFrame({"x": [f"{k} {'one two ' * 500}" for k in range(300)]}))
    text = profile.column("x").text
    assert text is not None
    assert text.words_of == pytest.approx(1 / 3, abs=0.01)
    assert "in 33% of the cells" in profile.to_html()


def test_half_a_character_can_be_stored_and_shown() -> None:
    profile = profile_frame(pd.DataFrame({"x": pd.Series(["a\ud800", "b"] * 30, dtype=object)}))
    assert Profile.from_json(profile.to_json()) == profile
    profile.to_html().encode()


def test_blocks_of_characters_are_those_of_unicode_and_others_are_called_so() -> None:
    named = {
        "a": "Basic Latin",
        "ß": "Latin-1 Supplement",
        "ж": "Cyrillic",
        "한": "Hangul Syllables",
    }
    assert {one: block_of(one) for one in named} == named
    assert block_of("\U00016fe0") == ANOTHER


@given(st.floats(-1e300, 1e300), st.floats(1e-300, 1e300), st.integers(2, 8))
def test_marks_of_an_axis_lie_on_it_and_are_told_apart(low: float, span: float, n: int) -> None:
    high = low + span
    marks = round_marks(low, high, n)
    slack = 1e-9 * max(abs(low), abs(high))
    assert len(marks) <= n
    assert all(low - slack <= mark <= high + slack for mark, _ in marks)
    assert len({text for _, text in marks}) == len(marks)


def test_marks_are_round_and_short() -> None:
    assert [text for _, text in round_marks(18, 89, 4)] == ["20", "40", "60", "80"]
    assert [text for _, text in round_marks(0, 0.9, 4)] == ["0.00", "0.25", "0.50", "0.75"]
    assert [text for _, text in round_marks(-3e7, 3e7, 4)] == ["-20M", "0", "20M"]
    assert [text for _, text in round_marks(0, 170_000, 4)] == ["0", "50k", "100k", "150k"]


ODD = {
    "zeros": np.where(RNG.random(300) < 0.3, 0.0, RNG.normal(size=300)),
    "imbalanced": ["yes"] * 285 + ["no", "maybe", "later"] * 5,
    "uniform": ["a", "b", "c", "d", "e", "f"] * 50,
    "unique": pd.date_range("2024-01-01", periods=300, freq="h"),
    "constant-length": RNG.choice(["AA11", "BB22", "CC33"], 300),
}


@pytest.mark.parametrize("code", ODD)
def test_what_is_odd_of_sound_values_is_noted(code: str) -> None:
    found = profile_frame(pd.DataFrame({"x": ODD[code], "sound": RNG.normal(size=300)}))
    assert [one.columns for one in found.findings if one.code == code] == [("x",)]


def test_counts_that_chance_makes_are_not_called_made_up() -> None:
    frame = pd.DataFrame({f"c{k}": RNG.integers(1, 7, 600) for k in range(200)})
    told = [one for one in profile_frame(frame).findings if one.code == "uniform"]
    assert sum(len(one.columns) for one in told) <= 2
    for value, n in ((0.01, 2), (0.5, 5), (20.0, 45)):
        assert chi2_below(value, n) == pytest.approx(stats.chi2.cdf(value, n), rel=1e-9)
