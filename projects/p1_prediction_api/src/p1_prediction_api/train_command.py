"""The work behind `p1-prediction-api train`: train, tell, diagnose, publish."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray
from p0_foundations import (
    FileSchema,
    Holding,
    Reading,
    Table,
    TableSchema,
    load_schema,
    open_table,
    parse_schema,
    schema_toml,
)
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable
from rich.text import Text
from sklearn.pipeline import Pipeline

from p1_prediction_api.contracts import ModelCard
from p1_prediction_api.diagnosis import Diagnosis, diagnose, render_html
from p1_prediction_api.errors import TrainingError
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.publishing import SCHEMA_FILE, publish
from p1_prediction_api.raw_scores import predict
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import DEFAULT_MINUTES, Costs, TrainingRun, train

EXAMPLE_MINUTES = 0.05
DIAGNOSIS_MINUTES = 1.0
EXAMPLE_DIAGNOSIS_MINUTES = 0.15
"""Of the example, whose diagnosis takes four seconds of a core: a first start waits no longer."""
MAX_TOLD = 5
MAX_TOLD_COLUMNS = 60
MIN_WIDTH = 110
_PLAIN_REASONS = frozenset({"neither numbers nor dates", "every cell is a number"})


@dataclass(frozen=True)
class Order:
    """What a person asked for on the command line; empty texts are what was left out."""

    table: Path | None
    target: str
    model: str
    alias: str
    minutes: float | None
    positive: str
    costs: Costs
    time_column: str
    group_column: str
    seed: int | None
    schema: Path | None
    write_schema: Path | None
    max_rows: int
    report: Path | None
    should_publish: bool
    should_diagnose: bool


def carry_out(order: Order, settings: Settings) -> None:
    """Train as ordered and say what was found; raises `TrainingError` before any long work."""
    if order.report is not None and not order.report.parent.is_dir():
        raise TrainingError(f"there is no folder {order.report.parent}")
    if order.write_schema is not None:
        _write_schema(order)
        return
    if order.table is not None and not order.target:
        raise TrainingError("which column is to be predicted? name it with --target")
    run = _trained(order, settings)
    _tell(run)
    diagnosis = None
    if order.should_diagnose or order.report is not None:
        is_example = order.table is None
        longest = EXAMPLE_DIAGNOSIS_MINUTES if is_example else DIAGNOSIS_MINUTES
        diagnosis = _diagnosed(run, longest)
    if order.report is not None and diagnosis is not None:
        order.report.write_text(render_html(diagnosis), encoding="utf-8")
        typer.echo(f"report: {order.report}")
    if order.should_publish:
        name = order.model or (settings.model if order.table is None else order.table.stem.lower())
        alias = order.alias or None
        version = publish(run, model=name, alias=alias, settings=settings, diagnosis=diagnosis)
        typer.echo(f"published {version.model} version {version.version} as {alias or 'no alias'}")


def _write_schema(order: Order) -> None:
    if order.table is None or order.write_schema is None:
        raise TrainingError("--write-schema needs a table")
    with progress() as report:
        found = open_table(
            order.table,
            schema=_schema(order.schema),
            holding=Holding(max_rows=order.max_rows),
            progress=lambda share: report("reading the table", share),
        )
    try:
        order.write_schema.write_text(schema_toml(found.reading), encoding="utf-8")
    except OSError as error:
        raise TrainingError(f"cannot write {order.write_schema}: {error.strerror}") from error
    _tell_reading(found.reading, {})
    typer.echo(f"written: {order.write_schema}; give it back with --schema")


def _schema(path: Path | None) -> TableSchema | None:
    return None if path is None else load_schema(path)


def read_later(table: Path, schema: Path | None, files: Path) -> Table:
    """Read a table for a published model, or a sample of it: as `later_schema` says."""
    said, is_given = later_schema(schema, files)
    return open_table(table, schema=said, is_strict=is_given)


def later_schema(schema: Path | None, files: Path) -> tuple[TableSchema, bool]:
    """Return what is said of a table for a published model, and whether for that very table.

    That is the schema that is given, else the one the model was trained with, whose columns a later
    table may lack; of its file only what a file does not show is kept: another file may be encoded
    and separated in another way.
    """
    given = _schema(schema)
    if given is not None:
        return given, True
    stored = files / SCHEMA_FILE
    if not stored.is_file():
        return TableSchema(), False
    said = parse_schema(json.loads(stored.read_text(encoding="utf-8")), "the model's schema")
    kept = FileSchema(header=said.file.header, names=said.file.names, missing=said.file.missing)
    return said.model_copy(update={"file": kept}), False


def _trained(order: Order, settings: Settings) -> TrainingRun:
    longest = DEFAULT_MINUTES if order.table is not None else EXAMPLE_MINUTES
    is_even = order.costs.false_positive == order.costs.false_negative
    with progress() as report:
        return train(
            example_table() if order.table is None else order.table,
            target=order.target or TARGET,
            minutes=longest if order.minutes is None else order.minutes,
            positive=order.positive or None,
            costs=None if is_even else order.costs,
            time_column=order.time_column or None,
            group_column=order.group_column or None,
            schema=_schema(order.schema),
            holding=Holding(max_rows=order.max_rows),
            seed=settings.seed if order.seed is None else order.seed,
            report=report,
        )


def _tell(run: TrainingRun) -> None:
    card = run.card
    typer.echo(run.verdict)
    typer.echo(f"  chosen because {card.chosen_because}")
    for line in _said_with_it(card):
        typer.echo(f"  {line}")
    _tell_reading(run.reading, _uses(run))
    for warning in card.warnings:
        typer.echo(f"  warning: {warning}")


def _uses(run: TrainingRun) -> dict[str, str]:
    """Say of each column what training did with it."""
    data = run.data
    learned = {
        **dict.fromkeys(data.numbers, "a number"),
        **dict.fromkeys(data.dates, "a date"),
        **dict.fromkeys(data.labels, "a category"),
    }
    uses = {name: f"learned from as {what}" for name, what in learned.items()}
    uses |= {name: f"left out: {reason}" for name, reason in data.dropped.items()}
    return uses | {data.target: "the target"}


def _tell_reading(reading: Reading, uses: dict[str, str]) -> None:
    """Show what was decided, for the file in a line and for the columns as a table."""
    typer.echo(f"  read as {reading.summary}")
    for caution in reading.cautions:
        typer.echo(f"  caution: {caution}")
    table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("  column", "read as", "missing is spelled", "in training"):
        table.add_column(title, overflow="fold")
    for column in reading.columns[:MAX_TOLD_COLUMNS]:
        spelled = ", ".join(f"{one.value!r} × {one.n:,}" for one in column.missing_spellings)
        kind = column.kind if column.why in _PLAIN_REASONS else f"{column.kind}: {column.why}"
        cells = (f"  {column.name}", kind, spelled, uses.get(column.name, ""))
        table.add_row(*(Text(cell) for cell in cells))
    console = Console(file=sys.stdout)
    console.print(table, width=max(console.width, MIN_WIDTH), soft_wrap=not console.is_terminal)
    if (n_more := len(reading.columns) - MAX_TOLD_COLUMNS) > 0:
        typer.echo(f"  and {n_more:,} more columns; --write-schema writes them all")


def _said_with_it(card: ModelCard) -> list[str]:
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


def _diagnosed(run: TrainingRun, minutes: float) -> Diagnosis:
    with progress() as report:
        found = diagnose(
            run,
            minutes=minutes,
            seed=run.card.seed,
            report=report,
            predict=lambda pipeline, rows: _as_served(run, pipeline, rows),
        )
    typer.echo(f"diagnosis: {found.verdict}")
    for finding in found.findings[:MAX_TOLD]:
        typer.echo(f"  {finding.severity}: {finding.headline}. {finding.next_step}")
    return found


def _as_served(run: TrainingRun, pipeline: Pipeline, rows: pd.DataFrame) -> NDArray[np.float64]:
    """Answer as the service does, calibrated; rivals of another kind speak for themselves."""
    kind, ours = (type(one.named_steps["model"]) for one in (pipeline, run.chosen.pipeline))
    if kind is ours:
        return predict(run.data, run.chosen.with_pipeline(pipeline), run.card.calibration, rows)
    if run.data.task == "classification":
        return np.asarray(pipeline.predict_proba(rows), dtype=np.float64)
    return np.asarray(pipeline.predict(rows), dtype=np.float64)


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """Show a bar on standard error while work goes on."""
    columns = (BarColumn(24), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=False) as bar:
        task = bar.add_task("starting", total=1.0)

        def report(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        yield report
