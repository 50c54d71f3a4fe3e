"""The work behind `p2-nn-service train`: open the data, train, show how it goes, say what next."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from torch import nn
from torch.optim import Optimizer
from typing_extensions import override

from p2_nn_service.contracts import RunRecord
from p2_nn_service.data.datasets import open_dataset
from p2_nn_service.errors import RecipeError
from p2_nn_service.models.building import check_preset
from p2_nn_service.runs import find_run
from p2_nn_service.settings import Settings
from p2_nn_service.tracking.sinks import Sample, check_sinks, make_sinks
from p2_nn_service.training.classifying import (
    ClassifierRun,
    check_classifies,
    resume_classifier,
    train_classifier,
)
from p2_nn_service.training.distributed import together, who
from p2_nn_service.training.loop import Keeping
from p2_nn_service.training.memory import keep_freed_memory
from p2_nn_service.training.recipes import recipe_for
from p2_nn_service.training.watching import Watcher
from p2_nn_service.training_options import Changes, changed


@dataclass(frozen=True)
class Order:
    """What a person asked for on the command line; `resume` names a run to go on with."""

    dataset: str
    model: str
    changes: Changes
    resume: str
    checkpoint_s: float
    trackers: tuple[str, ...] = ()


def carry_out(order: Order, settings: Settings) -> None:
    """Train as ordered, alone or under `torchrun`, and say how it ended."""
    if order.resume and order.changes:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in order.changes)
        raise RecipeError(f"a run is gone on with as it was begun; leave out {named}")
    keep_freed_memory()
    with together(), shown_progress() as shown:
        run = _trained(order, settings, shown)
        if who().is_first:
            _tell(run.record)


def _trained(order: Order, settings: Settings, watchers: Sequence[Watcher]) -> ClassifierRun:
    check_sinks(order.trackers)
    keeping = Keeping(every_s=order.checkpoint_s)
    if order.resume:
        record = find_run(settings.data_dir, order.resume).read()
        check_classifies(record)
        dataset = open_dataset(record.source or record.dataset, settings)
        sinks = make_sinks(order.trackers, settings, sample=Sample.of(dataset))
        return resume_classifier(
            order.resume, settings=settings, dataset=dataset, sinks=[*sinks, *watchers],
            keeping=keeping,
        )  # fmt: skip
    changes = {"seed": settings.seed} | order.changes
    check_preset(order.model)
    changed(recipe_for(order.model), changes)  # both are refused before any data is read
    dataset = open_dataset(order.dataset, settings)
    recipe = changed(recipe_for(order.model, dataset.name, dataset.kind), changes)
    for note in dataset.notes if who().is_first else ():
        typer.echo(f"  {note}", err=True)
    sinks = make_sinks(order.trackers, settings, sample=Sample.of(dataset))
    return train_classifier(
        dataset, order.model, recipe, settings=settings, source=order.dataset,
        sinks=[*sinks, *watchers], keeping=keeping,
    )  # fmt: skip


def _tell(record: RunRecord) -> None:
    """Say how it ended and what to do next."""
    if record.status == "interrupted":
        typer.echo(
            f"stopped after step {record.step:,}; everything is kept: "
            f"`p2-nn-service train --resume {record.id}` goes on from there"
        )
        return
    accuracy, n_epochs = record.metrics["held_out_accuracy"], record.epoch
    early = f" ({record.reason})" if record.reason else ""
    typer.echo(
        f"{record.model} on {record.dataset}: {accuracy:.2%} of held-out examples right after "
        f"{n_epochs} epoch{'' if n_epochs == 1 else 's'}{early} and {record.train_s:,.0f} s of "
        f"training, {record.n_parameters:,} parameters. Next: `p2-nn-service debug {record.id}` "
        f"or `p2-nn-service publish {record.id}`"
    )


class ProgressBar(Watcher):
    """A bar for each epoch: loss, held-out accuracy, examples a second, time left of the run."""

    def __init__(self, bar: Progress) -> None:
        self.bar = bar
        self.task = bar.add_task("", total=None, rate="", left="")

    @override
    def started(self, record: RunRecord) -> None:
        self.record, self.first, self.since = record, record.step, time.monotonic()
        self.in_epoch = max(1, record.steps // max(1, record.epochs))
        passes = int(record.recipe["batch_size"]) * int(record.recipe["accumulate"])
        self.n_examples = passes
        self._say(
            f"run {record.id}: {record.model}, {record.n_parameters:,} parameters, on "
            f"{record.device} in {record.precision}; Ctrl-C keeps what it has learned"
        )

    @override
    def stepped(self, step: int, loss: float, model: nn.Module, optimiser: Optimizer) -> None:
        pace = (time.monotonic() - self.since) / max(1, step - self.first)  # seconds a step
        left = round(pace * (self.record.steps - step))
        self.bar.update(
            self.task,
            description=f"epoch {(step - 1) // self.in_epoch + 1}/{self.record.epochs}",
            total=self.in_epoch,
            completed=(step - 1) % self.in_epoch + 1,
            rate=f"loss {loss:.3f}  {self.n_examples / max(pace, 1e-9):,.0f}/s",
            left=f"{left // 60}:{left % 60:02d} left",
        )

    @override
    def epoch_ended(self, record: RunRecord, metrics: dict[str, float]) -> None:
        self._say(
            f"epoch {record.epoch}/{record.epochs}: loss {metrics['loss']:.4f}, "
            f"{_quality(metrics)}, {record.train_s:.1f} s of training"
        )

    def _say(self, text: str) -> None:
        self.bar.console.print(text, soft_wrap=True, highlight=False, markup=False)


def _quality(metrics: dict[str, float]) -> str:
    """Say how good an epoch left it, in the measure of its task."""
    if "held_out_bits" in metrics:
        return f"held-out {metrics['held_out_bits']:.3f} bits a character"
    return f"held-out accuracy {metrics['held_out_accuracy']:.2%}"


@contextmanager
def shown_progress() -> Generator[list[Watcher]]:
    """Show progress on standard error while inside; the first process alone does."""
    if not who().is_first:
        yield []
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(24),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[left]}"),
    )
    to = Console(stderr=True)
    with Progress(*columns, console=to, transient=True, disable=not to.is_terminal) as bar:
        yield [ProgressBar(bar)]
