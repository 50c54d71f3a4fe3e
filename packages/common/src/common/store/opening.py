"""`open_store`: a database by URL, its migrations applied, transactions that retry.

Tables and statements are SQLAlchemy Core's. SQLite runs in WAL mode: readers never wait for the
writer; a committed transaction survives kill -9, and with `synchronous=FULL` a power cut.
PostgreSQL is spoken to by psycopg 3 (extra `postgres`). Each service owns its Alembic migrations;
they are applied at opening under a lock, so that many replicas may start at once. In PostgreSQL a
service's tables lie in a schema of its own, so that services, and others, share one database.
"""

import random
import re
import sqlite3
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy import event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.schema import CreateSchema

from common.errors import DomainError

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")

MIGRATION_LOCK = 0x41495244
"""Key of PostgreSQL's advisory lock while migrations run."""
_REVISION = re.compile(r"""^((?:down_)?revision)\b[^=\n]*= *["']([^"'\n]+)["']""", re.MULTILINE)
BUSY_TIMEOUT_S = 10.0
N_TRIES = 5
RETRYABLE_STATES = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialization failure, deadlock, lock not available."""
DISK_FULL_STATE = "53100"
TRANSIENT_SQLITE_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)

ADVICE = {
    "password authentication failed": "check the user and password of the database URL",
    "Connection refused": "check the host and port, and that the server runs",
    "resolve host": "check the host name",
    "does not exist": "create it, or correct the database URL",
    "unable to open database file": "accepted: a file in a folder that can be written",
    "readonly database": "make the file and its folder writable",
    "not a database": "move the file away to start anew, or restore a backup",
    "malformed": "the file is damaged; move it away to start anew, or restore a backup",
    "disk is full": "free some space",
}
"""What to do, by what the driver says."""


class StoreError(DomainError):
    """The database cannot be opened or written; the message hides its password.

    `is_transient` says that the same work may succeed later (locked, unreachable, disk full), not
    that the statement or its values are wrong.
    """

    def __init__(self, message: str, *, is_transient: bool = False) -> None:
        super().__init__(message)
        self.is_transient = is_transient


class StoreFullError(StoreError):
    """There is no room for what is written: the disk is full. What was there is as it was."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message}; free some space", is_transient=True)


class Store:
    """An open database; a context manager that closes its connections."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @property
    def shown_url(self) -> str:
        """The URL without its password and options."""
        return self.engine.url.set(query={}).render_as_string(hide_password=True)

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
        """Run queries on one consistent view of the data; a statement that writes is refused."""
        with self._told(), self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                reading = connection.execution_options(sqlite_is_reading=True)
            else:
                reading = connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with reading.begin():
                yield reading

    def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in a transaction, again when the database asks for it (a few times).

        `work` may run more than once, so it must have no effect beside its statements.
        """
        attempt = 1
        while True:
            try:
                with self.begin() as connection:
                    return work(connection)
            except StoreError as error:
                if attempt == N_TRIES or not _is_worth_a_retry(error.__cause__):
                    raise
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter, no secret
            attempt += 1

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            message = f"{self.shown_url}: {_reason(error)}"
            if _is_full(error):
                raise StoreFullError(message) from error
            raise StoreError(message, is_transient=_is_transient(error)) from error


def store_location(database_url: SecretStr | None, data_dir: Path, service: str) -> str | Path:
    """Return where a service keeps its tables: the URL set, else its file in the data directory."""
    return database_url.get_secret_value() if database_url else data_dir / f"{service}.db"


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, object]],
    *,
    key: Sequence[str],
) -> None:
    """Insert rows, or update those whose `key` columns (unique together) are there already."""
    if not rows:
        return
    statement = _insert(connection, table)
    given = {name: statement.excluded[name] for name in rows[0] if name not in key}
    if given:
        merged = statement.on_conflict_do_update(index_elements=list(key), set_=given)
    else:
        merged = statement.on_conflict_do_nothing(index_elements=list(key))
    connection.execute(merged, [dict(row) for row in rows])


def _insert(connection: sa.Connection, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
    if connection.dialect.name != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 2 MB that SQLite does not need

    return postgresql.insert(table)


def open_store(url: str | Path, *, migrations: Path, n_connections: int = 5) -> Store:
    """Open a database and bring its tables up to date.

    `url` is a file (SQLite) or `postgresql://user:password@host/database`; `migrations` is the
    service's Alembic folder; the package it lies in names the schema of the tables in PostgreSQL.
    Raises `StoreError`: unreachable, wrong password, missing driver, not a database, written by
    newer code.
    """
    schema = migrations.resolve().parent.name
    engine = _engine(url, n_connections, schema)
    store = Store(engine)
    try:
        _make_schema(engine, schema)
        _migrate(engine, migrations)
    except (SQLAlchemyError, _MigrationError, OSError, UnicodeError) as error:
        store.close()
        message = f"cannot open {store.shown_url}: {_reason(error)}{_advice(error)}"
        raise StoreError(message, is_transient=_is_transient(error)) from error
    except StoreError:
        store.close()
        raise
    return store


def _engine(url: str | Path, n_connections: int, schema: str) -> sa.Engine:
    if isinstance(url, Path) or "://" not in url:
        path = Path(url)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error.strerror}") from error
        return _sqlite(sa.URL.create("sqlite", database=str(path)), n_connections)
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise StoreError("the database URL cannot be read; accepted: postgresql://…") from error
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, n_connections)
    if parsed.get_backend_name() != "postgresql":
        raise StoreError(f"{parsed.get_backend_name()} is not supported; use PostgreSQL or SQLite")
    if find_spec("psycopg") is None:
        raise StoreError("PostgreSQL needs psycopg; install ai-roadmap-common[postgres]")
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=n_connections,
        max_overflow=n_connections,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 10, "options": f'-csearch_path="{schema}",public'},
    )


def _sqlite(url: sa.URL, n_connections: int) -> sa.Engine:
    if url.database in {None, "", ":memory:"}:
        raise StoreError("SQLite needs a file: each connection would have a memory of its own")
    engine = sa.create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None},
        pool_size=n_connections,
        max_overflow=n_connections,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone() != ("wal",):  # changing it needs the file alone: only when needed
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        """Begin by hand: the driver's own way would let two writers deadlock on an upgrade."""
        is_reading = connection.get_execution_options().get("sqlite_is_reading", False)
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if is_reading else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")

    return engine


def _make_schema(engine: sa.Engine, schema: str) -> None:
    """Make a service's schema where it is missing: before SQLAlchemy asks which one it works in."""
    if engine.dialect.name != "postgresql":
        return
    alone = sa.create_engine(engine.url, connect_args={"connect_timeout": 10}, poolclass=NullPool)
    with alone.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        if not sa.inspect(connection).has_schema(schema):
            connection.execute(CreateSchema(schema))


class _MigrationError(Exception):
    """A migration cannot be applied."""


def _migrate(engine: sa.Engine, migrations: Path) -> None:
    revisions = _revisions(migrations)
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            own = sa.func.quote_ident(sa.func.current_schema())  # alone: not another's versions
            connection.execute(sa.select(sa.func.set_config("search_path", own, True)))
        applied = _applied(connection)
        _refuse_newer(applied, set(revisions))
        if applied != set(revisions) - set(revisions.values()):
            _upgrade(connection, migrations)


def _revisions(migrations: Path) -> dict[str, str]:
    """Return each migration and the one before it, as the files say: to read them runs nothing."""
    found: dict[str, str] = {}
    for path in (migrations / "versions").glob("*.py"):
        said = dict(_REVISION.findall(path.read_text(encoding="utf-8")))
        found[said.get("revision", path.name)] = said.get("down_revision", "")
    return found


def _applied(connection: sa.Connection) -> set[str]:
    if not sa.inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.scalars(sa.text("SELECT version_num FROM alembic_version")))


def _refuse_newer(applied: set[str], known: set[str]) -> None:
    for revision in applied - known:
        raise StoreError(
            f"the database was written by newer code (revision {revision}); "
            "upgrade this service, or restore a backup"
        )


def _upgrade(connection: sa.Connection, migrations: Path) -> None:
    """Apply what is missing. Alembic takes 10 MB and a moment: here, where there is work for it."""
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise _MigrationError(str(error)) from error


def _is_worth_a_retry(error: BaseException | None) -> bool:
    """Whether the database rolled back only because of what others did at the same time."""
    original = getattr(error, "orig", None)
    if isinstance(original, sqlite3.Error):
        return _sqlite_code(original) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return getattr(original, "sqlstate", None) in RETRYABLE_STATES


def _is_transient(error: Exception) -> bool:
    """Whether time may mend it: the state of the database, not the statement or its values."""
    original = getattr(error, "orig", None)
    if isinstance(original, sqlite3.Error):
        return _sqlite_code(original) in TRANSIENT_SQLITE_CODES
    return isinstance(error, (OperationalError, InterfaceError, PoolTimeoutError))


def _is_full(error: Exception) -> bool:
    original = getattr(error, "orig", None)
    if isinstance(original, sqlite3.Error):
        return _sqlite_code(original) == sqlite3.SQLITE_FULL
    return getattr(original, "sqlstate", None) == DISK_FULL_STATE


def _sqlite_code(error: sqlite3.Error) -> int:
    """Return the primary result code: the low byte of the extended one."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def _reason(error: Exception) -> str:
    original = getattr(error, "orig", None) or error
    return (str(original).strip().splitlines() or [type(error).__name__])[0]


def _advice(error: Exception) -> str:
    text = str(getattr(error, "orig", None) or error)
    return next((f"; {advice}" for sign, advice in ADVICE.items() if sign in text), "")
