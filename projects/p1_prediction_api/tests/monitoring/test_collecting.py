"""Counting off the hot path: bounded in memory and in time, and nothing counted is lost."""

import json
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from common.models import open_registry
from common.store import Store, open_store
from p1_prediction_api.database import MIGRATIONS, WINDOWS
from p1_prediction_api.errors import RowError
from p1_prediction_api.loaded import LoadedModel, load
from p1_prediction_api.monitoring.collecting import MAX_ROWS_A_ROUND, Collector
from p1_prediction_api.monitoring.sightings import MAX_WAITING_ROWS, Sightings
from p1_prediction_api.monitoring.timeline import total
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import TrainingRun


@pytest.fixture(scope="module")
def published(cancer_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(data_dir=tmp_path_factory.mktemp("collecting"))
    cancer_run.publish(settings=settings)
    return settings


@pytest.fixture
def loaded(published: Settings) -> LoadedModel:
    registry = open_registry(published.registry_location, cache_dir=published.data_dir / "cache")
    version = registry.resolve("breast-cancer", "champion")
    return load(version, registry.fetch(version), published)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "counts.db", migrations=MIGRATIONS)


def answer(loaded: LoadedModel, n: int) -> None:
    """Let the quick path answer one request of n rows."""
    row = {feature.name: feature.example for feature in loaded.signature.features}
    found = loaded.quick.read(json.dumps({"rows": [row] * n}).encode())
    assert found is not None
    loaded.quick.run([found])


def collector(store: Store) -> Collector:
    return Collector(store, window_s=3_600, keep_days=30)


def test_until_someone_counts_nothing_is_kept() -> None:
    sightings = Sightings()
    sightings.saw(np.zeros((3, 2), np.float32), np.zeros(3, np.float32))
    assert sightings.take() == []
    assert sightings.take_totals() == (0, 0, 0)


def test_what_waits_is_bounded_and_what_found_no_room_is_counted() -> None:
    sightings = Sightings()
    sightings.open()
    rows, answers = np.zeros((100_000, 30), np.float32), np.zeros(100_000, np.float32)
    for _ in range(5):
        sightings.saw(rows, answers, n_requests=2)
    kept = sightings.take()
    n_rows = sum(len(one.answers) for one in kept)
    assert MAX_ROWS_A_ROUND < n_rows <= MAX_WAITING_ROWS
    assert all(len(one.rows) == len(one.answers) for one in kept)
    assert sum(one.n_requests for one in kept) == 10
    assert sightings.take_totals() == (0, 500_000 - n_rows, 0)
    sightings.saw(rows[:9], answers[:9])
    assert [len(one.answers) for one in sightings.take()] == [9]
    assert sightings.take_totals() == (0, 0, 0)


def test_every_row_of_a_flood_is_as_likely_to_wait() -> None:
    """Early and late, alone and in company, by columns and by tensors."""
    sightings = Sightings()
    sightings.open()
    numbers = iter(np.arange(64_000, dtype=np.float32).reshape(-1, 1))
    for size in [1, 63] * 1_000:
        rows = np.stack([next(numbers) for _ in range(size)])
        sightings.saw({"a": rows} if size == 1 else rows, rows[:, 0])
    kept = sightings.take()
    found = np.concatenate([one.answers for one in kept])
    seen = [one.rows["a"] if isinstance(one.rows, dict) else one.rows for one in kept]
    assert np.array_equal(np.concatenate(seen)[:, 0], found)
    n_refused, n_rows, n_requests = sightings.take_totals()
    assert (n_refused, n_rows) == (0, 64_000 - len(found))
    assert n_requests == 2_000 - sum(one.n_requests for one in kept)
    share = len(found) / 64_000
    early, late, alone = found < 8_000, found >= 56_000, found % 64 == 0
    for some, n in ((early, 8_000), (late, 8_000), (alone, 1_000)):
        assert abs(some.sum() - n * share) < 6 * np.sqrt(n * share)


def test_a_refusal_is_counted_and_goes_on() -> None:
    sightings = Sightings()
    with pytest.raises(RowError), sightings.refusals():
        raise RowError([])
    with sightings.refusals():
        pass
    assert sightings.take_totals() == (1, 0, 0)


def test_a_round_looks_at_a_sample_of_a_flood_and_counts_all(
    loaded: LoadedModel, store: Store
) -> None:
    watching = collector(store)
    watching.begin(loaded)
    for _ in range(3):
        answer(loaded, 3_000)
    added = watching.count()
    assert (added.n_rows, added.n_requests) == (9_000, 3)
    assert added.n_looked_at == MAX_ROWS_A_ROUND
    tensors = loaded.reader.read([{f.name: f.example for f in loaded.signature.features}] * 9_000)
    loaded.quick.sightings.saw(tensors, np.full((9_000, 2), 0.5, np.float32))
    assert watching.count().n_looked_at == MAX_ROWS_A_ROUND


def test_counts_that_cannot_be_stored_wait_and_are_stored_later(
    loaded: LoadedModel, store: Store
) -> None:
    watching = collector(store)
    watching.begin(loaded)
    answer(loaded, 3)
    watching.count()
    with store.begin() as connection:
        connection.execute(sa.text("ALTER TABLE windows RENAME TO away"))
    watching.flush()
    assert "no such table" in watching.trouble
    with store.begin() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO windows"))
    answer(loaded, 2)
    watching.count()
    watching.flush()
    assert watching.trouble == ""
    with store.read() as connection:
        assert connection.scalars(sa.select(WINDOWS.c.n_rows)).all() == [5]


def test_nothing_seen_is_no_window(loaded: LoadedModel, store: Store) -> None:
    watching = collector(store)
    watching.begin(loaded)
    watching.count()
    watching.flush()
    assert watching.current is not None
    assert watching.windows(watching.current.owner, 0) == []
    answer(loaded, 1)
    watching.count()
    assert total(watching.windows(watching.current.owner, 0)).n_rows == 1
