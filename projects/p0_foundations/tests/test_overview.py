"""Every statistic of a profile's overview, held to pandas; older stored profiles still load."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p0_foundations import ColumnProfile, Profile, profile_frame
from p0_foundations.texts import imbalance, order_of

RNG = np.random.default_rng(4)


def column(values: object) -> ColumnProfile:
    return profile_frame(pd.DataFrame({"x": values})).column("x")


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60))
def test_the_figures_of_a_number_are_those_of_pandas(values: list[float]) -> None:
    given_ = pd.Series([*values, np.nan])
    found = column(given_).number
    assert found is not None
    kept = given_.dropna()
    close = {"rel": 1e-9, "abs": 1e-6}
    assert found.sum == pytest.approx(kept.sum(), **close)
    assert found.variance == pytest.approx(kept.var(), rel=1e-6, abs=1e-6)
    assert found.mad == pytest.approx((kept - kept.median()).abs().median(), **close)
    assert [found.p5, found.p95] == pytest.approx(kept.quantile([0.05, 0.95]).tolist(), **close)
    assert found.iqr == pytest.approx(kept.quantile(0.75) - kept.quantile(0.25), **close)
    assert found.range == pytest.approx(kept.max() - kept.min(), **close)


def test_nothing_that_overflows_or_is_infinite_makes_a_figure_that_is_no_number() -> None:
    found = column([1.7e308, -1.7e308, 1.7e308, 5.0, np.inf, -np.inf, np.nan] * 5).number
    assert found is not None
    figures = [value for value in found.model_dump().values() if isinstance(value, float)]
    assert np.isfinite(figures).all()
    assert found.n_infinite == 10


@pytest.mark.parametrize(
    ("values", "order"),
    [
        ([1, 2, 5], "increasing"),
        ([1, 1, 5], "never falls"),
        ([5, 2, 1], "decreasing"),
        ([5, 5, 1], "never rises"),
        ([3, 3, 3], "constant"),
        ([1, 3, 2], ""),
        ([1], ""),
    ],
)
def test_the_order_down_the_rows_is_named(values: list[int], order: str) -> None:
    assert order_of(np.array(values)) == order
    series = pd.Series(values)
    assert (order in {"increasing", "never falls", "constant"}) == (
        series.is_monotonic_increasing and len(values) > 1
    )


def test_extremes_are_counted_and_of_ids_none_is_kept() -> None:
    found = column(np.repeat([3.5, 1.25, 9.0, 7.0, 5.5, 2.5, 8.5], [1, 2, 3, 1, 1, 1, 1]))
    assert [(one.value, one.n) for one in found.lowest[:2]] == [("1.25", 2), ("2.5", 1)]
    assert [(one.value, one.n) for one in found.highest[:2]] == [("9", 3), ("8.5", 1)]
    assert found.n_once == 5
    ids = profile_frame(pd.DataFrame({"member_id": RNG.permutation(200) + 4_000}))
    assert ids.columns[0].lowest == ids.columns[0].highest == ()


def test_texts_are_measured_in_characters_of_all_scripts() -> None:
    rhodes = "\N{GREEK CAPITAL LETTER RHO}όδ\N{GREEK SMALL LETTER OMICRON}ς"
    found = column(["Ærø", "Kos", rhodes, None]).text
    assert found is not None
    assert (found.minimum_length, found.maximum_length, found.n_characters) == (3, 5, 11)
    assert found.n_distinct_characters == len(set("ÆrøKos" + rhodes))
    assert found.scripts == ("GREEK", "LATIN")
    assert set(found.character_categories) == {"Lu", "Ll"}


def test_imbalance_goes_from_even_to_one_value() -> None:
    assert imbalance(np.array([5, 5, 5])) == pytest.approx(0.0)
    assert imbalance(np.array([9])) == 1.0
    assert imbalance(np.array([], dtype=np.int64)) is None
    skewed = imbalance(np.array([98, 1, 1]))
    assert skewed is not None
    assert 0.8 < skewed < 1.0


def test_the_table_in_numbers_adds_up() -> None:
    table = pd.DataFrame({"a": [1.5, None, 2.0], "b": ["x", "y", None], "c": [None] * 3})
    found = profile_frame(table)
    assert found.overview is not None
    assert found.overview.n_cells_missing == 5
    assert (found.overview.n_columns_with_missing, found.overview.n_columns_empty) == (3, 1)
    assert found.overview.memory_bytes == int(table.memory_usage(index=False, deep=True).sum())
    assert sum(kind.n for kind in found.overview.kinds) == 3
    assert found.reproduction is not None
    assert "pandas" in found.reproduction.made_by


def test_a_profile_stored_before_these_figures_loads_compares_and_reports() -> None:
    table = pd.DataFrame({"x": RNG.normal(size=300), "c": RNG.choice(["a", "b"], 300)})
    new = profile_frame(table)
    stored = json.loads(new.to_json())
    for name in ("overview", "reproduction", "gaps"):
        del stored[name]
    for one in stored["columns"]:
        for name in ("n_once", "lowest", "highest", "text", "imbalance", "order", "memory_bytes"):
            del one[name]
        for name in ("p5", "p95", "iqr", "range", "variance", "cv", "mad", "sum"):
            (one["number"] or {}).pop(name, None)
    old = Profile.from_json(json.dumps(stored))
    assert not old.drift(new).has_drifted
    assert "All figures" in old.to_html()


def test_rows_are_kept_only_where_they_are_asked_for() -> None:
    table = pd.DataFrame({"a": [1.5, None, 1.5, 4.0], "b": ["<b>", "y", "<b>", None]})
    assert profile_frame(table).sample is None
    found = profile_frame(table, n_shown_rows=2)
    assert found.sample is not None
    assert found.sample.first == (("1.5", "<b>"), ("", "y"))
    assert found.sample.last == (("1.5", "<b>"), ("4.0", ""))
    assert found.sample.repeated == (("1.5", "<b>"),)
    page = found.to_html()
    assert "Rows that repeat an earlier one" in page
    assert "<b>" not in page
    assert Profile.from_json(found.to_json()) == found


OVERVIEW = (
    "rows repeated", "cells missing", "columns with missing cells", "in memory", "per row", "kinds",
    "made by", "distinct", "occur once", "sum", "variance", "coefficient of variation", "5 %",
    "95 %", "between quartiles", "median distance to the median", "skew", "excess kurtosis",
    "zeros", "negative", "infinite", "down the rows", "imbalance", "length", "characters",
    "Unicode categories", "Unicode scripts", "Unicode blocks", "frequent characters", "words",
    "frequent words", "most common", "lowest", "highest", "range",
)  # fmt: skip


def test_the_report_says_every_statistic_of_the_overview() -> None:
    table = pd.DataFrame({"n": np.sort(RNG.normal(size=90)), "c": RNG.choice(["a", "b", "b"], 90)})
    page = profile_frame(table).to_html()
    assert [name for name in OVERVIEW if f"<dt>{name}<dd>" not in page] == []
