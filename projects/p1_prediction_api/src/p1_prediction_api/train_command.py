"""The work behind `p1-prediction-api train`: train, tell, diagnose, publish."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sklearn.pipeline import Pipeline

from p1_prediction_api.contracts import ModelCard
from p1_prediction_api.diagnosis import Diagnosis, diagnose, render_html
from p1_prediction_api.errors import TrainingError
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.publishing import publish
from p1_prediction_api.raw_scores import predict
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import DEFAULT_MINUTES, Costs, TrainingRun, train

EXAMPLE_MINUTES = 0.05
DIAGNOSIS_MINUTES = 1.0
MAX_TOLD = 5


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
    report: Path | None
    should_publish: bool
    should_diagnose: bool


def carry_out(order: Order, settings: Settings) -> None:
    """Train as ordered and say what was found; raises `TrainingError` before any long work."""
    if order.report is not None and not order.report.parent.is_dir():
        raise TrainingError(f"there is no folder {order.report.parent}")
    if order.table is not None and not order.target:
        raise TrainingError("which column is to be predicted? name it with --target")
    run = _trained(order, settings)
    _tell(run)
    diagnosis = None
    if order.should_diagnose or order.report is not None:
        diagnosis = _diagnosed(run)
    if order.report is not None and diagnosis is not None:
        order.report.write_text(render_html(diagnosis), encoding="utf-8")
        typer.echo(f"report: {order.report}")
    if order.should_publish:
        name = order.model or (settings.model if order.table is None else order.table.stem.lower())
        alias = order.alias or None
        version = publish(run, model=name, alias=alias, settings=settings, diagnosis=diagnosis)
        typer.echo(f"published {version.model} version {version.version} as {alias or 'no alias'}")


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
            seed=settings.seed if order.seed is None else order.seed,
            report=report,
        )


def _tell(run: TrainingRun) -> None:
    card = run.card
    typer.echo(run.verdict)
    typer.echo(f"  chosen because {card.chosen_because}")
    for line in _said_with_it(card):
        typer.echo(f"  {line}")
    for name, reason in card.dropped.items():
        typer.echo(f"  left out {name}: {reason}")
    for warning in card.warnings:
        typer.echo(f"  warning: {warning}")


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


def _diagnosed(run: TrainingRun) -> Diagnosis:
    with progress() as report:
        found = diagnose(
            run,
            minutes=DIAGNOSIS_MINUTES,
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
