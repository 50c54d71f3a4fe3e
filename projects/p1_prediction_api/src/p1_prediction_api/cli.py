"""The command `p1-prediction-api`: serves without a verb; `train`, `check` and `predict`.

The serving process never loads a training library: a first model is trained in a child process.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from common.errors import FieldError
from common.models import Registry, open_registry
from common.models.registry import RegistryError, RegistryUnavailableError
from common.service.command import run_command, service_command

from p1_prediction_api.errors import RowError, TrainingError
from p1_prediction_api.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI


def _create_app(settings: Settings) -> "FastAPI":
    from p1_prediction_api.api import create_app  # noqa: PLC0415 - a verb needs no server

    return create_app(settings)


def _train_first_model(settings: Settings) -> None:
    """Train the example in a child process when the registry has no model to serve."""
    if not settings.train_on_first_start:
        return
    try:
        if _has_model(settings):
            return
    except RegistryUnavailableError as error:  # nothing could be published; the service waits
        sys.stderr.write(f"no first model is trained: {error}\n")
        return
    if settings.model != Settings.model_fields["model"].default or find_spec("sklearn") is None:
        return  # the service starts and says in /readyz what it waits for
    command = [sys.executable, "-m", "p1_prediction_api.cli"]
    command += ["--data-dir", str(settings.data_dir), "train", "--if-missing"]
    subprocess.run(command, check=False, stdout=sys.stderr)  # noqa: S603 - our own command


def _has_model(settings: Settings) -> bool:
    try:
        _registry(settings).resolve(settings.model, settings.alias)
    except RegistryUnavailableError:
        raise
    except RegistryError:
        return False
    return True


def _registry(settings: Settings) -> Registry:
    return open_registry(
        settings.registry_location, cache_dir=settings.data_dir / "cache" / "models"
    )


Schema = Annotated[
    Path | None,
    typer.Option(help="TOML file that says how to read the table, where that is known."),
]
Minutes = Annotated[
    float | None,
    typer.Option(
        min=0, help="Longest search; Ctrl-C ends it too. [default: 1.5; 0.05 of the example]"
    ),
]
Positive = Annotated[
    str, typer.Option(help="Of two classes, the one looked for; default: the rarer.")
]
MissCost = Annotated[float, typer.Option(min=0.001, help="What it costs to miss a positive row.")]
FalseAlarmCost = Annotated[
    float, typer.Option(min=0.001, help="What it costs to say positive wrongly.")
]
WriteSchema = Annotated[
    Path | None, typer.Option(help="Write how the table is read, and end: no training.")
]
MaxRows = Annotated[int, typer.Option(min=100, help="Most rows held; a longer table is sampled.")]

app = service_command("p1-prediction-api", Settings, _create_app, before_serving=_train_first_model)


@app.command()
def train(
    context: typer.Context,
    table: Annotated[
        Path | None,
        typer.Argument(help="CSV, Parquet, JSON lines, Excel; without one, the example."),
    ] = None,
    target: Annotated[str, typer.Option(help="Column to predict.")] = "",
    model: Annotated[str, typer.Option(help="Name in the registry; default: the served one.")] = "",
    alias: Annotated[str, typer.Option(help="Alias to move to the new version.")] = "champion",
    minutes: Minutes = None,
    positive: Positive = "",
    miss_cost: MissCost = 1.0,
    false_alarm_cost: FalseAlarmCost = 1.0,
    time_column: Annotated[str, typer.Option(help="Hold out the latest rows by it.")] = "",
    group_column: Annotated[str, typer.Option(help="Keep its groups on one side.")] = "",
    seed: Annotated[int | None, typer.Option(help="Seed of splits and models.")] = None,
    schema: Schema = None,
    write_schema: WriteSchema = None,
    max_rows: MaxRows = 1_000_000,
    report: Annotated[Path | None, typer.Option(help="Write the diagnosis as HTML.")] = None,
    publish: Annotated[bool, typer.Option(help="Publish to the registry.")] = True,
    diagnose: Annotated[
        bool, typer.Option(help="Look for why it fails; a minute more, published with it.")
    ] = True,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Only when the alias has no version yet.")
    ] = False,
) -> None:
    """Train on a table, compare candidates, prove the export, say why it fails, publish."""
    settings: Settings = context.obj
    if if_missing and _has_model(settings):
        typer.echo(f"{settings.model}@{settings.alias} is there already")
        return
    _need_training()
    from p1_prediction_api.train_command import Order, carry_out  # noqa: PLC0415 - scikit-learn
    from p1_prediction_api.training import Costs  # noqa: PLC0415 - scikit-learn

    order = Order(
        table=table,
        target=target,
        model=model,
        alias=alias,
        minutes=minutes,
        positive=positive,
        costs=Costs(false_positive=false_alarm_cost, false_negative=miss_cost),
        time_column=time_column,
        group_column=group_column,
        seed=seed,
        schema=schema,
        write_schema=write_schema,
        max_rows=max_rows,
        report=report,
        should_publish=publish,
        should_diagnose=diagnose,
    )
    carry_out(order, settings)


@app.command()
def check(
    context: typer.Context,
    table: Annotated[Path, typer.Argument(help="New rows: CSV, Parquet, JSON lines or Excel.")],
    schema: Schema = None,
) -> None:
    """Compare new rows with what the served model was trained on; exit code 1 when they drifted.

    Of what a running service is asked, `GET /v1/monitoring` tells the same.
    """
    from p0_foundations import Profile, profile_frame  # noqa: PLC0415 - pandas

    from p1_prediction_api.train_command import read_later  # noqa: PLC0415 - pandas

    settings: Settings = context.obj
    registry = _registry(settings)
    version = registry.resolve(settings.model, settings.alias)
    files = registry.fetch(version)
    trained = Profile.from_json((files / "profile.json").read_text(encoding="utf-8"))
    found = read_later(table, schema, files)
    report = trained.drift(profile_frame(found.frame, reading=found.reading))
    typer.echo(f"against {version.model} version {version.version}: {report.verdict}")
    for column in report.columns:
        if column.severity in {"moderate", "strong"}:
            typer.echo(f"  {column.severity:8} {column.column}: {column.message}")
    raise typer.Exit(code=int(report.has_drifted))


@app.command(name="predict-table")
def predict_table(
    context: typer.Context,
    table: Annotated[Path, typer.Argument(help="Rows: CSV, TSV, Parquet, JSON lines or Excel.")],
    out: Annotated[Path, typer.Option(help="Where to write: .csv, .tsv, .parquet or .jsonl.")],
    schema: Schema = None,
) -> None:
    """Predict every row of a table with the served version; writes the table with the answers.

    A row that the model cannot read is set aside in OUT.set-aside.csv with what is wrong. The table
    is read in pieces. When it is stopped, the same command goes on where it was.
    """
    _need_training()
    from p1_prediction_api.loaded import load  # noqa: PLC0415 - ONNX Runtime
    from p1_prediction_api.table_command import answer_table, ask  # noqa: PLC0415 - pandas
    from p1_prediction_api.table_output import check_output  # noqa: PLC0415 - pandas
    from p1_prediction_api.train_command import later_schema, progress  # noqa: PLC0415 - pandas

    check_output(out)
    settings: Settings = context.obj
    registry = _registry(settings)
    version = registry.resolve(settings.model, settings.alias)
    files = registry.fetch(version)
    loaded = load(version, files, settings)
    said, is_given = later_schema(schema, files)

    def tell(line: str) -> None:
        typer.echo(f"  {line}", err=True)

    with progress() as report:
        asked = ask(table, said, loaded.signature, report, is_strict=is_given)
        for caution in asked.pieces.reading.cautions:
            tell(caution)
        done = answer_table(loaded, asked, out, report, tell)
    typer.echo(
        f"{done.n_answered:,} rows predicted by {version.model} version {version.version}: {out}"
    )
    if done.n_set_aside:
        typer.echo(
            f"{done.n_set_aside:,} rows set aside in {done.set_aside}; {done.first_problem}",
            err=True,
        )


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


def _need_training() -> None:
    if find_spec("sklearn") is None or find_spec("onnx") is None:
        raise TrainingError(
            "training is not installed here; install ai-roadmap-p1-prediction-api[train]"
        )


def main() -> None:
    """Run the command."""
    run_command(app)


if __name__ == "__main__":
    main()
