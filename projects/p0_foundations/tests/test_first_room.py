"""The profiler and drift on planted faults, and on clean data that must raise none."""

import numpy as np
import pandas as pd
import pytest
from p0_foundations import Profile, profile_frame
from scipy import stats


def clean(n_rows: int = 2000, *, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"height": rng.normal(170, 10, n_rows)})
    table["age"] = rng.integers(18, 90, n_rows)
    table["town"] = rng.choice(["Ulm", "Bonn", "Jena"], n_rows, p=[0.5, 0.3, 0.2])
    table["bought"] = np.where(rng.normal(table["height"], 15) > 172, "yes", "no")
    return table


def codes(profile: Profile, column: str) -> set[str]:
    return {f.code for f in profile.findings if column in f.columns}


@pytest.mark.criterion("p0.pandas")
def test_moments_and_counts_are_pandas_own() -> None:
    table = clean()
    column = profile_frame(table).column("height")
    assert column.number is not None
    assert column.number.mean == pytest.approx(table["height"].mean())
    assert column.number.median == pytest.approx(table["height"].median(), rel=1e-3)
    assert column.number.skew == pytest.approx(stats.skew(table["height"]), abs=1e-6)
    town = profile_frame(table).column("town")
    assert {v.value: v.n for v in town.top} == table["town"].value_counts().to_dict()


def test_clean_data_raises_no_problem_and_no_warning() -> None:
    profile = profile_frame(clean(), target="bought")
    assert {f.severity for f in profile.findings} <= {"note"}
    assert profile.leak_suspects == ()


def test_planted_faults_are_named() -> None:
    table = clean()
    rng = np.random.default_rng(1)
    table["key"] = [f"c-{k:05d}" for k in range(len(table))]
    table["same"] = 7
    table["income"] = rng.normal(3000, 500, len(table))
    table.loc[rng.random(len(table)) < 0.05, "income"] = -999
    table["job"] = np.where(rng.random(len(table)) < 0.2, "?", rng.choice(["a", "b"], len(table)))
    table["receipt"] = np.where(table["bought"] == "yes", "R", "-no-")
    profile = profile_frame(pd.concat([table, table.head(100)]), target="bought")
    assert profile.n_duplicate_rows == 100
    assert profile.leak_suspects == ("receipt",)
    assert "leak-suspect" in codes(profile, "receipt")
    assert "sentinel" in codes(profile, "income")
    assert "spelled-missing" in codes(profile, "job")
    assert "constant" in codes(profile, "same")
    assert profile.column("job").missing_share == pytest.approx(0.2, abs=0.03)


def test_a_stored_profile_is_the_same_profile() -> None:
    profile = profile_frame(clean(), target="bought")
    assert Profile.from_json(profile.to_json()) == profile
    assert "<script" not in profile.to_html()


def test_the_same_distribution_is_rarely_called_drift() -> None:
    """Twenty pairs of four columns at a false-alarm rate of 1 % each, adjusted: a few at most."""
    reports = [
        profile_frame(clean(seed=k)).drift(profile_frame(clean(seed=100 + k))) for k in range(20)
    ]
    assert sum(report.has_drifted for report in reports) <= 1


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("height", lambda t: t["height"] + 6),
        ("height", lambda t: t["height"] * 1.5 - 85),
        ("town", lambda t: t["town"].replace({"Ulm": "Bonn"})),
        ("age", lambda t: t["age"].where(t["age"] > 40)),
    ],
)
def test_a_planted_shift_is_found_and_the_others_are_left_alone(column, change) -> None:
    table = clean(seed=5)
    moved = table.assign(**{column: change(table)})
    report = profile_frame(clean(seed=6)).drift(profile_frame(moved))
    assert report.drifted == (column,)
    assert column in report.verdict


def test_columns_that_come_and_go_are_told() -> None:
    table = clean()
    later = table.drop(columns="age").assign(weight=1.5 * table["height"])
    report = profile_frame(table).drift(profile_frame(later))
    assert (report.removed, report.added) == (("age",), ("weight",))


ODD_TABLES = {
    "nothing": {},
    "no rows": {"a": []},
    "all missing": {"a": [None, None]},
    "unhashable": {"a": [[1], {"b": 2}, None]},
    "infinite": {"a": [np.inf, -np.inf, np.nan], "b": [10**30, 1, 2]},
    "zones": {"a": pd.date_range("2026", periods=3, tz="Europe/Berlin")},
    "extension": {"a": pd.Categorical(["x", None, "y"]), "b": pd.array([1, None, 3], "Int64")},
    "mixed": {"a": ["x", 1, None], "b": [True, False, None]},
    "wide": {f"c{k}": [0.0, 1.0, 2.0] for k in range(600)},
}


@pytest.mark.parametrize("name", ODD_TABLES)
def test_odd_tables_are_profiled_stored_and_compared(name: str) -> None:
    frame = pd.DataFrame(ODD_TABLES[name])
    profile = profile_frame(frame)
    assert profile.n_columns == frame.shape[1]
    assert not profile.drift(profile).has_drifted
    assert Profile.from_json(profile.to_json()) == profile


def test_columns_of_one_name_are_told_apart() -> None:
    profile = profile_frame(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]))
    assert len({column.name for column in profile.columns}) == 2
