"""The work behind `p2-nn-service debug`: open it, run the checks, say what they found.

Exit code 1 when there is a problem, else 0. Ctrl-C ends with what is known.
Read next: `debugging/examining.py`.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from common.privacy import keep_to_ourselves
from common.terminal import console
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from p2_nn_service.data.datasets import open_dataset
from p2_nn_service.debugging.drawing import write_pngs, write_tensorboard
from p2_nn_service.debugging.examining import Progress as Told
from p2_nn_service.debugging.examining import examine
from p2_nn_service.debugging.findings import Finding, Report, Severity
from p2_nn_service.debugging.subject import Subject, of_classifier
from p2_nn_service.debugging.threads import fastest_threads
from p2_nn_service.errors import RecipeError, TrainingError
from p2_nn_service.runs import find_run, runs_dir
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import NETWORK_FILE, load_classifier
from p2_nn_service.training.distributed import best_device
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training.recipes import recipe_for
from p2_nn_service.training_options import Changes, changed

TENSORBOARD_DIR = "tensorboard/debug"
_STYLES: dict[Severity, str] = {"problem": "bold red", "warning": "yellow", "ok": "green"}
_N_SUSPECTS = 8


@dataclass(frozen=True)
class Order:
    """What a person asked for: a run by its id, else a data set and a model."""

    run: str
    dataset: str
    model: str
    changes: Changes
    seconds: float
    is_json: bool
    out: Path | None


def carry_out(order: Order, settings: Settings) -> int:
    """Debug as ordered and say what was found; returns the exit code."""
    with _shown() as told, ExitStack() as stack:
        try:
            told("opening the data", 0)
            subject, home = _subject(order, settings)
            stack.enter_context(fastest_threads(subject))
        except KeyboardInterrupt:
            raise KeyboardInterrupt("while it opened the data: nothing was looked at") from None
        report = examine(subject, seconds=order.seconds, told=told)
    if order.is_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        _tell(report, console())
    _keep_pictures(report, home, order.out)
    return int(report.has_problem)


def _keep_pictures(report: Report, home: Path, out: Path | None) -> None:
    """Write pictures into the run's TensorBoard folder, and as PNG where asked."""
    keep_to_ourselves()
    write_tensorboard(report, home / TENSORBOARD_DIR)
    where = f"pictures: `tensorboard --logdir {home.parent}`"
    if out is not None:
        write_pngs(report, out)
        where += f", and {out}"
    typer.echo(where, err=True)


def _subject(order: Order, settings: Settings) -> tuple[Subject, Path]:
    """Return what to debug, and the folder that its pictures belong to."""
    if order.run and (order.dataset or order.model):
        raise RecipeError("a run has its data set and model; leave out --dataset and --model")
    if order.run:
        return _of_run(order, settings)
    source, model = order.dataset or "fashion-mnist", order.model or "cnn"
    changes = {"seed": settings.seed} | order.changes
    changed(recipe_for(model, source), changes)  # refused before any data is read
    dataset = open_dataset(source, settings)
    recipe = changed(recipe_for(model, dataset.name, dataset.kind), changes)
    subject = of_classifier(dataset, model, recipe, device=best_device())
    subject.fresh()  # a model that cannot read such examples is refused here
    return subject, runs_dir(settings.data_dir) / f"debug-{model}-{dataset.name}"


def _of_run(order: Order, settings: Settings) -> tuple[Subject, Path]:
    """Return a run as it was begun, with its network if it has come to its end."""
    folder = find_run(settings.data_dir, order.run)
    record = folder.read()
    recipe = changed(Recipe.from_text(record.recipe), order.changes)
    dataset = open_dataset(record.source or record.dataset, settings)
    trained = None
    if (folder.path / NETWORK_FILE).is_file():
        trained = load_classifier(order.run, settings=settings, dataset=dataset).network
    elif dataset.fingerprint != record.dataset_fingerprint:
        raise TrainingError(f"the data set {record.source} has changed since run {record.id} began")
    subject = of_classifier(
        dataset, record.model, recipe, name=f"run {record.id}", trained=trained,
        device=best_device(),
    )  # fmt: skip
    return subject, folder.path


@contextmanager
def _shown() -> Generator[Told]:
    """Show on standard error what is being done."""
    columns = (TextColumn("{task.description}"), BarColumn(24), TextColumn("Ctrl-C: what is known"))
    to = Console(stderr=True)
    with Progress(*columns, console=to, transient=True, disable=not to.is_terminal) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda words, share: bar.update(task, description=words, completed=share)


def _tell(report: Report, to: Console) -> None:
    """Print the verdict, then a row for each check, then labels to look at."""
    to.print(Text(f"{report.subject}: {report.verdict}", style="bold"))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in report.findings:
        what = f"{one.verdict} {one.next}" if one.severity != "ok" else one.verdict
        table.add_row(Text(one.severity, style=_STYLES[one.severity]), one.code, Text(what.strip()))
    for one in report.left_out:
        table.add_row(Text("not done", style="dim"), one.code, Text(one.reason, style="dim"))
    to.print(table)
    if any("there was time for" in one.reason for one in report.left_out):
        to.print("More is seen with more time: --seconds")
    for one in report.findings:
        _tell_suspects(one, to)


def _tell_suspects(finding: Finding, to: Console) -> None:
    if finding.severity == "ok" or not finding.suspects:
        return
    to.print(Text(f"\nThe surest of {finding.code}:"))
    for one in finding.suspects[:_N_SUSPECTS]:
        to.print(
            Text(f"  row {one.row}: labelled {one.label}, taken for {one.said} "),
            Text(f"({one.probability:.0%})"), sep="",
        )  # fmt: skip
