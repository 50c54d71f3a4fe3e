"""The command `p3-rag-chatbot`: serves without a verb; indexes, asks, fine-tunes, evaluates."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from common.service.command import run_command, service_command

from p3_rag_chatbot.contracts import Depth
from p3_rag_chatbot.errors import TrainingMissingError
from p3_rag_chatbot.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI


def _create_app(settings: Settings) -> "FastAPI":
    from p3_rag_chatbot.api import create_app  # noqa: PLC0415 - a verb needs no server

    return create_app(settings)


app = service_command("p3-rag-chatbot", Settings, _create_app)
Collection = Annotated[str, typer.Option(help="Collection; default: the settings' own.")]


@app.command()
def index(
    context: typer.Context,
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders, ZIP archives, web pages, sitemaps.")
    ],
    collection: Collection = "",
    is_forced: Annotated[
        bool, typer.Option("--force", help="Also read again what has not changed.")
    ] = False,
) -> None:
    """Keep a collection like these sources; exit code 1 where something could not be read."""
    from p3_rag_chatbot.embedding.embedder import OnnxEmbedder  # noqa: PLC0415 - ONNX Runtime
    from p3_rag_chatbot.index_command import carry_out_index  # noqa: PLC0415 - every loader
    from p3_rag_chatbot.library.library import open_library  # noqa: PLC0415 - SQL

    settings: Settings = context.obj
    with open_library(settings) as library:
        code = carry_out_index(
            paths,
            collection=collection or settings.collection,
            is_forced=is_forced,
            library=library,
            embedder=OnnxEmbedder.of(settings),
            settings=settings,
        )
    raise typer.Exit(code=code)


@app.command()
def reembed(context: typer.Context, collection: Collection = "") -> None:
    """Embed a collection's texts with the present embedder, where another one did.

    The old vectors are searched until all new ones are there; ended before, it goes on from there.
    """
    from p3_rag_chatbot.embedding.embedder import OnnxEmbedder  # noqa: PLC0415 - ONNX Runtime
    from p3_rag_chatbot.index_command import carry_out_reembed  # noqa: PLC0415 - every loader
    from p3_rag_chatbot.library.library import open_library  # noqa: PLC0415 - SQL

    settings: Settings = context.obj
    with open_library(settings) as library:
        embedder = OnnxEmbedder.of(settings)
        code = carry_out_reembed(collection or settings.collection, library, embedder)
    raise typer.Exit(code=code)


@app.command()
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What is asked of the documents.")],
    collection: Collection = "",
    depth: Annotated[
        Depth | None, typer.Option(help="How deep; default: the settings' own.")
    ] = None,
    is_json: Annotated[bool, typer.Option("--json", help="Print the reasons as JSON.")] = False,
) -> None:
    """Answer a question from documents; exit code 1 where they do not say."""
    from p3_rag_chatbot.ask_command import Order, carry_out  # noqa: PLC0415 - models

    is_said = carry_out(Order(question, collection or None, depth, is_json), context.obj)
    raise typer.Exit(code=0 if is_said else 1)


@app.command()
def evaluate(
    context: typer.Context,
    questions: Annotated[
        Path, typer.Argument(help="SQuAD's .json, a folder in BEIR's form, or a .csv.")
    ],
    depths: Annotated[
        str, typer.Option(help="Of extract, generate, free, by comma: measured and compared.")
    ] = "extract",
    collection: Annotated[str, typer.Option(help="For a .csv: what is asked.")] = "",
    n: Annotated[int, typer.Option(min=2, help="Questions, chosen by the seed.")] = 200,
    k: Annotated[int | None, typer.Option(min=1, max=50, help="Passages an answer uses.")] = None,
    gate: Annotated[
        list[str] | None, typer.Option(help="A bound, such as f1>=0.6; exit code 1 below it.")
    ] = None,
    is_fitting: Annotated[
        bool, typer.Option("--fit", help="Weigh reader and search anew, by these questions.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write a .md, .html or .json.")] = None,
) -> None:
    """Measure answers on a question set: retrieval, F1, refusals, citations, grounds, time."""
    if find_spec("sklearn") is None:
        raise TrainingMissingError
    from p3_rag_chatbot.evaluate_command import (  # noqa: PLC0415 - models
        Order,
        carry_out,
        parse_depths,
        parse_gate,
    )

    order = Order(
        questions, parse_depths(depths), collection or None, n, k,
        tuple(parse_gate(one) for one in gate or ()), report, is_fitting=is_fitting,
    )  # fmt: skip
    raise typer.Exit(code=carry_out(order, context.obj))


@app.command()
def finetune(
    context: typer.Context,
    adapter: Annotated[
        Literal["reader", "grounded", "tools"], typer.Argument(help="Which adapter.")
    ],
    own: Annotated[
        Path | None, typer.Option(help="CSV with question, passage, answer, to learn from too.")
    ] = None,
    rank: Annotated[int | None, typer.Option(help="Rank of the adapter, 1 to 256.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Parts to train for.")] = None,
    resume: Annotated[str, typer.Option(help="Go on with this run, as it was begun.")] = "",
    to: Annotated[Path | None, typer.Option(help="Folder to write the adapter to.")] = None,
) -> None:
    """Train an adapter of the embedded models: hours on a processor; a GPU is used if there is one.

    Ctrl-C keeps what it has learned, says how to go on, and exits with 130.
    """
    if find_spec("torch") is None or find_spec("peft") is None:
        raise TrainingMissingError
    from p3_rag_chatbot.training.orders import Order, as_begun  # noqa: PLC0415 - for training

    order = as_begun(Order(adapter, own, rank, epochs, resume, to), context.obj)
    from p3_rag_chatbot.finetune_command import carry_out  # noqa: PLC0415 - torch

    carry_out(order, context.obj)


def main() -> None:
    """Run the command."""
    run_command(app)


if __name__ == "__main__":
    main()
