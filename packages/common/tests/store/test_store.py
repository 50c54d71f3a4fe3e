"""The same tests over SQLite and a real PostgreSQL."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from common.store import (
    BackgroundInserts,
    Store,
    StoreError,
    insert_rows,
    open_store,
    store_location,
    upsert,
)
from common.telemetry import Telemetry
from pydantic import SecretStr
from structlog.testing import capture_logs

from tests.support.postgres import fresh_database, running_postgres

MIGRATIONS = Path(__file__).parent / "migrations"
LATER = Path(__file__).parent / "later_migrations"
NOTES = sa.Table(
    "notes",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("text", sa.String, nullable=False),
)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database."""
    if request.param == "sqlite":
        return str(tmp_path / "data" / "notes.db")
    return fresh_database(request.getfixturevalue("postgres"))


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


@pytest.mark.slow
def test_services_and_others_share_one_database(postgres: str, tmp_path: Path) -> None:
    """The same table and the same revision twice, beside another program's Alembic."""
    url = fresh_database(postgres)
    others = sa.create_engine(sa.make_url(url))
    with others.begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num text)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('theirs')"))
    others.dispose()
    for name in ("p1_first", "p2_second"):
        folder = tmp_path / name / "migrations"
        shutil.copytree(MIGRATIONS, folder)
        with open_store(url, migrations=folder) as store:
            add(store, f"of {name}")
    with open_store(url, migrations=tmp_path / "p1_first" / "migrations") as store:
        assert texts(store) == ["of p1_first"]
        theirs = store.run(lambda c: c.scalar(sa.text("SELECT * FROM public.alembic_version")))
    assert theirs == "theirs"


def test_alembic_is_loaded_where_there_is_something_to_migrate_and_nowhere_else(
    tmp_path: Path,
) -> None:
    code = """
        import sys
        from pathlib import Path
        from common.store import open_store
        for folder in sys.argv[2:]:
            open_store(sys.argv[1], migrations=Path(folder)).close()
            print("alembic" in sys.modules)
    """

    def opened(*folders: Path) -> list[str]:
        command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "some.db")]
        done = subprocess.run([*command, *map(str, folders)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    assert opened(MIGRATIONS) == ["True"]
    assert opened(MIGRATIONS, LATER) == ["False", "True"]
    assert opened(LATER) == ["False"]


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
    """Building the queue needs no running loop."""
    inserts = BackgroundInserts(store, NOTES)
    assert asyncio.run(inserts.flush()) is None


def test_reading_refuses_to_write(store: Store) -> None:
    with pytest.raises(StoreError, match=r"(?i)read-?only"), store.read() as connection:
        connection.execute(sa.insert(NOTES), {"text": "one"})
    add(store, "two")
    assert texts(store) == ["two"]


def test_a_reader_sees_one_moment_however_long_it_reads(store: Store) -> None:
    add(store, "one")
    count = sa.select(sa.func.count()).select_from(NOTES)
    with store.read() as connection:
        assert connection.scalar(count) == 1
        add(store, "two")
        assert connection.scalar(count) == 1
    assert len(texts(store)) == 2


def test_counting_up_from_many_threads_loses_no_step(store: Store) -> None:
    """Read, then write: the first read already holds the lock, or the database asks for a retry."""
    add(store, "0")

    def step(connection: sa.Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        now = int(connection.scalars(sa.select(NOTES.c.text)).one())
        connection.execute(sa.update(NOTES).values(text=str(now + 1)))

    def work() -> None:
        done = 0
        while done < 10:
            try:
                store.run(step)
                done += 1
            except StoreError as error:
                if not error.is_transient:  # the tries are bounded: the caller may go on
                    raise

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts(store) == ["30"]


def test_work_is_done_again_a_few_times_and_no_more(store: Store) -> None:
    tries = []

    def conflict(connection: sa.Connection) -> None:
        tries.append(1)
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("DO $$BEGIN RAISE SQLSTATE '40001'; END$$"))
        locked = sqlite3.OperationalError("database is locked")
        locked.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise sa.exc.OperationalError("", {}, locked)

    with pytest.raises(StoreError) as failed:
        store.run(conflict)
    assert failed.value.is_transient
    assert len(tries) == 5

    tries.clear()
    with pytest.raises(StoreError) as wrong:
        store.run(lambda c: (tries.append(1), c.execute(sa.text("SELECT nothing FROM nowhere"))))
    assert not wrong.value.is_transient
    assert len(tries) == 1


def test_an_upsert_inserts_what_is_new_and_updates_what_is_there(store: Store) -> None:
    with store.begin() as connection:
        upsert(connection, NOTES, [{"id": 1, "text": "a"}, {"id": 2, "text": "b"}], key=["id"])
        upsert(connection, NOTES, [{"id": 2, "text": "c"}, {"id": 3, "text": "d"}], key=["id"])
        upsert(connection, NOTES, [{"text": "d"}], key=["text"])
        upsert(connection, NOTES, [], key=["id"])
    assert texts(store) == ["a", "c", "d"]


@pytest.mark.anyio
async def test_a_row_that_cannot_be_stored_holds_up_no_other(store: Store) -> None:
    add(store, "taken")
    telemetry = Telemetry("test")
    async with BackgroundInserts(store, NOTES, telemetry=telemetry) as inserts:
        for text in ("a", "b", "taken", "c", None, "d"):
            inserts.put({"text": text})
        with pytest.raises(StoreError, match=r"2 row\(s\) of notes could not be stored"):
            await inserts.flush()
        assert inserts.n_dropped == 2
        inserts.put({"text": "e"})
        await inserts.flush()
    assert texts(store) == ["taken", "a", "b", "c", "d", "e"]
    assert 'store_rows_lost_total{reason="failed",table="notes"} 2.0' in (
        telemetry.exposition().decode()
    )


@pytest.mark.anyio
async def test_a_flush_does_not_wait_for_rows_that_come_after_it(store: Store) -> None:
    async with BackgroundInserts(store, NOTES, batch_rows=1) as inserts:
        inserts.put({"text": "before"})
        flushed = asyncio.create_task(inserts.flush())
        n_after = 0
        while not flushed.done():
            n_after += inserts.put({"text": f"after-{n_after}"})
            await asyncio.sleep(0)
        await flushed
        assert "before" in texts(store)


def sqlite_store(tmp_path: Path) -> tuple[Path, Store]:
    path = tmp_path / "notes.db"
    return path, open_store(path, migrations=MIGRATIONS)


@pytest.mark.anyio
async def test_rows_wait_in_order_for_a_database_that_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from common.store import opening, writing

    monkeypatch.setattr(opening, "BUSY_TIMEOUT_S", 0.01)
    monkeypatch.setattr(writing, "RETRY_S", 0.01)
    path, store = sqlite_store(tmp_path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with store, capture_logs() as events:
        async with BackgroundInserts(store, NOTES, batch_rows=2) as inserts:
            for k in range(5):
                inserts.put({"text": str(k)})
            while not any(one["event"] == "store_failed" for one in events):
                await asyncio.sleep(0.001)
            other.execute("ROLLBACK")
            await inserts.flush()
        assert texts(store) == [str(k) for k in range(5)]
    other.close()


def test_sqlite_is_opened_durable_and_with_foreign_keys(tmp_path: Path) -> None:
    _, store = sqlite_store(tmp_path)
    with store, store.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    path, store = sqlite_store(tmp_path)
    with store:
        for k in range(300):
            add(store, f"{k}" * 50)
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"malformed; the file is damaged; move it away"):
        open_store(path, migrations=MIGRATIONS)
    assert path.read_bytes()[:4096] == bytes(content[:4096])


def test_a_folder_where_the_file_should_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="accepted: a file in a folder that can be written"):
        open_store(tmp_path, migrations=MIGRATIONS)


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path, store = sqlite_store(tmp_path)
    with store:
        add(store, "one")
    with pytest.raises(StoreError, match=r"readonly database; make the file and its folder"):
        open_store(f"sqlite:///file:{path}?immutable=1&uri=true", migrations=LATER)


def test_memory_is_refused_for_it_would_not_be_shared() -> None:
    with pytest.raises(StoreError, match="needs a file"):
        open_store("sqlite://", migrations=MIGRATIONS)


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from common.store import opening

    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    with pytest.raises(StoreError, match=r"install ai-roadmap-common\[postgres\]"):
        open_store("postgresql://me@localhost/x", migrations=MIGRATIONS)


@pytest.mark.slow
def test_a_wrong_password_and_a_missing_database_are_told_apart(postgres: str) -> None:
    server = sa.make_url(fresh_database(postgres))
    with pytest.raises(StoreError, match="does not exist; create it, or correct the database URL"):
        open_store(server.set(database="none").render_as_string(False), migrations=MIGRATIONS)
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE ROLE guarded LOGIN PASSWORD 'right'"))
        rules = Path(connection.scalar(sa.text("SHOW hba_file")))
        rules.write_text(f"local all guarded scram-sha-256\n{rules.read_text()}")
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    engine.dispose()
    url = server.set(username="guarded", password="s3cret").render_as_string(False)
    with pytest.raises(StoreError, match="check the user and password") as refused:
        open_store(url, migrations=MIGRATIONS)
    assert "s3cret" not in str(refused.value)


def test_the_url_of_the_settings_goes_before_the_file_of_the_service(tmp_path: Path) -> None:
    assert store_location(None, tmp_path, "p1") == tmp_path / "p1.db"
    assert store_location(SecretStr("postgresql://x"), tmp_path, "p1") == "postgresql://x"


def test_what_waits_is_bounded_by_bytes_as_well(store: Store) -> None:
    async def hold() -> None:
        writer = BackgroundInserts(store, NOTES, max_bytes=100)
        async with writer:
            assert writer.put({"text": "a"}, n_bytes=60)
            assert not writer.put({"text": "b"}, n_bytes=60)
            await writer.flush()
            assert writer.put({"text": "c"}, n_bytes=100)
            await writer.flush()
            assert (writer.n_stored, writer.n_waiting, writer.n_refused) == (2, 0, 1)
        assert texts(store) == ["a", "c"]

    asyncio.run(hold())


def test_rows_are_gathered_unless_somebody_waits_for_them(store: Store) -> None:
    async def hold() -> None:
        writer = BackgroundInserts(store, NOTES, linger_s=60)
        async with writer:
            writer.put({"text": "one"})
            await asyncio.sleep(0.05)
            writer.put({"text": "two"})
            assert texts(store) == []
            await writer.flush()
            assert texts(store) == ["one", "two"]
            writer.put({"text": "three"})
            await asyncio.sleep(0.05)
        assert texts(store) == ["one", "two", "three"]

    asyncio.run(hold())


def test_a_batch_of_plain_values_arrives_as_it_was(store: Store) -> None:
    strange = ["", "näïve \U0001f600", 'it\'s "quoted"', "back\\slash", "[1, null]", "line\nline"]
    rows = [{"id": k, "text": text} for k, text in enumerate(strange, start=1)]
    store.run(lambda connection: insert_rows(connection, NOTES, rows))
    assert texts(store) == strange


@pytest.mark.parametrize("n_rows", [1, 7, 4_500])
def test_a_batch_of_any_length_arrives_whole_and_in_order(store: Store, n_rows: int) -> None:
    rows = [{"id": k, "text": f"{k:05}"} for k in range(n_rows)]
    store.run(lambda connection: insert_rows(connection, NOTES, rows))
    assert texts(store) == [row["text"] for row in rows]
