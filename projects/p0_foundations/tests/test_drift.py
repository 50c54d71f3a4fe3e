"""Drift held to SciPy, to simulation where nothing moved, to planted shifts where something did."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from p0_foundations import Limits, Profile, ProfileFormatError, profile_frame
from p0_foundations.drift import benjamini_hochberg, stability_index
from p0_foundations.sketches import distribution, largest_gap, make_sketch
from scipy import stats

KNOTS = 256
numbers = st.lists(
    st.floats(-1e6, 1e6) | st.integers(-3, 3).map(float), min_size=2, max_size=200
).map(lambda values: np.sort(np.array(values) + 0.0))


def profile_of(**columns: object) -> Profile:
    return profile_frame(pd.DataFrame(columns))


@given(numbers, numbers)
def test_with_every_value_kept_the_distance_is_scipys(one: np.ndarray, other: np.ndarray) -> None:
    distance = largest_gap(make_sketch(one, n_knots=KNOTS), make_sketch(other, n_knots=KNOTS))
    expected = stats.ks_2samp(one, other, method="asymp").statistic
    assert distance == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(["normal", "capped", "rounded", "cauchy"]))
def test_a_sketch_of_many_values_errs_by_less_than_its_spacing(seed: int, shape: str) -> None:
    rng = np.random.default_rng(seed)

    def draw(shift: float) -> np.ndarray:
        values = rng.normal(shift, 1, 3000) if shape != "cauchy" else rng.standard_cauchy(3000)
        values = np.clip(values, -1, 1) if shape == "capped" else values
        return np.sort(np.round(values, 1) if shape == "rounded" else values)

    one, other = draw(0.0), draw(0.1)
    distance = largest_gap(make_sketch(one, n_knots=KNOTS), make_sketch(other, n_knots=KNOTS))
    expected = stats.ks_2samp(one, other, method="asymp").statistic
    assert abs(distance - expected) <= 2 / (KNOTS - 1)


@given(numbers, st.integers(16, 64))
def test_a_sketch_is_exact_at_its_own_values_and_never_decreases(
    ordered: np.ndarray, n_knots: int
) -> None:
    sketch = make_sketch(ordered, n_knots=n_knots)
    at = np.array(sketch.values)
    lower, upper = distribution(sketch, at)
    assert lower == pytest.approx([(ordered < value).mean() for value in at])
    assert upper == pytest.approx([(ordered <= value).mean() for value in at])
    grid = np.union1d(at, np.linspace(at[0] - 1, at[-1] + 1, 50))
    assert (np.diff(distribution(sketch, grid)[1]) >= -1e-12).all()


def test_p_values_of_numbers_are_scipys() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=200), rng.normal(0.2, 1, 180)
    drift = profile_of(x=one).drift(profile_of(x=other)).column("x")
    expected = stats.ks_2samp(one, other, method="asymp")
    assert drift.statistic == pytest.approx(expected.statistic)
    assert drift.p_value == pytest.approx(expected.pvalue)


def test_p_values_of_categories_are_scipys() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.choice(list("abc"), 500), rng.choice(list("abc"), 400, p=[0.4, 0.3, 0.3])
    drift = profile_of(x=one).drift(profile_of(x=other)).column("x")
    table = [[(column == value).sum() for value in "abc"] for column in (one, other)]
    expected = stats.chi2_contingency(table, correction=False)
    assert drift.statistic == pytest.approx(expected.statistic)
    assert drift.p_value == pytest.approx(expected.pvalue)


def test_the_index_is_the_textbooks_less_what_chance_gives() -> None:
    before, after = np.array([500.0, 300.0, 200.0]), np.array([300.0, 300.0, 400.0])
    p, q = before / 1000, after / 1000
    textbook = ((q - p) * np.log(q / p)).sum()
    assert stability_index(before, after) == pytest.approx(textbook - 2 * (2 / 1000))
    assert stability_index(before, before) == 0.0


@pytest.mark.slow
def test_the_index_is_free_of_what_small_tables_add() -> None:
    rng = np.random.default_rng(3)
    found = [
        stability_index(rng.multinomial(60, [0.1] * 10), rng.multinomial(60, [0.1] * 10))
        for _ in range(500)
    ]
    assert np.median(found) < 0.1  # the plain index has a mean of about 0.3 here


def test_p_values_are_adjusted_as_scipy_does_and_what_was_not_tested_stays_out() -> None:
    adjusted = benjamini_hochberg([0.01, None, 0.04, 0.03])
    expected = stats.false_discovery_control([0.01, 0.04, 0.03])
    assert adjusted[1] is None
    assert [p for p in adjusted if p is not None] == pytest.approx(expected)


def wide(seed: int, n_rows: int, *, moved: bool = False) -> pd.DataFrame:
    """Thirty columns of all kinds; `moved` shifts one number, one category, one missing rate."""
    rng = np.random.default_rng(seed)
    table = {f"n{k}": rng.normal(size=n_rows) for k in range(8)}
    table |= {f"heavy{k}": rng.standard_t(2, n_rows) for k in range(4)}
    table |= {f"count{k}": rng.poisson(3, n_rows) for k in range(6)}
    table |= {f"cat{k}": rng.choice(list("abcdefgh"), n_rows) for k in range(8)}
    table |= {f"gap{k}": np.where(rng.random(n_rows) < 0.2, np.nan, 1.5) for k in range(4)}
    if moved:
        table["n0"] = table["n0"] + 0.5
        table["cat0"] = np.where(rng.random(n_rows) < 0.3, "a", table["cat0"])
        table["gap0"] = np.where(rng.random(n_rows) < 0.45, np.nan, 1.5)
    return pd.DataFrame(table)


QUICK = Limits(related_columns=0)


@pytest.mark.slow
@pytest.mark.parametrize("n_rows", [80, 1000])
def test_thirty_unmoved_columns_raise_a_false_alarm_about_as_rarely_as_stated(n_rows: int) -> None:
    """At alpha = 5 %, 200 pairs: any significance in at most 5 % plus three standard errors."""
    alarms = notable = 0
    for k in range(200):
        before = profile_frame(wide(2 * k, n_rows), limits=QUICK)
        report = before.drift(profile_frame(wide(2 * k + 1, n_rows), limits=QUICK), alpha=0.05)
        alarms += any(column.severity != "none" for column in report.columns)
        notable += report.has_drifted
    assert alarms / 200 <= 0.05 + 3 * (0.05 * 0.95 / 200) ** 0.5
    assert notable <= alarms


@pytest.mark.slow
def test_planted_shifts_are_found_nearly_always_and_point_at_their_columns() -> None:
    found = wrong = 0
    for k in range(40):
        before = profile_frame(wide(5000 + k, 1000), limits=QUICK)
        later = profile_frame(wide(9000 + k, 1000, moved=True), limits=QUICK)
        drifted = set(before.drift(later).drifted)
        found += len(drifted & {"n0", "cat0", "gap0"})
        wrong += len(drifted - {"n0", "cat0", "gap0"})
    assert found >= 0.95 * 120
    assert wrong <= 2


def test_with_many_rows_a_tiny_real_shift_is_slight_and_no_alarm() -> None:
    rng = np.random.default_rng(0)
    report = profile_of(x=rng.normal(size=60_000)).drift(
        profile_of(x=rng.normal(0.05, 1, size=60_000))
    )
    assert report.column("x").severity == "slight"
    assert not report.has_drifted
    assert "slightly" in report.verdict


def test_a_stored_profile_compares_like_the_fresh_one() -> None:
    before, later = profile_frame(wide(1, 500)), profile_frame(wide(2, 500, moved=True))
    stored = Profile.from_json(before.to_json())
    assert stored.drift(later) == before.drift(later)


def test_a_new_category_is_named_and_a_rare_one_is_no_alarm() -> None:
    before = profile_of(x=["a", "b"] * 300)
    report = before.drift(profile_of(x=["a", "b"] * 299 + ["c", "a"]))
    assert [v.value for v in report.column("x").new_values] == ["c"]
    assert not report.has_drifted


def test_categories_that_one_side_did_not_keep_are_compared_together() -> None:
    rng = np.random.default_rng(0)
    many = [f"shop {k}" for k in range(400)]
    one, other = rng.choice(many, 40_000), rng.choice(many, 40_000)
    report = profile_of(x=one).drift(profile_of(x=other))
    assert report.column("x").test == "chi-squared"
    assert report.column("x").severity == "none"


@pytest.mark.parametrize(
    ("before", "after", "is_retyped"),
    [
        ([1.5, 2.5, 3.0] * 20, ["a", "b", "c"] * 20, True),
        ([1, 2, 3] * 20, [1.0, 2.0, None] * 20, False),
        (["a", "b"] * 20, [None, None] * 20, False),
        ([0, 1] * 30, [0, 0] * 30, False),
    ],
)
def test_a_change_of_type_is_told_from_a_change_of_values(
    before: list[object], after: list[object], is_retyped: bool
) -> None:
    report = profile_of(x=before).drift(profile_of(x=after))
    assert bool(report.retyped) == is_retyped


def test_ids_and_dates_are_expected_to_move() -> None:
    days = pd.date_range("2024-01-01", periods=100).astype(str)
    later = pd.date_range("2025-01-01", periods=100).astype(str)
    before = profile_of(key=range(100), day=days, x=[1.5, 2.5] * 50)
    report = before.drift(profile_of(key=range(1000, 1100), day=later, x=[1.5, 2.5] * 50))
    assert not report.has_drifted
    assert "2025-01-01" in report.column("day").message


def test_a_table_without_rows_is_said_to_have_none() -> None:
    empty = profile_of(x=pd.Series([], dtype="float64"))
    assert "no rows" in profile_of(x=[1.5, 2.5] * 30).drift(empty).verdict


def test_what_is_no_stored_profile_is_refused_by_its_first_wrong_field() -> None:
    with pytest.raises(ProfileFormatError, match="schema_version"):
        Profile.from_json(
            profile_of(x=[1]).to_json().replace('"schema_version":1', '"schema_version":9')
        )
    with pytest.raises(ProfileFormatError):
        Profile.from_json("{")
