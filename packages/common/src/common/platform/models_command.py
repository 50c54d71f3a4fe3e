"""`roadmap models …`: the registry from the terminal.

Thin: opens the registry of the settings, asks, prints a table or JSON. What the verbs mean is told
in `common.models.registry`; read that next.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from common.models import ModelVersion, Registry, open_registry
from common.models.registry import CorruptModelError, ModelNotFoundError, VersionNotFoundError
from common.settings import Settings
from common.terminal import print_table

CORRUPT = 1

app = typer.Typer(
    name="models",
    help="The model registry: versions that never change, aliases that move.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Model = Annotated[str, typer.Argument(help="The model's name.")]
Alias = Annotated[str, typer.Option(help="The alias to move.")]
Location = Annotated[
    str, typer.Option("--registry", help="A folder or URL; default: the registry of the settings.")
]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where everything is kept.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class ModelSummary(BaseModel):
    """A model as `list` shows it."""

    model: str
    n_versions: int
    latest: int
    aliases: dict[str, int]


class Verdict(BaseModel):
    """What verifying one version found."""

    model: str
    version: int
    is_intact: bool
    reason: str | None = None


@app.command("list")
def list_models(location: Location = "", data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the models with their versions and aliases."""
    registry = _open(location, data_dir)
    summaries = [_summary(registry, model) for model in registry.models()]
    if as_json:
        _print_json([one.model_dump(mode="json") for one in summaries])
    elif summaries:
        rows = [(one.model, one.n_versions, one.latest, _aliases(one.aliases)) for one in summaries]
        _print_table(("model", "versions", "latest", "aliases"), rows)
    else:
        typer.echo("The registry has no models yet.")


@app.command()
def show(
    model: Model,
    reference: Annotated[str, typer.Argument(help="A version or an alias; default: all.")] = "",
    location: Location = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show a model's versions, or one version in full."""
    registry = _open(location, data_dir)
    if reference:
        named = int(reference) if reference.isdecimal() else reference
        version = registry.resolve(model, named)
        _print_json(version.model_dump(mode="json")) if as_json else _print_version(version)
        return
    versions, aliases = _versions(registry, model), registry.aliases(model)
    if as_json:
        listed = [one.model_dump(mode="json") for one in versions]
        _print_json({"model": model, "aliases": aliases, "versions": listed})
        return
    names = {n: [alias for alias, at in aliases.items() if at == n] for n in aliases.values()}
    rows = [
        (one.version, ", ".join(names.get(one.version, ())), _when(one), _metrics(one), _size(one))
        for one in versions
    ]
    _print_table(("version", "aliases", "published", "metrics", "size"), rows)


@app.command()
def promote(
    model: Model,
    version: Annotated[int, typer.Argument(help="The version the alias shall name.", min=1)],
    *,
    alias: Alias = "champion",
    location: Location = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Move an alias to a version; running services follow it."""
    move = _open(location, data_dir).promote(model, alias, version)
    if as_json:
        _print_json(move.model_dump(mode="json"))
    else:
        typer.echo(f"{model}: {alias} is now version {move.version} (was {move.previous or '-'})")


@app.command()
def rollback(
    model: Model,
    alias: Alias = "champion",
    location: Location = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Move an alias back to the version it named before."""
    move = _open(location, data_dir).roll_back(model, alias)
    if as_json:
        _print_json(move.model_dump(mode="json"))
    else:
        typer.echo(f"{model}: {alias} is back at version {move.version} (was {move.previous})")


@app.command()
def verify(
    model: Annotated[str, typer.Argument(help="The model's name; default: every model.")] = "",
    version: Annotated[int, typer.Option(help="Only this version; 0 for every one.", min=0)] = 0,
    location: Location = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Read every file and compare its sha256; exit code 1 when one differs."""
    registry = _open(location, data_dir)
    models = [model] if model else registry.models()
    verdicts = [
        _verdict(registry, one, number)
        for one in models
        for number in _numbers(registry, one, version)
    ]
    if as_json:
        _print_json([one.model_dump(mode="json") for one in verdicts])
    else:
        rows = [(one.model, one.version, one.reason or "intact") for one in verdicts]
        _print_table(("model", "version", "files"), rows)
    if not all(one.is_intact for one in verdicts):
        raise typer.Exit(CORRUPT)


@app.command()
def prune(
    model: Model,
    keep: Annotated[int, typer.Option(help="How many of the newest versions to keep.", min=1)],
    location: Location = "",
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove old versions that no alias stands on or would roll back to."""
    registry = _open(location, data_dir)
    _versions(registry, model)
    removed = registry.prune(model, keep)
    if as_json:
        _print_json({"model": model, "removed": removed})
    else:
        listed = ", ".join(str(version) for version in removed) or "nothing"
        typer.echo(f"{model}: removed {listed}")


def _open(location: str, data_dir: Path | None) -> Registry:
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir.absolute())
    cache_dir = settings.data_dir / "cache" / "models"
    return open_registry(location or settings.registry_location, cache_dir=cache_dir)


def _versions(registry: Registry, model: str) -> list[ModelVersion]:
    versions = registry.versions(model)
    if not versions:
        raise ModelNotFoundError(model, registry.models())
    return versions


def _numbers(registry: Registry, model: str, only: int) -> list[int]:
    numbers = [one.version for one in _versions(registry, model)]
    if only and only not in numbers:
        raise VersionNotFoundError(model, only, numbers)
    return [only] if only else numbers


def _summary(registry: Registry, model: str) -> ModelSummary:
    numbers = [one.version for one in registry.versions(model)]
    latest = max(numbers, default=0)
    aliases = registry.aliases(model)
    return ModelSummary(model=model, n_versions=len(numbers), latest=latest, aliases=aliases)


def _verdict(registry: Registry, model: str, version: int) -> Verdict:
    try:
        registry.verify(model, version)
    except CorruptModelError as error:
        return Verdict(model=model, version=version, is_intact=False, reason=str(error))
    return Verdict(model=model, version=version, is_intact=True)


def _aliases(aliases: dict[str, int]) -> str:
    return ", ".join(f"{alias} → {version}" for alias, version in sorted(aliases.items()))


def _metrics(version: ModelVersion) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in version.metrics.items())


def _size(version: ModelVersion) -> str:
    n_bytes = sum(file.n_bytes for file in version.files)
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.1f} kB"


def _when(version: ModelVersion) -> str:
    return version.created_at.astimezone().strftime("%Y-%m-%d %H:%M")


def _print_version(version: ModelVersion) -> None:
    facts = {
        "model": version.model,
        "version": version.version,
        "published": _when(version),
        "metrics": _metrics(version),
        "data": version.data_fingerprint,
        "code": version.code_revision,
        "description": version.description,
        "tags": ", ".join(f"{name}={value}" for name, value in version.tags.items()),
    }
    _print_table(("", ""), [(name, value) for name, value in facts.items() if value])
    files = [(file.path, f"{file.n_bytes:,}", file.sha256) for file in version.files]
    _print_table(("file", "bytes", "sha256"), files)


def _print_table(titles: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    print_table(titles, rows, whole={"model", "version", "published", "size", "file", "bytes"})


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
