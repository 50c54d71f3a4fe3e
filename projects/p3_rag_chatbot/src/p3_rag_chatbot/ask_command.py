"""The work behind `p3-rag-chatbot ask`: an answer in the terminal, with what it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import typer
from rich.console import Console

from p3_rag_chatbot.contracts import Citation, Depth, RagAnswer, RagOptions
from p3_rag_chatbot.errors import NothingIndexedError
from p3_rag_chatbot.guides import GUIDES
from p3_rag_chatbot.openai_contracts import ChatRequest, Message
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.workshop import Workshop


@dataclass(frozen=True)
class Order:
    """What a person asked; `None` takes the settings' own."""

    question: str
    collection: str | None = None
    depth: Depth | None = None
    is_json: bool = False


def carry_out(order: Order, settings: Settings) -> bool:
    """Answer in the terminal as it comes; returns whether the documents say."""
    with Workshop.open(settings) as workshop:
        _prepare(order.collection or settings.collection, workshop)
        about = anyio.run(_answer, order, workshop)
    if order.is_json:
        typer.echo(about.model_dump_json(indent=2))
    elif about.depth != "free":
        _tell(about)
    return about.verdict != "not_in_documents"


def _prepare(collection: str, workshop: Workshop) -> None:
    """Bring the built-in collection up to date; say of another that is missing how it is made."""
    names = [one.name for one in workshop.library.collections()]
    if collection == GUIDES and workshop.settings.index_guides:
        if collection not in names:
            typer.echo("the guides are indexed, once", err=True)
        workshop.keep_guides()
    elif collection not in names:
        raise NothingIndexedError(collection)


async def _answer(order: Order, workshop: Workshop) -> RagAnswer:
    depth = order.depth or workshop.settings.depth
    request = ChatRequest(
        messages=(Message(role="user", content=order.question),),
        rag=RagOptions(collection=order.collection, depth=depth),
    )
    about: RagAnswer | None = None
    async with workshop.answering(needs_generator=depth != "extract") as rag:
        async for piece in rag.stream(request):
            if piece.text and not order.is_json:
                typer.echo(piece.text, nl=False)
            about = piece.rag or about
    if not order.is_json:
        typer.echo()
    if about is None:
        raise RuntimeError("an answer has its reasons in its last piece")
    return about


def _tell(about: RagAnswer) -> None:
    """Say what was quoted, and which sentences nothing supports."""
    console = Console(stderr=True)
    for one in about.citations:
        console.print(f"[{one.number}] {_place(one)}", markup=False, highlight=False)
    unsupported = [one.sentence for one in about.checks if not one.is_supported]
    for sentence in unsupported:
        console.print(f"unsupported: {sentence}", markup=False, highlight=False)
    sure, took = f"{about.confidence:.0%}", about.timings_ms.get("total", 0.0)
    console.print(f"{sure} sure, {took:,.0f} ms", markup=False, highlight=False)


def _place(one: Citation) -> str:
    parts: Sequence[str] = (
        one.title or one.source,
        " > ".join(one.headings),
        f"page {one.page}" if one.page else "",
        one.source if one.title else "",
    )
    return ", ".join(part for part in parts if part)
