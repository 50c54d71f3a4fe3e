"""The work behind `p2-nn-service why-transformers`: measure, show how far it is, say what came."""

from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from p2_nn_service.language.texts import open_text
from p2_nn_service.language.why.experiment import run_experiment
from p2_nn_service.language.why.findings import Findings, Wish
from p2_nn_service.language.why.plots import draw
from p2_nn_service.settings import Settings

_MINUTES, _QUICK_MINUTES = 6.0, 0.4


@dataclass(frozen=True)
class Order:
    """What a person asked for on the command line; without minutes, the usual ones."""

    out: Path
    minutes: float | None
    text: str
    seed: int
    is_quick: bool


def carry_out(order: Order, settings: Settings) -> None:
    """Run the experiment or go on with it; draw it, and say in words what it shows."""
    text = open_text(order.text, settings)
    wish = Wish(
        text=text.name,
        fingerprint=text.fingerprint,
        minutes=order.minutes or (_QUICK_MINUTES if order.is_quick else _MINUTES),
        seed=order.seed,
        is_quick=order.is_quick,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())  # fmt: skip
    try:
        to = Console(stderr=True)
        with Progress(*columns, console=to, transient=True, disable=not to.is_terminal) as bar:
            task = bar.add_task("planning", total=None)
            found = run_experiment(
                text, wish, order.out,
                lambda done, of, name: bar.update(
                    task, completed=done, total=of, description=name
                ),
            )  # fmt: skip
    except KeyboardInterrupt:
        where = f"what was measured is in {order.out}: the same command goes on"
        raise KeyboardInterrupt(where) from None
    _tell(found, order.out)


def _tell(found: Findings, out: Path) -> None:
    paths = draw(found, out)
    for sentence in found.verdict:
        typer.echo(f"- {sentence}")
    typer.echo(f"drawn to {', '.join(str(path) for path in paths)}; figures in {out}/findings.json")
