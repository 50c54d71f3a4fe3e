"""How far a long reading or download is: a bar on a terminal, silence everywhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn
from rich.progress import TimeRemainingColumn as TimeLeft

Advance = Callable[[int], None]


@contextmanager
def progress(title: str, total: int, *, in_bytes: bool = False) -> Iterator[Advance]:
    """Show a bar on stderr while the block runs; what is yielded is told of each part done."""
    console = Console(stderr=True)
    amount = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeLeft())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        task = bars.add_task(title, total=total)
        yield lambda n: bars.advance(task, n)
