"""What a column is taken for, and figures held to pandas, NumPy and SciPy."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p0_foundations import ColumnProfile, Limits, Profile, UnknownColumnError, profile_frame
from p0_foundations.relations import correlation_ratio, cramers_v
from scipy import stats

RNG = np.random.default_rng(0)


def column(values: object, name: str = "x") -> ColumnProfile:
    return profile_frame(pd.DataFrame({name: values})).column(name)


KINDS = {
    "number": RNG.normal(size=200),
    "code": RNG.integers(1, 5, 200),
    "boolean": [0, 1] * 50,
    "category": ["red", "green", "blue", None] * 50,
    "datetime": ["2024-01-31", "2024-02-29"] * 50,
    "text": [f"a longer remark number {k} of somebody" for k in range(80)],
    "id": [f"u-{k:05d}" for k in range(80)],
    "empty": [None, "?", ""] * 20,
}


@pytest.mark.criterion("p0.pandas")
@pytest.mark.parametrize("kind", KINDS)
def test_a_column_is_taken_for_what_it_holds(kind: str) -> None:
    assert column(KINDS[kind]).kind == kind


SPELLED = {
    "numbers as text": (["1.5", " 2", "3e2", "-"] * 20, "number"),
    "codes with a leading zero": (["0123", "0456", "7890"] * 20, "category"),
    "day first": (["31.12.2024", "01.02.2025"] * 30, "datetime"),
    "month first": (["12/31/2024", "01/02/2025"] * 30, "datetime"),
    "with times and zones": (
        ["2024-05-01T10:00:00+02:00", "2024-05-02T11:30:00Z"] * 30,
        "datetime",
    ),
    "yes and no": (["Yes", "no"] * 30, "boolean"),
    "versions": (["1.2.3", "1.2.4", "2.0.0"] * 30, "category"),
    "a category of numbers": (pd.Categorical([10.5, 20.5, 30.5, 44.1] * 30), "number"),
    "decimals": ([Decimal("1.5"), Decimal("2.25"), None] * 30, "number"),
    "dates": ([dt.date(2024, 1, 1), dt.date(2024, 1, 2)] * 30, "datetime"),
    "durations": (pd.to_timedelta(RNG.integers(1, 10**6, 90), unit="s"), "number"),
    "periods": (pd.period_range("2024-01", periods=60, freq="M"), "datetime"),
    "sparse": (pd.arrays.SparseArray([0.0, 0.0, 1.5] * 40), "number"),
    "arrow numbers": (pd.array([1.5, None, 2.5] * 30, dtype="double[pyarrow]"), "number"),
    "arrow lists": (pd.Series([[1, 2], None] * 30, dtype=object), "category"),
    "bytes, not UTF-8": ([b"\xff\xfe", b"ok"] * 30, "category"),
    "lone surrogates": (pd.Series(["a\ud800", "b"] * 30, dtype=object), "category"),
    "whole numbers beyond any float": ([10**400, 1, 2] * 20, "number"),
}


@pytest.mark.parametrize("name", SPELLED)
def test_other_spellings_and_types_are_read_and_can_be_stored(name: str) -> None:
    values, kind = SPELLED[name]
    profile = profile_frame(pd.DataFrame({"x": values}))
    assert profile.column("x").kind == kind
    assert Profile.from_json(profile.to_json()) == profile


def test_large_keys_stay_distinct_where_floats_would_merge_them() -> None:
    assert column([2**53 + k for k in range(100)]).n_unique == 100


def test_texts_among_numbers_are_counted_and_told() -> None:
    profile = profile_frame(pd.DataFrame({"x": ["1.5", "2.5", "3.5"] * 40 + ["n.k."]}))
    assert profile.column("x").n_unparsed == 1
    assert [f.code for f in profile.findings if f.code == "unparsed"] == ["unparsed"]


def test_mixed_types_are_named() -> None:
    profile = profile_frame(pd.DataFrame({"x": pd.Series(["a", 1, 2.5, "b"], dtype=object)}))
    assert {one.value for one in profile.column("x").types} == {"str", "int", "float"}


@given(st.lists(st.floats(width=64) | st.none(), max_size=60))
def test_any_numbers_are_described_stored_and_do_not_drift_from_themselves(
    values: list[float | None],
) -> None:
    profile = profile_frame(pd.DataFrame({"x": pd.Series(values, dtype="float64")}))
    assert Profile.from_json(profile.to_json()) == profile
    assert not profile.drift(profile).has_drifted
    found = profile.column("x")
    assert found.n_missing == sum(v is None or np.isnan(v) for v in values)
    if found.number is not None:
        assert sum(found.number.histogram.counts) == sum(
            v is not None and np.isfinite(v) for v in values
        )


@given(st.lists(st.floats(-1e9, 1e9).map(lambda v: round(v, 6)), min_size=3, max_size=200))
def test_moments_and_quartiles_are_the_libraries_own(values: list[float]) -> None:
    series = pd.Series(values)
    found = column(series).number
    assert found is not None
    scale = float(series.abs().max()) or 1.0
    assert found.mean == pytest.approx(series.mean(), abs=1e-9 * scale)
    assert found.std == pytest.approx(series.std(), rel=1e-6, abs=1e-9 * scale)
    assert [found.q1, found.median, found.q3] == pytest.approx(
        np.quantile(series, [0.25, 0.5, 0.75]), abs=1e-9 * scale
    )
    assert (found.n_zero, found.n_negative) == ((series == 0).sum(), (series < 0).sum())


def test_shape_is_scipys() -> None:
    values = RNG.gamma(2, 1, 5000)
    found = column(values).number
    assert found is not None
    assert found.skew == pytest.approx(stats.skew(values))
    assert found.excess_kurtosis == pytest.approx(stats.kurtosis(values))


def test_correlations_are_pandas_own_over_the_rows_that_have_both() -> None:
    frame = pd.DataFrame(RNG.normal(size=(400, 3)), columns=["a", "b", "c"])
    frame["b"] += frame["a"]
    frame = frame.mask(RNG.random(frame.shape) < 0.1)
    found = {(p.a, p.b, p.measure): p.value for p in profile_frame(frame).associations}
    for measure in ("pearson", "spearman"):
        matrix = frame.corr(method=measure)
        for a, b in (("a", "b"), ("a", "c"), ("b", "c")):
            assert found[a, b, measure] == pytest.approx(matrix.loc[a, b])


def test_associations_of_independent_columns_are_nothing_and_of_copies_everything() -> None:
    one, other = RNG.integers(0, 10, 300), RNG.integers(0, 10, 300)
    plain = stats.contingency.association(pd.crosstab(one, other).to_numpy(), method="cramer")
    assert cramers_v(one, other) < 0.12 < plain
    assert cramers_v(one, (one * 7) % 10) == pytest.approx(1.0)
    assert correlation_ratio(one, RNG.normal(size=300)) < 0.25
    assert correlation_ratio(one, one.astype(float)) == pytest.approx(1.0)


def noisy(n_rows: int = 1500) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({f"x{k}": rng.normal(size=n_rows) for k in range(4)})
    frame["plan"] = rng.choice(list("abc"), n_rows)
    frame["bought"] = np.where(frame["x0"] + rng.normal(size=n_rows) > 0, "yes", "no")
    frame["price"] = 3 * frame["x1"] + rng.normal(size=n_rows)
    frame["town"] = np.where(frame["x2"] > 0.5, "Ulm", np.where(frame["x2"] < -0.5, "Bonn", "Jena"))
    return frame


LEAKS = {
    "renamed": ("bought", lambda t: t["bought"].map({"yes": "R", "no": "-no-"})),
    "another unit": ("price", lambda t: t["price"] * 1.19 + 7),
    "missing when it matters": (
        "bought",
        lambda t: np.where(t["bought"] == "yes", t["x3"], np.nan),
    ),
    "nearly the target": ("price", lambda t: t["price"] + 0.01 * t["x3"]),
    "another language": ("town", lambda t: t["town"].str.lower() + "!"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_column_that_gives_the_target_away_is_suspected_and_honest_ones_are_not(
    name: str,
) -> None:
    target, leak = LEAKS[name]
    frame = noisy().drop(columns=[] if target == "town" else ["town"])
    if target == "town":
        frame = frame.drop(columns="x2")
    profile = profile_frame(frame.assign(leak=leak(noisy())), target=target)
    assert profile.leak_suspects == ("leak",)
    assert profile.findings[0].code == "leak-suspect"


def test_noise_predicts_nothing_out_of_fold() -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({f"x{k}": rng.normal(size=300) for k in range(20)})
    frame["many"] = rng.choice([f"v{k}" for k in range(45)], 300)
    frame["y"] = rng.integers(0, 2, 300)
    powers = [one.power for one in profile_frame(frame, target="y").predictors]
    assert np.mean(powers) < 0.06
    assert max(powers) < 0.3


def test_a_target_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownColumnError, match="'bougth'; did you mean 'bought'"):
        profile_frame(noisy(60), target="bougth")


def test_the_table_is_left_as_it_was_and_one_row_is_a_table() -> None:
    frame = noisy(100)
    before = frame.copy(deep=True)
    profile_frame(frame, target="bought")
    pd.testing.assert_frame_equal(frame, before)
    assert profile_frame(frame.head(1), target="bought").n_rows == 1


def test_relations_of_a_large_table_are_sampled_and_say_so() -> None:
    limits = Limits(relation_rows=500)
    assert profile_frame(noisy(), limits=limits).n_sampled == 500
    assert profile_frame(noisy(400), limits=limits).n_sampled is None


@pytest.mark.slow
def test_five_thousand_columns_are_profiled_and_kept_small() -> None:
    frame = pd.DataFrame(RNG.normal(size=(300, 5000)), columns=[f"c{k}" for k in range(5000)])
    profile = profile_frame(frame, target="c0")
    assert profile.n_columns == 5000
    assert len(profile.associations) == 2 * 40 * 39 / 2
    assert len(profile.to_json()) < 40_000_000
