"""Tables in a terminal: what a person copies (a name, an address, an id) is never cut or broken.

Where nobody looks (a pipe, a file) a row is one line, so that `grep` and `cut` find it whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

UNBOUNDED = 10_000


def console() -> Console:
    """Return a console as wide as the terminal, or as wide as it takes where there is none."""
    found = Console()
    return found if found.is_terminal else Console(width=UNBOUNDED)


def print_table(
    titles: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    whole: Collection[str] = (),
    to: Console | None = None,
) -> None:
    """Print rows under `titles`; columns named in `whole` keep each cell on one line.

    A cell may be a rich `Text` of its own style; anything else is shown as its text.
    """
    table = Table(box=None, pad_edge=False, show_header=any(titles))
    for title in titles:
        table.add_column(title, no_wrap=title in whole, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    (to or console()).print(table)
