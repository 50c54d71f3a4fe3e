"""The work behind `p3-rag-chatbot index`: bring a collection up to date, and tell how it went."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from p3_rag_chatbot.ingestion.fetching import Fetcher
from p3_rag_chatbot.ingestion.indexing import CHUNKS_AT_ONCE, Indexer
from p3_rag_chatbot.ingestion.progress import Failure, IndexEvent, IndexReport, Tell
from p3_rag_chatbot.ingestion.reembedding import is_of_another, reembed
from p3_rag_chatbot.ingestion.sources import corpus_of
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.ports import Embedder
from p3_rag_chatbot.settings import Settings

INTERRUPTED = 130  # what a shell expects of a command that was ended by Ctrl-C
_MOST_TOLD = 20
_WIDTH = 50


def carry_out_index(
    paths: Sequence[str],
    *,
    collection: str,
    is_forced: bool,
    library: Library,
    embedder: Embedder,
    settings: Settings,
    chunks_at_once: int = CHUNKS_AT_ONCE,
) -> int:
    """Index files, folders, archives and web addresses; returns the exit code.

    0 when all was read, 1 when something was not, 130 when it was interrupted: what was done by
    then is kept, and the same command goes on from there.
    """
    if collection not in {one.name for one in library.collections()}:
        library.create_collection(collection)
    console = Console(stderr=True)
    kinds: Counter[str] = Counter()
    indexer = Indexer(library, embedder, settings, chunks_at_once=chunks_at_once)
    try:
        corpus = corpus_of(paths, settings, Fetcher(settings))
        with _bar(console, len(corpus.targets)) as show:

            def tell(event: IndexEvent) -> None:
                kinds[event.kind] += 1
                show(event)

            report = indexer.index(collection, corpus, tell=tell, is_forced=is_forced)
    except KeyboardInterrupt:
        typer.echo(f"interrupted: {_counts(kinds)}; the same command goes on from there", err=True)
        return INTERRUPTED
    finally:
        indexer.close()
    _tell_failures("could not be read", report.failures)
    _tell_failures("was not read whole", report.notes)
    typer.echo(f"{collection}: {_counts(kinds)}; {_speed(report)}")
    return 1 if report.failures else 0


def carry_out_reembed(collection: str, library: Library, embedder: Embedder) -> int:
    """Embed a collection's texts anew where another model's vectors are there.

    Returns the exit code: 0, or 130 when it was interrupted; the same command goes on from there.
    """
    if not is_of_another(library, collection, embedder):
        typer.echo(f"{collection}: nothing to do, its vectors are of {embedder.name}")
        return 0
    console = Console(stderr=True)
    so_far = ""
    try:
        with _bars(console) as bars:
            task = bars.add_task("embedding")

            def tell(n_done: int, n: int) -> None:
                nonlocal so_far
                if n_done and not so_far:
                    typer.echo(f"{collection}: goes on, {n_done} of {n} chunks are done", err=True)
                so_far = f"{n_done} of {n} chunks are embedded"
                bars.update(task, completed=n_done, total=n)

            n_chunks = reembed(library, collection, embedder, tell=tell)
    except KeyboardInterrupt:
        done = so_far or "nothing is embedded"
        typer.echo(f"interrupted: {done}; the same command goes on from there", err=True)
        return INTERRUPTED
    typer.echo(f"{collection}: {n_chunks} chunks embedded by {embedder.name}")
    return 0


@contextmanager
def _bar(console: Console, total: int) -> Iterator[Tell]:
    """Show how far it is, on a terminal; what is yielded is told of each document."""
    with _bars(console) as bars:
        task = bars.add_task("indexing", total=total)

        def show(event: IndexEvent) -> None:
            name = event.source if len(event.source) <= _WIDTH else f"…{event.source[1 - _WIDTH :]}"
            bars.update(task, description=escape(name), completed=event.n_done)

        yield show


def _bars(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _tell_failures(what: str, failures: Sequence[Failure]) -> None:
    for one in failures[:_MOST_TOLD]:
        typer.echo(f"{what}: {one.source}: {one.reason}", err=True)
    if len(failures) > _MOST_TOLD:
        typer.echo(f"{what}: and {len(failures) - _MOST_TOLD} more", err=True)


def _counts(kinds: Counter[str]) -> str:
    order = ("indexed", "unchanged", "removed", "failed")
    return ", ".join(f"{kinds[kind]} {kind}" for kind in order if kinds[kind]) or "nothing to do"


def _speed(report: IndexReport) -> str:
    rate = report.n_chunks / report.seconds if report.seconds else 0.0
    return f"{report.n_chunks} chunks in {report.seconds:.1f} s ({rate:.0f} a second)"
