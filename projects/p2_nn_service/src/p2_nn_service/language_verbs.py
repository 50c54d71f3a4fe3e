"""The verbs about language: `language train`, `language write` and `why-transformers`. No torch."""

from pathlib import Path
from typing import Annotated

import typer

from p2_nn_service.language.kinds import KINDS
from p2_nn_service.training_options import (
    Changes,
    CheckpointSeconds,
    Resume,
    Track,
    names,
    need_training,
    with_recipe_options,
)

language = typer.Typer(
    help="Train a network on a text, character by character, and let it write.",
    no_args_is_help=True,
)
_TEXT = "tinyshakespeare, or the path of a text file."


@language.command()
@with_recipe_options
def train(
    context: typer.Context,
    text: Annotated[str, typer.Option(help=f"{_TEXT[:-1]}; the last tenth is held out.")] = (
        "tinyshakespeare"
    ),
    network: Annotated[str, typer.Option(help=f"One of {', '.join(KINDS)}.")] = "transformer",
    parameters: Annotated[
        int, typer.Option(min=1, help="About how many trained numbers it has.")
    ] = 400_000,
    characters: Annotated[int, typer.Option(min=2, help="Characters it sees at once.")] = 128,
    resume: Resume = "",
    checkpoint_s: CheckpointSeconds = 60.0,
    track: Track = "tensorboard,mlflow",
    *,
    changes: Changes,
) -> None:
    """Train a language model; also under torchrun. Ctrl-C keeps what it has learned."""
    need_training()
    from p2_nn_service.language.training import Shape  # noqa: PLC0415 - torch
    from p2_nn_service.language_command import Order, carry_out  # noqa: PLC0415 - torch

    shape = Shape(network, characters, parameters)
    carry_out(Order(text, shape, changes, resume, checkpoint_s, names(track)), context.obj)


@language.command()
def write(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="A finished run; default: the newest.")] = "",
    prompt: Annotated[str, typer.Option(help="What it goes on with; empty: it begins.")] = "",
    characters: Annotated[int, typer.Option(min=1, help="How many it adds.")] = 500,
    temperature: Annotated[
        float, typer.Option(min=0, help="Below 1 plays safe, above 1 dares; 0: the likeliest.")
    ] = 0.8,
    top_p: Annotated[
        float, typer.Option(min=0, max=1, help="Draw from the likeliest with this much together.")
    ] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is drawn.")] = 0,
) -> None:
    """Let a trained network go on with a prompt."""
    need_training()
    from p2_nn_service import language_command as work  # noqa: PLC0415 - torch

    work.write(run, work.Writing(prompt, characters, temperature, top_p, seed), context.obj)


def why_transformers(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option(help="Folder of figures and plots; found in part, it is gone on with.")
    ] = Path("why-transformers"),
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="About how long it may take on a quiet machine. [default: 6; quick: 0.4]"
        ),
    ] = None,
    text: Annotated[str, typer.Option(help=_TEXT)] = "tinyshakespeare",
    seed: Annotated[int, typer.Option(min=0, help="First of the seeds.")] = 0,
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small networks, short sequences, two seeds.")
    ] = False,
) -> None:
    """Measure why Transformers replaced recurrent networks: quality, pace, slope and recall."""
    need_training()
    from p2_nn_service import why_command as work  # noqa: PLC0415 - torch, Matplotlib

    work.carry_out(work.Order(out, minutes, text, seed, quick), context.obj)
