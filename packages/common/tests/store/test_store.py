"""The same tests over SQLite and a real PostgreSQL."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from common.store import BackgroundInserts, Store, StoreError, open_store

from tests.support.postgres import running_postgres

MIGRATIONS = Path(__file__).parent / "migrations"
NOTES = sa.Table(
    "notes",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("text", sa.String, nullable=False),
)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_postgres(tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database."""
    if request.param == "sqlite":
        return str(tmp_path / "data" / "notes.db")
    server = sa.make_url(request.getfixturevalue("postgres")).set(drivername="postgresql+psycopg")
    name = f"t{uuid.uuid4().hex[:10]}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url, migrations=MIGRATIONS) as store:
        yield store


def add(store: Store, *texts: str) -> None:
    with store.begin() as connection:
        connection.execute(sa.insert(NOTES), [{"text": text} for text in texts])


def texts(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.scalars(sa.select(NOTES.c.text).order_by(NOTES.c.id)))


def test_what_is_committed_is_there_when_opened_again(store: Store, url: str) -> None:
    add(store, "one", "two")
    with open_store(url, migrations=MIGRATIONS) as again:
        assert texts(again) == ["one", "two"]


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    add(store, "one")
    with pytest.raises(StoreError, match=r"(?i)unique"):
        add(store, "two", "one")
    assert texts(store) == ["one"]


def test_a_reader_does_not_wait_for_a_writer(store: Store) -> None:
    add(store, "one")
    with store.begin() as connection:
        connection.execute(sa.insert(NOTES), {"text": "two"})
        assert texts(store) == ["one"]
    assert texts(store) == ["one", "two"]


def test_many_writers_lose_nothing(store: Store) -> None:
    def write(worker: int) -> None:
        for k in range(10):
            store.run(lambda c, k=k: c.execute(sa.insert(NOTES), {"text": f"{worker}-{k}"}))

    threads = [threading.Thread(target=write, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts(store)) == 60


def open_and_count(url: str) -> int:
    with open_store(url, migrations=MIGRATIONS) as store:
        return len(texts(store))


@pytest.mark.slow
def test_replicas_that_start_at_once_migrate_once(url: str) -> None:
    from multiprocessing import get_context

    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(open_and_count, [url] * 4)) == [0] * 4


def test_a_database_of_newer_code_is_left_alone(store: Store, url: str) -> None:
    with store.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer code"):
        open_store(url, migrations=MIGRATIONS)


@pytest.mark.anyio
async def test_background_inserts_arrive_in_order_and_a_flush_acknowledges(store: Store) -> None:
    async with BackgroundInserts(store, NOTES, batch_rows=7) as inserts:
        for k in range(40):
            assert inserts.put({"text": f"{k:03d}"})
        await inserts.flush()
        assert texts(store) == [f"{k:03d}" for k in range(40)]
        inserts.put({"text": "last"})
    assert texts(store)[-1] == "last"


@pytest.mark.anyio
async def test_a_full_queue_refuses_at_once_and_recovers(store: Store) -> None:
    async with BackgroundInserts(store, NOTES, max_rows=5) as inserts:
        taken = [inserts.put({"text": str(k)}) for k in range(8)]
        assert taken == [True] * 5 + [False] * 3
        assert inserts.n_refused == 3
        assert inserts.not_ready()
        await inserts.flush()
        assert inserts.put({"text": "again"})
        await inserts.flush()
        assert inserts.not_ready() is None
    assert len(texts(store)) == 6


KILLED = """
    import asyncio, sys
    from pathlib import Path
    import sqlalchemy as sa
    from common.store import BackgroundInserts, open_store
    table = sa.Table("notes", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True),
                     sa.Column("text", sa.String))
    async def main():
        store = open_store(sys.argv[1], migrations=Path(sys.argv[2]))
        async with BackgroundInserts(store, table) as inserts:
            for k in range(10**9):
                inserts.put({"text": str(k)})
                if k % 10 == 9:
                    await inserts.flush()
                    print(k, flush=True)
    asyncio.run(main())
"""


@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_9(url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), url, str(MIGRATIONS)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    os.kill(process.pid, signal.SIGKILL)
    lines += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    acknowledged = max(int(line) for line in lines if line.strip())
    with open_store(url, migrations=MIGRATIONS) as store:
        there = texts(store)
    assert there[: acknowledged + 1] == [str(k) for k in range(acknowledged + 1)]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://me:s3cret@127.0.0.1:1/none", "127.0.0.1"),
        ("mysql://me:s3cret@localhost/x", "not supported"),
        ("://", "cannot be read"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_without_its_password(
    url: str, words: str
) -> None:
    with pytest.raises(StoreError) as refused:
        open_store(url, migrations=MIGRATIONS)
    assert words in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("not a database, but long enough to look like a page of one" * 20)
    with pytest.raises(StoreError, match="not a database"):
        open_store(path, migrations=MIGRATIONS)
    assert path.read_text().startswith("not a database"), "nothing stored is lost"


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreError, match="cannot open"):
        open_store(tmp_path / "data" / "notes.db", migrations=MIGRATIONS)


def test_nothing_waits_for_the_event_loop_to_be_there(store: Store) -> None:
    """`put` works from a running loop only; building one needs none."""
    inserts = BackgroundInserts(store, NOTES)
    assert inserts.n_refused == 0
    assert asyncio.run(inserts.flush()) is None
