"""The command `p2-nn-service`: serves without a verb; trains, debugs, publishes and compares."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from common.service.command import run_command, service_command

from p2_nn_service.errors import TrainingError
from p2_nn_service.settings import Settings
from p2_nn_service.training.recipe import PRESET_NAMES
from p2_nn_service.training_options import Changes, with_recipe_options

if TYPE_CHECKING:
    from fastapi import FastAPI


def _create_app(settings: Settings) -> "FastAPI":
    from p2_nn_service.api import create_app  # noqa: PLC0415 - a verb needs no server

    return create_app(settings)


app = service_command("p2-nn-service", Settings, _create_app)


@app.command()
@with_recipe_options
def train(
    context: typer.Context,
    dataset: Annotated[
        str, typer.Option(help="A name, or a path: a folder of images by class, .ts, .csv.")
    ] = "fashion-mnist",
    model: Annotated[str, typer.Option(help=f"One of {', '.join(PRESET_NAMES)}.")] = "cnn",
    resume: Annotated[str, typer.Option(help="Go on with this run, as it was begun.")] = "",
    checkpoint_s: Annotated[
        float, typer.Option(min=0, help="Seconds between two checkpoints within an epoch; 0: none.")
    ] = 60.0,
    *,
    changes: Changes,
) -> None:
    """Train a network; also under torchrun. What is not named is the model's own recipe."""
    _need_training()
    from p2_nn_service.train_command import Order, carry_out  # noqa: PLC0415 - torch

    carry_out(Order(dataset, model, changes, resume, checkpoint_s), context.obj)


@app.command()
@with_recipe_options
def debug(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="A run to look at; without one, what to train.")] = "",
    dataset: Annotated[str, typer.Option(help="As for train. [default: fashion-mnist]")] = "",
    model: Annotated[str, typer.Option(help="As for train. [default: cnn]")] = "",
    seconds: Annotated[float, typer.Option(min=1, help="Longest it may take; about.")] = 60.0,
    is_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder to write pictures to, as PNG.")] = None,
    *,
    changes: Changes,
) -> None:
    """Look at a network as an expert does: verdicts in words; exit code 1 when it is broken."""
    _need_training()
    from p2_nn_service.debug_command import Order, carry_out  # noqa: PLC0415 - torch

    order = Order(run, dataset, model, changes, seconds, is_json, out)
    raise typer.Exit(code=carry_out(order, context.obj))


def _need_training() -> None:
    if find_spec("torch") is None:
        raise TrainingError(
            "training is not installed here; install ai-roadmap-p2-nn-service[train]"
        )


def main() -> None:
    """Run the command."""
    run_command(app)


if __name__ == "__main__":
    main()
