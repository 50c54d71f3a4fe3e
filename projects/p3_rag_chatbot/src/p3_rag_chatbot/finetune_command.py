"""The work behind `p3-rag-chatbot finetune`: train an adapter, show how it goes, say what next."""

import typer
from p2_nn_service import RunRecord, Watcher
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn
from torch.optim import Optimizer
from typing_extensions import override

from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.training.finetuning import finetune
from p3_rag_chatbot.training.orders import Order


class _Shown(Watcher):
    """A bar over all steps, and a line for each epoch's figures."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None, loss="")
        self.run_id = ""

    @override
    def started(self, record: RunRecord) -> None:
        self.run_id = record.id
        self._bar.console.print(
            f"run {record.id}: {record.steps:,} steps on {record.device} in {record.precision}; "
            "Ctrl-C keeps what it has learned",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
        self._bar.update(self._task, total=record.steps, completed=record.step)

    @override
    def stepped(self, step: int, loss: float, model: nn.Module, optimiser: Optimizer) -> None:
        self._bar.update(self._task, completed=step, loss=f"loss {loss:.3f}")

    @override
    def epoch_ended(self, record: RunRecord, metrics: dict[str, float]) -> None:
        told = ", ".join(
            f"{name.removeprefix('held_out_')} {value:.3f}" for name, value in metrics.items()
        )
        self._bar.console.print(
            f"part {record.epoch} of {record.epochs}: {told}", highlight=False, soft_wrap=True
        )


def carry_out(order: Order, settings: Settings) -> None:
    """Fine-tune as ordered, and say how it ended.

    Raises `KeyboardInterrupt` where it was stopped, which says how to go on.
    """
    columns = (
        MofNCompleteColumn(), BarColumn(24),
        TextColumn("{task.fields[loss]}"), TimeRemainingColumn(),
    )  # fmt: skip
    to = Console(stderr=True)
    with Progress(*columns, console=to, transient=True, disable=not to.is_terminal) as bar:
        shown = _Shown(bar)
        try:
            done = finetune(order, settings, [shown])
        except KeyboardInterrupt:
            if not shown.run_id:
                raise
            kept = f"{_resume(order, shown.run_id)} goes on from what it kept last"
            raise KeyboardInterrupt(kept) from None
    record = done.fitted.record
    if done.card is None:
        raise KeyboardInterrupt(
            f"after step {record.step:,}; everything is kept: {_resume(order, record.id)} "
            "goes on from there"
        )
    told = ", ".join(f"{name} {value:g}" for name, value in done.card.metrics.items())
    typer.echo(f"{order.name}: {told}, on {done.card.held_out}. It lies in {done.folder}")


def _resume(order: Order, run_id: str) -> str:
    return f"`p3-rag-chatbot finetune {order.name} --resume {run_id}`"
