"""`roadmap doctor`: what this machine has for the house, what is missing and how to get it.

Each check answers for itself and none may break another. Values of keys are never read into the
report. It repairs nothing. Read next: `doctor_probes.py`, the checks that ask something outside.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from common.platform.lock import is_supervised
from common.platform.ports import AddressError, is_free
from common.platform.services import HOME_PORT, SERVICES, installed
from common.settings import Settings, SettingsError

MEBIBYTE = 1024 * 1024
FREE_NEEDED_BYTES = 500 * MEBIBYTE
MINIMUM_PYTHON = (3, 11)

EXTRAS = {
    "mcp": ("mcp", "tools for agents at /mcp"),
    "models": ("fsspec", "the model registry"),
    "serving": ("onnxruntime", "serving models"),
    "store": ("sqlalchemy", "keeping state in SQL"),
    "evaluation": ("sklearn", "metrics and comparisons"),
    "mlflow": ("mlflow", "tracking runs"),
    "otlp": ("opentelemetry.sdk", "traces over OTLP"),
    "postgres": ("psycopg", "PostgreSQL"),
}
"""Extras of ai-roadmap-common: the module that proves each, and what it is for."""

KEYS = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "MISTRAL_API_KEY",
    "GROQ_API_KEY",
    "OPENROUTER_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AZURE_OPENAI_API_KEY",
    "HF_TOKEN",
    "PINECONE_API_KEY",
    "LANGSMITH_API_KEY",
    "WANDB_API_KEY",
)


class Health(StrEnum):
    """What a check found; only `broken` stops something that is needed."""

    OK = "ok"
    OPTIONAL = "optional"
    MISSING = "missing"
    BROKEN = "broken"


class Check(BaseModel):
    """One line of the report."""

    name: str
    health: Health
    detail: str
    how_to_get: str = ""


class Diagnosis(BaseModel):
    """All lines; `is_ok` unless something needed is broken."""

    is_ok: bool
    checks: tuple[Check, ...]


def examine(settings: Settings, environment: Mapping[str, str]) -> Diagnosis:
    """Run every check."""
    checks = tuple(_all_checks(settings, environment))
    is_ok = all(check.health is not Health.BROKEN for check in checks)
    return Diagnosis(is_ok=is_ok, checks=checks)


def _all_checks(settings: Settings, environment: Mapping[str, str]) -> Iterator[Check]:
    from common.platform import doctor_probes as probes  # noqa: PLC0415 - it needs Check from here

    yield check_python()
    yield check_program("uv", ("uv",), "installs and runs the workspace", "pip install uv")
    yield from check_members()
    yield from check_extras()
    yield check_data_dir(settings)
    yield check_disk(settings.data_dir)
    yield check_ports(settings)
    yield probes.check_database(settings)
    yield probes.check_registry(settings)
    yield probes.check_mlflow(environment)
    yield check_keys(environment)
    yield check_program(
        "browser", BROWSERS, "browser tests", "apt-get install chromium, or Chrome from its site"
    )
    yield check_program("containers", ENGINES, "building images", "install Docker, or buildah")
    yield probes.check_gpu()


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ENGINES = ("docker", "podman", "buildah")


def check_python(found: tuple[int, ...] = tuple(sys.version_info[:3])) -> Check:
    """Compare the interpreter with the least one that the workspace runs on."""
    text = f"{platform.python_implementation()} {'.'.join(map(str, found))} at {sys.executable}"
    if found[:2] >= MINIMUM_PYTHON:
        return Check(name="python", health=Health.OK, detail=text)
    return Check(
        name="python",
        health=Health.BROKEN,
        detail=f"{text}; 3.11 or newer is needed",
        how_to_get="uv python install 3.11",
    )


def check_program(
    name: str,
    commands: tuple[str, ...],
    purpose: str,
    how_to_get: str,
    find: Callable[[str], str | None] = shutil.which,
) -> Check:
    """Look for one of several programs that do the same; none of them is needed to run."""
    for command in commands:
        if path := find(command):
            return Check(name=name, health=Health.OK, detail=path)
    detail = f"not found; only for {purpose}"
    return Check(name=name, health=Health.OPTIONAL, detail=detail, how_to_get=how_to_get)


def check_members() -> Iterator[Check]:
    """Tell which of the six services are installed, and in which version."""
    here = installed()
    for service in SERVICES.values():
        name = f"{service.name} {service.title}"
        if service.name in here:
            yield Check(name=name, health=Health.OK, detail=_version(service.distribution))
        else:
            yield Check(name=name, health=Health.OPTIONAL, detail="not installed")


def _version(distribution: str) -> str:
    try:
        return f"version {version(distribution)}"
    except PackageNotFoundError:
        return "installed"


def check_extras() -> Iterator[Check]:
    """Tell which optional parts of the shared library can be used here."""
    for extra, (module, purpose) in EXTRAS.items():
        name = f"extra {extra}"
        if _can_import(module):
            yield Check(name=name, health=Health.OK, detail=purpose)
        else:
            yield Check(
                name=name,
                health=Health.OPTIONAL,
                detail=f"not installed; only for {purpose}",
                how_to_get=f"uv pip install 'ai-roadmap-common[{extra}]'",
            )


def _can_import(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package is missing
        return False


def check_data_dir(settings: Settings) -> Check:
    """Prove that the data directory can be written."""
    try:
        path = settings.prepare_data_dir()
    except SettingsError as error:
        return Check(
            name="data directory",
            health=Health.BROKEN,
            detail=str(error),
            how_to_get="set ROADMAP_DATA_DIR to a directory you may write",
        )
    return Check(name="data directory", health=Health.OK, detail=str(path))


def check_disk(data_dir: Path, needed_bytes: int = FREE_NEEDED_BYTES) -> Check:
    """Compare the free space with what models and databases need at first."""
    existing = next((one for one in (data_dir, *data_dir.parents) if one.exists()), Path("/"))
    free_bytes = shutil.disk_usage(existing).free
    text = f"{free_bytes / MEBIBYTE:,.0f} MiB free at {existing}"
    if free_bytes >= needed_bytes:
        return Check(name="disk", health=Health.OK, detail=text)
    return Check(
        name="disk",
        health=Health.BROKEN,
        detail=f"{text}; {needed_bytes / MEBIBYTE:,.0f} MiB are needed",
        how_to_get="free some space, or set ROADMAP_DATA_DIR to another disk",
    )


def check_ports(settings: Settings) -> Check:
    """Tell whether the house's usual ports are free, or taken by the house itself."""
    ports = {"home": HOME_PORT} | {name: SERVICES[name].default_port for name in installed()}
    if is_supervised(settings.data_dir):
        return Check(name="ports", health=Health.OK, detail="the house is up; see roadmap status")
    try:
        taken = [f"{n} {port}" for n, port in ports.items() if not is_free("127.0.0.1", port)]
    except AddressError as error:
        return Check(name="ports", health=Health.BROKEN, detail=str(error))
    if not taken:
        text = ", ".join(f"{name} {port}" for name, port in ports.items())
        return Check(name="ports", health=Health.OK, detail=f"free: {text}")
    return Check(
        name="ports",
        health=Health.MISSING,
        detail=f"in use by another program: {', '.join(taken)}",
        how_to_get="stop it, or start with: roadmap up --free-ports",
    )


def check_keys(environment: Mapping[str, str]) -> Check:
    """Name the keys that are set; their values stay where they are."""
    seen = [name for name in KEYS if environment.get(name)]
    detail = ", ".join(seen) or "none seen; everything here runs without"
    health = Health.OK if seen else Health.OPTIONAL
    return Check(name="keys", health=health, detail=detail)


STYLES = {
    Health.OK: "green",
    Health.OPTIONAL: "dim",
    Health.MISSING: "yellow",
    Health.BROKEN: "bold red",
}


def show(diagnosis: Diagnosis, console: Console) -> None:
    """Print the report."""
    width = max(len(check.name) for check in diagnosis.checks)
    for check in diagnosis.checks:
        line = Text(f"{check.health.value:<9}", style=STYLES[check.health])
        line.append(f" {check.name:<{width}}  {check.detail}", style="default")
        if check.how_to_get and check.health is not Health.OK:
            line.append(f"\n{'':<{width + 10}}  → {check.how_to_get}", style="dim")
        console.print(line, soft_wrap=True)
