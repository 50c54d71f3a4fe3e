"""The command `p2-nn-service`: serves without a verb; trains, debugs, publishes and compares."""

from importlib.util import find_spec
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
