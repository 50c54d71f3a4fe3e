"""The doctor's checks that ask something outside this process: database, registry, MLflow, GPU.

Each turns whatever goes wrong into one line. Read next: `doctor.py`, which runs them.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2

from common.errors import DomainError
from common.platform.doctor import Check, Health
from common.settings import Settings

PROBE_TIMEOUT_S = 3.0


def check_database(settings: Settings) -> Check:
    """Connect to the configured database; without one, SQLite files need no server."""
    name = "database"
    if settings.database_url is None:
        return Check(
            name=name,
            health=Health.OK,
            detail="SQLite files in the data directory",
            how_to_get="for PostgreSQL set ROADMAP_DATABASE_URL",
        )
    try:
        from sqlalchemy import create_engine, text  # noqa: PLC0415 - an extra
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - an extra
    except ImportError:
        return Check(
            name=name,
            health=Health.BROKEN,
            detail="a database is configured, but its library is not installed",
            how_to_get="uv pip install 'ai-roadmap-common[store,postgres]'",
        )
    url = settings.database_url.get_secret_value()
    try:
        engine = create_engine(_with_driver(url), connect_args=_limits(url))
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        return Check(
            name=name,
            health=Health.BROKEN,
            detail=f"{_place(url)} cannot be used: {_first_line(error)}",
            how_to_get="start it, or correct ROADMAP_DATABASE_URL",
        )
    return Check(name=name, health=Health.OK, detail=f"{_place(url)} answers")


def check_registry(settings: Settings) -> Check:
    """List the models of the configured registry."""
    name, location = "registry", settings.registry_location
    try:
        from common.models import open_registry  # noqa: PLC0415 - an extra
    except ImportError:
        return Check(
            name=name,
            health=Health.MISSING,
            detail="the registry's library is not installed",
            how_to_get="uv pip install 'ai-roadmap-common[models]'",
        )
    try:
        models = open_registry(location, cache_dir=settings.data_dir / "cache" / "models").models()
    except (DomainError, OSError, ValueError) as error:
        return Check(
            name=name,
            health=Health.BROKEN,
            detail=f"{_place(location)} cannot be read: {_first_line(error)}",
            how_to_get="start its server, or correct ROADMAP_REGISTRY",
        )
    return Check(name=name, health=Health.OK, detail=f"{_place(location)}: {len(models)} models")


def check_mlflow(environment: Mapping[str, str]) -> Check:
    """Ask the tracking server, if one is named, whether it is there."""
    name, uri = "mlflow", environment.get("MLFLOW_TRACKING_URI", "")
    if not uri:
        detail = "no server named; runs are recorded in the data directory"
        how = "mlflow server, then set MLFLOW_TRACKING_URI"
        return Check(name=name, health=Health.OPTIONAL, detail=detail, how_to_get=how)
    if not uri.startswith(("http://", "https://")):
        return Check(name=name, health=Health.OK, detail=_place(uri))
    try:
        answer = httpx2.get(f"{uri.rstrip('/')}/health", timeout=PROBE_TIMEOUT_S)
        answer.raise_for_status()
    except httpx2.HTTPError as error:
        return Check(
            name=name,
            health=Health.MISSING,
            detail=f"{_place(uri)} does not answer: {_first_line(error)}",
            how_to_get="start it, or unset MLFLOW_TRACKING_URI",
        )
    return Check(name=name, health=Health.OK, detail=f"{_place(uri)} answers")


def check_gpu() -> Check:
    """Ask the driver for accelerators; nothing here needs one."""
    optional = Check(
        name="gpu", health=Health.OPTIONAL, detail="none seen; training runs on the processor"
    )
    command = shutil.which("nvidia-smi")
    if command is None:
        return optional
    query = [command, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command found on the path
            query, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return optional.model_copy(update={"detail": "nvidia-smi is there but finds no GPU"})
    return Check(name="gpu", health=Health.OK, detail="; ".join(done.stdout.strip().splitlines()))


def _with_driver(url: str) -> str:
    """Name the driver that the extra brings: a bare postgresql:// means another one."""
    scheme, separator, rest = url.partition("://")
    is_bare = scheme in {"postgres", "postgresql"}
    return f"postgresql+psycopg{separator}{rest}" if is_bare else url


def _limits(url: str) -> dict[str, int]:
    return {"connect_timeout": int(PROBE_TIMEOUT_S)} if url.startswith("postgres") else {}


def _place(url: str) -> str:
    """Show where something is, without a user's name or password."""
    parts = urlsplit(url)
    if not parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
