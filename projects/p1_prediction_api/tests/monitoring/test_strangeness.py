"""Rows unlike training as a whole are found, usual as each value may be; new rows are not."""

import numpy as np
import pytest
from numpy.typing import NDArray
from p1_prediction_api.encoding import Encoder
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.monitoring.strangeness import (
    MAX_DIRECTIONS,
    Strangeness,
    fit_strangeness,
)
from scipy import stats

from tests.support.world import ENCODER, World, draw, make_world


def cancer(seed: int) -> tuple[Encoder, NDArray, NDArray, NDArray]:
    """The example's 30 numbers: rows to fit on, to hold out, and new ones."""
    X = example_table().drop(columns=TARGET).to_numpy(np.float32)
    X = X[np.random.default_rng(seed).permutation(len(X))]
    names = tuple(f"x{k}" for k in range(X.shape[1]))
    return Encoder(names, (), {}), X[:300], X[300:430], X[430:]


def share(found: Strangeness, rows: NDArray) -> float:
    return float(found.is_strange(np.ascontiguousarray(rows, dtype=np.float32)).mean())


CHANGES = {
    "columns shuffled": lambda new, rng: np.column_stack([rng.permutation(c) for c in new.T]),
    "another unit": lambda new, _rng: np.column_stack([new[:, :1] * 10, new[:, 1:]]),
    "columns mixed up": lambda new, _rng: np.roll(new, 1, axis=1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_planted_changes_are_found_in_real_rows(change: str) -> None:
    """Shuffling leaves each column's distribution as it is: only what goes together changes."""
    shares = []
    for seed in range(5):
        encoder, train, held_out, new = cancer(seed)
        found = fit_strangeness(encoder, train, held_out)
        shares.append(share(found, CHANGES[change](new, np.random.default_rng(seed))))
    assert np.mean(shares) > 0.4


def test_new_rows_are_strange_as_rarely_as_is_said() -> None:
    encoder, train, held_out, _ = cancer(0)
    assert fit_strangeness(encoder, train, held_out).expected_share == pytest.approx(1 / 131)
    seen = []
    for seed in range(20):
        _, train, held_out, new = cancer(seed)
        seen.append(share(fit_strangeness(encoder, train, held_out), new))
    assert np.mean(seen) == pytest.approx(1 / 131, abs=0.008)


@pytest.mark.slow
@pytest.mark.parametrize("n", [240, 4_000])
def test_over_many_worlds_the_share_is_the_one_that_is_said(n: int) -> None:
    """Rare labels, zeros, gaps and skewed numbers do not change what is to be expected."""
    rng = np.random.default_rng(0)
    seen, expected = [], 0.0
    for _ in range(150):
        world = make_world(rng, n)
        found = world.reference.strangeness
        seen.append(share(found, ENCODER.encode(draw(rng, 2_000))))
        expected = found.expected_share
    error = stats.sem(seen)
    assert np.mean(seen) == pytest.approx(expected, abs=3.5 * error)


def test_a_missing_value_alone_makes_no_row_strange(world: World) -> None:
    rows = ENCODER.encode(draw(np.random.default_rng(3), 2_000))
    rows[:, ENCODER.numbers.index("score")] = np.nan
    assert share(world.reference.strangeness, rows) < 0.03


def test_a_gap_hides_no_strangeness_of_the_other_values(world: World) -> None:
    encoder, train, held_out, new = cancer(0)
    found = fit_strangeness(encoder, train, held_out)
    new[::2, 3] = np.nan
    new[::3, 7:9] = np.nan
    assert share(found, new) < 0.05
    assert share(found, np.roll(new, 1, axis=1)) > 0.9
    gap = np.isnan(new).any(axis=1)
    known = np.delete(np.arange(30), 3)
    only_one = gap & ~np.isnan(new[:, known]).any(axis=1)
    without = found.distance(new)[only_one]
    precision = found._precision
    marginal = np.linalg.inv(np.linalg.inv(precision)[np.ix_(known, known)])
    full = np.where(np.isnan(new), 0, new)
    scores = np.column_stack([np.interp(full[:, c.column], c.at, c.scores) for c in found.columns])[
        only_one
    ][:, known]
    assert without == pytest.approx((scores @ marginal * scores).sum(axis=1))


def test_values_far_outside_are_far_and_finite(world: World) -> None:
    rows = ENCODER.encode(draw(np.random.default_rng(3), 3))
    rows[0, 0], rows[1, 0], rows[2, 0] = 1e30, -1e30, np.inf
    distances = world.reference.strangeness.distance(rows)
    assert np.isfinite(distances).all()
    assert world.reference.strangeness.is_strange(rows).all()


def test_more_columns_than_directions_are_watched_too() -> None:
    rng = np.random.default_rng(0)
    n_columns = 3 * MAX_DIRECTIONS
    hidden = rng.normal(size=(3_000, 5))
    mixed = hidden @ rng.normal(size=(5, n_columns)) + 0.1 * rng.normal(size=(3_000, n_columns))
    rows = mixed.astype(np.float32)
    encoder = Encoder(tuple(f"x{k}" for k in range(n_columns)), (), {})
    found = fit_strangeness(encoder, rows[:1_500], rows[1_500:2_000])
    assert len(found.directions) == MAX_DIRECTIONS
    assert share(found, rows[2_000:]) < 0.03
    assert share(found, np.column_stack([rng.permutation(c) for c in rows[2_000:].T])) > 0.9


def test_columns_that_never_vary_or_are_empty_tell_nothing() -> None:
    rows = np.zeros((60, 3), np.float32)
    rows[:, 1] = np.nan
    found = fit_strangeness(Encoder(("a", "b"), (), {"c": ("x",)}), rows, rows[:20])
    assert found.columns == ()
    assert share(found, rows) == 0
