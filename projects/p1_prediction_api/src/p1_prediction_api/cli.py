"""The command `p1-prediction-api`: serves without a verb; `train`, `check` and `predict`.

The serving process never loads a training library: a first model is trained in a child process.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from common.errors import FieldError
from common.models import Registry, open_registry
from common.models.registry import RegistryError
from common.service.command import run_command, service_command

from p1_prediction_api.errors import RowError, TrainingError
from p1_prediction_api.settings import Settings

if TYPE_CHECKING:
    from types import ModuleType

    from fastapi import FastAPI

    from p1_prediction_api.contracts import ModelCard
    from p1_prediction_api.search import Report
    from p1_prediction_api.training import Costs


def _create_app(settings: Settings) -> "FastAPI":
    from p1_prediction_api.api import create_app  # noqa: PLC0415 - a verb needs no server

    return create_app(settings)


def _train_first_model(settings: Settings) -> None:
    """Train the example in a child process when the registry has no model to serve."""
    if not settings.train_on_first_start or _has_model(settings):
        return
    if settings.model != Settings.model_fields["model"].default or find_spec("sklearn") is None:
        return  # the service starts and says in /readyz what it waits for
    command = [sys.executable, "-m", "p1_prediction_api.cli"]
    command += ["--data-dir", str(settings.data_dir), "train", "--if-missing"]
    subprocess.run(command, check=False, stdout=sys.stderr)  # noqa: S603 - our own command


def _has_model(settings: Settings) -> bool:
    try:
        _registry(settings).resolve(settings.model, settings.alias)
    except RegistryError:
        return False
    return True


def _registry(settings: Settings) -> Registry:
    return open_registry(
        settings.registry_location, cache_dir=settings.data_dir / "cache" / "models"
    )


app = service_command("p1-prediction-api", Settings, _create_app, before_serving=_train_first_model)


@app.command()
def train(
    context: typer.Context,
    table: Annotated[
        Path | None, typer.Argument(help="CSV, TSV or Parquet; without one, the example data.")
    ] = None,
    target: Annotated[str, typer.Option(help="Column to predict.")] = "",
    model: Annotated[str, typer.Option(help="Name in the registry; default: the served one.")] = "",
    alias: Annotated[str, typer.Option(help="Alias to move to the new version.")] = "champion",
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0, help="Longest search; Ctrl-C ends it too. [default: 10; 0.05 of the example]"
        ),
    ] = None,
    positive: Annotated[
        str, typer.Option(help="Of two classes, the one looked for; default: the rarer.")
    ] = "",
    miss_cost: Annotated[
        float, typer.Option(min=0.001, help="What it costs to miss a positive row.")
    ] = 1.0,
    false_alarm_cost: Annotated[
        float, typer.Option(min=0.001, help="What it costs to say positive wrongly.")
    ] = 1.0,
    time_column: Annotated[str, typer.Option(help="Hold out the latest rows by it.")] = "",
    group_column: Annotated[str, typer.Option(help="Keep its groups on one side.")] = "",
    seed: Annotated[int | None, typer.Option(help="Seed of splits and models.")] = None,
    publish: Annotated[bool, typer.Option(help="Publish to the registry.")] = True,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Only when the alias has no version yet.")
    ] = False,
) -> None:
    """Train on a table, compare candidates, prove the export, publish."""
    settings: Settings = context.obj
    if if_missing and _has_model(settings):
        typer.echo(f"{settings.model}@{settings.alias} is there already")
        return
    training = _training_module()
    data, wanted = _table(table, target)
    with _progress() as report:
        run = training.train(
            data,
            target=wanted,
            minutes=minutes if minutes is not None else (0.05 if table is None else 10.0),
            positive=positive or None,
            costs=_costs(training, miss_cost, false_alarm_cost),
            time_column=time_column or None,
            group_column=group_column or None,
            seed=settings.seed if seed is None else seed,
            report=report,
        )
    typer.echo(run.verdict)
    typer.echo(f"  chosen because {run.card.chosen_because}")
    for line in _said_with_it(run.card):
        typer.echo(f"  {line}")
    for name, reason in run.card.dropped.items():
        typer.echo(f"  left out {name}: {reason}")
    for warning in run.card.warnings:
        typer.echo(f"  warning: {warning}")
    if publish:
        name = model or (settings.model if table is None else table.stem.lower())
        version = run.publish(model=name, alias=alias or None, settings=settings)
        typer.echo(f"published {version.model} version {version.version} as {alias or 'no alias'}")


@app.command()
def check(
    context: typer.Context,
    table: Annotated[Path, typer.Argument(help="New rows: CSV, TSV or Parquet.")],
) -> None:
    """Compare new rows with what the served model was trained on; exit code 1 when they drifted."""
    from p0_foundations import Profile, profile_frame, read_table  # noqa: PLC0415 - pandas

    settings: Settings = context.obj
    registry = _registry(settings)
    version = registry.resolve(settings.model, settings.alias)
    stored = (registry.fetch(version) / "profile.json").read_text(encoding="utf-8")
    trained = Profile.from_json(stored)
    report = trained.drift(profile_frame(read_table(table)))
    typer.echo(f"against {version.model} version {version.version}: {report.verdict}")
    for column in report.columns:
        if column.severity in {"moderate", "strong"}:
            typer.echo(f"  {column.severity:8} {column.column}: {column.message}")
    raise typer.Exit(code=int(report.has_drifted))


@app.command()
def predict(
    context: typer.Context,
    row: Annotated[str, typer.Argument(help="One row as JSON, or - for standard input.")],
) -> None:
    """Predict one row with the served version, without a server."""
    from p1_prediction_api.loaded import load, run_batch  # noqa: PLC0415 - ONNX Runtime

    settings: Settings = context.obj
    registry = _registry(settings)
    version = registry.resolve(settings.model, settings.alias)
    loaded = load(version, registry.fetch(version), settings)
    try:
        values = json.loads(sys.stdin.read() if row == "-" else row)
    except ValueError as error:
        raise RowError([FieldError(field="row", message=f"is not JSON: {error}")]) from error
    tensors = loaded.reader.read(values if isinstance(values, list) else [values])
    outputs = run_batch(loaded.session, [tensors])[0]
    typer.echo(json.dumps({name: value.tolist() for name, value in outputs.items()}))


def _said_with_it(card: "ModelCard") -> list[str]:
    lines = [card.threshold_because] if card.threshold_because else []
    if card.calibration.error is not None:
        lines.append(f"calibration error {card.calibration.error.value:.3f}")
    if card.uncertainty is not None:
        held, size = card.uncertainty.coverage, card.uncertainty.mean_size
        what = "intervals" if card.uncertainty.bins else "sets of classes"
        lines.append(
            f"{what} held the truth in {held.value:.1%} ({held.low:.1%} to {held.high:.1%}) of "
            f"rows never seen, where {card.uncertainty.level:.0%} was asked for; "
            f"mean size {size:.4g}"
        )
    return lines


def _training_module():
    if find_spec("sklearn") is None or find_spec("onnx") is None:
        raise TrainingError(
            "training is not installed here; install ai-roadmap-p1-prediction-api[train]"
        )
    from p1_prediction_api import training  # noqa: PLC0415 - scikit-learn

    return training


def _costs(training: "ModuleType", miss: float, false_alarm: float) -> "Costs | None":
    if miss == false_alarm:
        return None  # the threshold stays at one half
    costs: Costs = training.Costs(false_positive=false_alarm, false_negative=miss)
    return costs


def _table(table: Path | None, target: str):
    if table is not None:
        if not target:
            raise TrainingError("which column is to be predicted? name it with --target")
        return table, target
    from p1_prediction_api.example_data import TARGET, example_table  # noqa: PLC0415 - pandas

    return example_table(), target or TARGET


@contextlib.contextmanager
def _progress() -> "Iterator[Report]":
    from rich.console import Console  # noqa: PLC0415 - only while training
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - only while training

    columns = (BarColumn(24), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
        task = progress.add_task("training", total=1.0)

        def report(what: str, share: float) -> None:
            progress.update(task, description=what, completed=share)

        yield report


def main() -> None:
    """Run the command."""
    run_command(app)


if __name__ == "__main__":
    main()
