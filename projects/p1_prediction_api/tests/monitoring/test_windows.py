"""Windows add up: over replicas, over merges with age, over two merges at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from common.store import Store, open_store
from p1_prediction_api.database import MIGRATIONS
from p1_prediction_api.monitoring.counting import Counts
from p1_prediction_api.monitoring.timeline import timeline, total
from p1_prediction_api.monitoring.windows import (
    Window,
    WindowOwner,
    add_window,
    merge_windows,
    read_windows,
    remove_old,
)

from tests.support.postgres import fresh_database, running_postgres

OWNER = WindowOwner("shop", 1, "digest")
OTHERS = (WindowOwner("shop", 2, "digest"), WindowOwner("shop", 1, "published anew"))
NOW = 1_800_000_000.0
HOUR, DAY = 3_600.0, 86_400.0


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = tmp_path / "windows.db"
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgres"))
    with open_store(url, migrations=MIGRATIONS) as opened:
        yield opened


def one_row(n_requests: int = 1) -> Counts:
    return Counts(1, n_requests, 0, 1, 0, 0.5, np.array([1, 0, 2]))


def fill(store: Store, *, hours: float, every_s: float, owner: WindowOwner = OWNER) -> int:
    """Add windows of one row each, up to now; return how many."""
    moments = np.arange(NOW - hours * HOUR, NOW, every_s)
    for moment in moments:
        add_window(store, owner, Window(float(moment), one_row()))
    return len(moments)


def test_merging_keeps_every_count_and_leaves_other_owners_alone(store: Store) -> None:
    n = fill(store, hours=30, every_s=200)
    for other in OTHERS:
        fill(store, hours=30, every_s=2_000, owner=other)
    n_merged = merge_windows(store, NOW)
    found = read_windows(store, OWNER, 0)
    assert total(found).n_rows == total(found).n_requests == n
    assert total(found).cells.tolist() == [n, 0, 2 * n]
    assert len(found) < n / 2
    assert n_merged > n / 2
    for other in OTHERS:
        assert total(read_windows(store, other, 0)).n_rows == 54
    assert merge_windows(store, NOW) == 0


def test_the_last_hour_stays_fine_and_the_day_coarser(store: Store) -> None:
    fill(store, hours=50, every_s=300)
    merge_windows(store, NOW)
    began = np.array([window.started_at for window in read_windows(store, OWNER, 0)])
    gaps = np.diff(began)
    assert set(gaps[began[:-1] > NOW - 0.8 * HOUR]) == {300}
    assert set(gaps[(began[:-1] > NOW - 23 * HOUR) & (began[:-1] < NOW - 2 * HOUR)]) == {600}
    assert set(gaps[began[:-1] < NOW - 26 * HOUR]) <= {HOUR, 1_200}


def test_two_replicas_that_merge_at_once_count_nothing_twice(store: Store) -> None:
    n = fill(store, hours=12, every_s=100)
    with ThreadPoolExecutor(4) as replicas:
        list(replicas.map(lambda _: merge_windows(store, NOW), range(4)))
    assert total(read_windows(store, OWNER, 0)).n_rows == n


def test_what_is_too_old_is_removed(store: Store) -> None:
    fill(store, hours=10, every_s=HOUR)
    remove_old(store, NOW - 3.5 * HOUR)
    assert len(read_windows(store, OWNER, 0)) == 3


def test_only_what_was_asked_for_is_read(store: Store) -> None:
    fill(store, hours=10, every_s=HOUR)
    assert len(read_windows(store, OWNER, NOW - 2 * HOUR)) == 2
    assert read_windows(store, WindowOwner("shop", 9, "digest"), 0) == []


def test_a_week_of_windows_is_a_few_hundred_rows(store: Store) -> None:
    fill(store, hours=2, every_s=10)
    for k in range(2, 24 * 7):
        add_window(store, OWNER, Window(NOW - (k + 0.9) * HOUR, one_row()))
        add_window(store, OWNER, Window(NOW - (k + 0.1) * HOUR, one_row()))
    merge_windows(store, NOW)
    assert len(read_windows(store, OWNER, NOW - 7 * DAY)) < 800


def test_the_timeline_has_equal_moments_and_empty_ones_too() -> None:
    windows = [Window(at, one_row()) for at in (0.0, 1.0, 9.9, 25.0, 39.99, 40.5)]
    found = timeline(windows, None, (0.0, 40.0), 4, 100)
    assert [one.n_rows for one in found] == [3, 0, 1, 2]
    assert [one.started_at.timestamp() for one in found] == [0, 10, 20, 30]
    assert found[1].prediction is None
