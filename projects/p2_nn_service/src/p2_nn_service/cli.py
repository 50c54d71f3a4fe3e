"""The command `p2-nn-service`: serves without a verb; trains, debugs, publishes and compares."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from common.service.command import run_command, service_command

from p2_nn_service.comparing.table import COSTS
from p2_nn_service.language_verbs import language, why_transformers
from p2_nn_service.settings import Settings
from p2_nn_service.training.recipe import PRESET_NAMES
from p2_nn_service.training_options import (
    Changes,
    CheckpointSeconds,
    Resume,
    Track,
    names,
    need_training,
    with_recipe_options,
)

if TYPE_CHECKING:
    from fastapi import FastAPI


def _create_app(settings: Settings) -> "FastAPI":
    from p2_nn_service.api import create_app  # noqa: PLC0415 - a verb needs no server

    return create_app(settings)


def _publish_first_model(settings: Settings) -> None:
    from p2_nn_service.first_model import publish_builtin  # noqa: PLC0415 - a verb needs it not

    publish_builtin(settings)


app = service_command("p2-nn-service", Settings, _create_app, before_serving=_publish_first_model)


@app.command()
@with_recipe_options
def train(
    context: typer.Context,
    dataset: Annotated[
        str, typer.Option(help="A name, or a path: a folder of images by class, .ts, .csv.")
    ] = "fashion-mnist",
    model: Annotated[str, typer.Option(help=f"One of {', '.join(PRESET_NAMES)}.")] = "cnn",
    resume: Resume = "",
    checkpoint_s: CheckpointSeconds = 60.0,
    track: Track = "tensorboard,mlflow",
    *,
    changes: Changes,
) -> None:
    """Train a network; also under torchrun. What is not named is the model's own recipe."""
    need_training()
    from p2_nn_service.train_command import Order, carry_out  # noqa: PLC0415 - torch

    carry_out(Order(dataset, model, changes, resume, checkpoint_s, names(track)), context.obj)


@app.command()
def publish(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="A finished run; default: the newest.")] = "",
    model: Annotated[str, typer.Option(help="Name in the registry; default: the served one.")] = "",
    alias: Annotated[str, typer.Option(help="Alias to move to the version; empty: none.")] = (
        "champion"
    ),
    to: Annotated[
        Path | None, typer.Option(help="Write the version's files to a folder; no registry.")
    ] = None,
) -> None:
    """Export a run, prove and measure the export, quantise it, publish it with its card."""
    need_training()
    from p2_nn_service.publish_command import carry_out_publish  # noqa: PLC0415 - torch

    carry_out_publish(run, model=model, alias=alias, to=to, settings=context.obj)


@app.command()
def compare(
    context: typer.Context,
    runs: Annotated[
        list[str] | None, typer.Argument(help="Runs of one data set; default: all of the newest's.")
    ] = None,
    dataset: Annotated[str, typer.Option(help="Compare the runs of this data set.")] = "",
    measure: Annotated[
        bool,
        typer.Option(
            help="Make and measure fp32, bf16, int8, pruned and distilled; minutes a run."
        ),
    ] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw to a .png, .svg or .pdf.")] = None,
    cost: Annotated[str, typer.Option(help=f"One of {', '.join(COSTS)}.")] = "latency_ms",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare runs and their variants: accuracy against size, arithmetic, training and latency."""
    from p2_nn_service.compare_command import Order, carry_out  # noqa: PLC0415 - reads every run

    if measure:
        need_training()
    order = Order(tuple(runs or ()), dataset, measure, plot, cost, as_json)
    carry_out(order, context.obj)


@app.command()
def classify(
    context: typer.Context,
    images: Annotated[list[Path], typer.Argument(help="PNG, JPEG, WebP, GIF or BMP files.")],
    top: Annotated[int, typer.Option(min=1, help="Likeliest classes that are told.")] = 3,
) -> None:
    """Classify image files with the served version, without a server."""
    from p2_nn_service.classify_command import classify_files  # noqa: PLC0415 - ONNX Runtime

    for line in classify_files(images, top=top, settings=context.obj):
        typer.echo(line)


app.add_typer(language, name="language")
app.command("why-transformers")(why_transformers)


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
    need_training()
    from p2_nn_service.debug_command import Order, carry_out  # noqa: PLC0415 - torch

    order = Order(run, dataset, model, changes, seconds, is_json, out)
    raise typer.Exit(code=carry_out(order, context.obj))


def main() -> None:
    """Run the command."""
    run_command(app)


if __name__ == "__main__":
    main()
