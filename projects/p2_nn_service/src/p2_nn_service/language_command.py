"""The work behind `p2-nn-service language`: train a network on a text, let a trained one write."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import typer

from p2_nn_service.contracts import RunRecord
from p2_nn_service.errors import RecipeError, TrainingError
from p2_nn_service.language.sampling import continue_text
from p2_nn_service.language.texts import open_text
from p2_nn_service.language.training import (
    RECIPE,
    LanguageRun,
    Shape,
    load_language,
    resumed_shape,
    train_language,
)
from p2_nn_service.runs import find_run, list_runs
from p2_nn_service.settings import Settings
from p2_nn_service.tracking.sinks import check_sinks, make_sinks
from p2_nn_service.train_command import shown_progress
from p2_nn_service.training.classifying import new_folder
from p2_nn_service.training.distributed import together, who
from p2_nn_service.training.loop import Keeping
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training.watching import Watcher
from p2_nn_service.training_options import Changes, changed


@dataclass(frozen=True)
class Order:
    """What a person asked for on the command line; `resume` names a run to go on with."""

    text: str
    shape: Shape
    changes: Changes
    resume: str
    checkpoint_s: float
    trackers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Writing:
    """How a network is to write."""

    prompt: str
    n_characters: int
    temperature: float
    top_p: float
    seed: int


def carry_out(order: Order, settings: Settings) -> None:
    """Train as ordered, alone or under `torchrun`; say how good it became, and let it write."""
    if order.resume and order.changes:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in order.changes)
        raise RecipeError(f"a run is gone on with as it was begun; leave out {named}")
    check_sinks(order.trackers)
    with together(), shown_progress() as shown:
        run = _trained(order, settings, shown)
        if who().is_first:
            _tell(run)


def write(run_id: str, writing: Writing, settings: Settings) -> None:
    """Print the prompt and what a run's network goes on with, as it comes."""
    run = load_language(run_id or _newest(settings), settings=settings)
    _print(run, writing)


def _trained(order: Order, settings: Settings, watchers: Sequence[Watcher]) -> LanguageRun:
    sinks = [*make_sinks(order.trackers, settings), *watchers]
    keeping = Keeping(every_s=order.checkpoint_s)
    if order.resume:
        folder = find_run(settings.data_dir, order.resume)
        record = folder.read()
        if record.kind != "text":
            raise TrainingError(
                f"run {record.id} is a classifier: `p2-nn-service train --resume {record.id}` "
                "goes on with it"
            )
        text = open_text(record.source, settings)
        return train_language(
            text, resumed_shape(record, text), Recipe.from_text(record.recipe), folder=folder,
            sinks=sinks, keeping=keeping, resume=True,
        )  # fmt: skip
    recipe = changed(replace(RECIPE, seed=settings.seed), order.changes)
    text = open_text(order.text, settings)
    return train_language(
        text, order.shape, recipe, source=order.text, sinks=sinks, keeping=keeping,
        folder=new_folder(settings.data_dir, order.shape.kind, text.name),
    )  # fmt: skip


def _tell(run: LanguageRun) -> None:
    record = run.record
    if record.status == "interrupted":
        typer.echo(
            f"stopped after step {record.step:,}; everything is kept: "
            f"`p2-nn-service language train --resume {record.id}` goes on from there"
        )
        return
    typer.echo(
        f"{record.model} on {record.dataset}: {record.metrics['held_out_bits']:.3f} bits for a "
        f"held-out character ({record.metrics['held_out_accuracy']:.1%} guessed first) after "
        f"{record.train_s:,.0f} s of training, {record.n_parameters:,} parameters. It writes:\n"
    )
    _print(run, Writing("", 200, 0.8, 0.95, 0))
    typer.echo(f"\nNext: `p2-nn-service language write {record.id} --prompt …`")


def _print(run: LanguageRun, how: Writing) -> None:
    following = continue_text(
        run.network.cpu(), run.characters, how.prompt, n_characters=how.n_characters,
        temperature=how.temperature, top_p=how.top_p, seed=how.seed,
    )  # fmt: skip
    typer.echo(how.prompt, nl=False)
    for character in following:
        typer.echo(character, nl=False)
    typer.echo("")


def _newest(settings: Settings) -> str:
    """Return the newest finished language model."""

    def is_wanted(record: RunRecord) -> bool:
        return record.kind == "text" and record.status == "finished"

    found = next(filter(is_wanted, list_runs(settings.data_dir)), None)
    if found is None:
        raise TrainingError(
            "there is no finished language model yet; begin with `p2-nn-service language train`"
        )
    return found.id
