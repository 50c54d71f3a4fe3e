"""The arithmetic of change, held to SciPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from p1_prediction_api.monitoring.change import (
    benjamini_hochberg,
    chi_squared_tail,
    same_distribution_p,
    share,
    share_moved,
    stability_index,
)
from scipy import stats


@given(statistic=st.floats(0, 2_000), dof=st.integers(1, 60))
def test_the_tail_of_chi_squared_is_scipys(statistic: float, dof: int) -> None:
    expected = stats.chi2.sf(statistic, dof)
    assert chi_squared_tail(statistic, dof) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(st.lists(st.none() | st.floats(0, 1), max_size=30))
def test_adjusted_p_values_are_scipys(p_values: list[float | None]) -> None:
    found = benjamini_hochberg(p_values)
    tested = [p for p in p_values if p is not None]
    expected = stats.false_discovery_control(tested).tolist() if tested else []
    assert [p is None for p in found] == [p is None for p in p_values]
    assert [p for p in found if p is not None] == pytest.approx(expected)


@given(n=st.integers(1, 10_000), data=st.data())
def test_an_interval_of_a_share_is_scipys(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    expected = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    found = share(hits, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_without_rare_cells_the_test_is_scipys() -> None:
    before, after = np.array([100, 200, 300]), np.array([30, 80, 70])
    expected = stats.chi2_contingency([before, after], correction=False).pvalue
    assert same_distribution_p(before, after) == pytest.approx(expected)


def test_rare_cells_are_pooled_and_one_cell_tells_nothing() -> None:
    before, after = np.array([500, 480, 1, 1, 1]), np.array([50, 48, 1, 0, 1])
    pooled = stats.chi2_contingency([[500, 483], [50, 50]], correction=False).pvalue
    assert same_distribution_p(before, after) == pytest.approx(pooled)
    assert same_distribution_p(np.array([9, 0]), np.array([7, 0])) == 1.0
    assert same_distribution_p(np.array([9, 9]), np.array([0, 0])) == 1.0


def test_the_index_takes_off_what_chance_gives() -> None:
    """On average nothing is left where nothing changed, though each sample differs."""
    rng = np.random.default_rng(0)
    p = np.full(10, 0.1)
    raw, found = [], []
    for _ in range(300):
        one, other = rng.multinomial(400, p), rng.multinomial(200, p)
        a, b = np.maximum(one, 0.5) / 400, np.maximum(other, 0.5) / 200
        raw.append(((b - a) * np.log(b / a)).sum())
        found.append(stability_index(one, other))
    assert np.mean(raw) == pytest.approx(9 * (1 / 400 + 1 / 200), rel=0.1)
    assert np.mean(found) < 0.02


def test_the_index_of_a_shift_is_what_the_formula_says() -> None:
    before, after = np.array([50_000, 50_000]), np.array([80_000, 20_000])
    assert stability_index(before, after) == pytest.approx(0.3 * np.log(1.6 / 0.4), abs=1e-4)


@pytest.mark.parametrize(("n", "m", "p"), [(400, 300, 0.0), (400, 300, 0.02), (2_000, 150, 0.3)])
def test_the_interval_of_a_moved_share_covers_no_change(n: int, m: int, p: float) -> None:
    rng = np.random.default_rng(1)
    z = stats.norm.isf(0.025)
    intervals = [
        share_moved((rng.binomial(n, p), n), (rng.binomial(m, p), m), z) for _ in range(4_000)
    ]
    assert np.mean([low <= 0 <= high for low, high in intervals]) > 0.94
    low, _ = share_moved((0, n), (m // 10, m), z)
    assert low > 0
