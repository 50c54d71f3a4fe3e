"""`open_store`: a database by URL, its migrations applied, transactions that retry.

Tables and statements are SQLAlchemy Core's. SQLite runs in WAL mode: readers never wait for the
writer; a committed transaction survives kill -9, and with `synchronous=FULL` a power cut.
PostgreSQL is spoken to by psycopg 3 (extra `postgres`). Each service owns its Alembic migrations;
they are applied at opening under a lock, so that many replicas may start at once.
"""

import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from common.errors import DomainError

T = TypeVar("T")

MIGRATION_LOCK = 0x41495244
"""Key of PostgreSQL's advisory lock while migrations run."""
BUSY_TIMEOUT_S = 10.0
N_TRIES = 5
RETRYABLE_STATES = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialization failure, deadlock, lock not available."""


class StoreError(DomainError):
    """The database cannot be opened or written; the message hides its password."""


class Store:
    """An open database; a context manager that closes its connections."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def begin(self) -> Generator[sa.Connection]:
        """Run statements in one transaction: all of them are kept, or none."""
        with self._told(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Generator[sa.Connection]:
        """Run queries on one consistent view; nothing is written."""
        with self._told(), self.engine.connect() as connection:
            reading = connection.execution_options(sqlite_is_reading=True)
            with reading.begin() as transaction:
                yield reading
                transaction.rollback()

    def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in a transaction, again when the database asks for it (a few times).

        `work` may run more than once, so it must have no effect beside its statements.
        """
        for attempt in range(N_TRIES):
            try:
                with self.engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if attempt + 1 == N_TRIES or not _is_worth_a_retry(error):
                    raise StoreError(f"{self.shown_url}: {_reason(error)}") from error
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter, no secret
        raise StoreError(f"{self.shown_url}: gave up after {N_TRIES} tries")

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreError(f"{self.shown_url}: {_reason(error)}") from error


def open_store(url: str | Path, *, migrations: Path, n_connections: int = 5) -> Store:
    """Open a database and bring its tables up to date.

    `url` is a file (SQLite) or `postgresql://user:password@host/database`; `migrations` is the
    service's Alembic folder. Raises `StoreError`: unreachable, wrong password, missing driver, not
    a database, written by newer code.
    """
    engine = _engine(url, n_connections)
    store = Store(engine)
    try:
        _migrate(engine, migrations)
    except (SQLAlchemyError, CommandError, OSError) as error:
        store.close()
        raise StoreError(f"cannot open {store.shown_url}: {_reason(error)}") from error
    except StoreError:
        store.close()
        raise
    return store


def _engine(url: str | Path, n_connections: int) -> sa.Engine:
    if isinstance(url, Path) or "://" not in url:
        path = Path(url)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror}") from error
        return _sqlite(sa.make_url(f"sqlite:///{path}"))
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise StoreError("the database URL cannot be read; accepted: postgresql://…") from error
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    if parsed.get_backend_name() != "postgresql":
        raise StoreError(f"{parsed.get_backend_name()} is not supported; use PostgreSQL or SQLite")
    if find_spec("psycopg") is None:
        raise StoreError("PostgreSQL needs psycopg; install ai-roadmap-common[postgres]")
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=n_connections,
        max_overflow=n_connections,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 10},
    )


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        """Begin by hand: the driver's own way would let two writers deadlock on an upgrade."""
        is_reading = connection.get_execution_options().get("sqlite_is_reading", False)
        connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")

    return engine


def _migrate(engine: sa.Engine, migrations: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        _refuse_newer(connection, scripts)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _refuse_newer(connection: sa.Connection, scripts: ScriptDirectory) -> None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return
    known = {script.revision for script in scripts.walk_revisions()}
    for (revision,) in connection.execute(sa.text("SELECT version_num FROM alembic_version")):
        if revision not in known:
            raise StoreError(
                f"the database was written by newer code (revision {revision}); "
                "upgrade this service, or restore a backup"
            )


def _is_worth_a_retry(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    is_locked = isinstance(error, OperationalError) and "locked" in str(error.orig)
    return state in RETRYABLE_STATES or is_locked


def _reason(error: Exception) -> str:
    original = getattr(error, "orig", None) or error
    return (str(original).strip().splitlines() or [type(error).__name__])[0]
