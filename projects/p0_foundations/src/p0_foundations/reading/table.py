"""A table that was read: its rows, what was decided on the way, and the way once more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa

from p0_foundations.reading.decisions import Reading
from p0_foundations.reading.sources import Progress

MAX_COLUMNS = 5_000
MAX_HELD_ROWS = 1_000_000
MAX_HELD_BYTES = 512 * 1024 * 1024


@dataclass(frozen=True)
class Holding:
    """How much of a table is held at once; of a longer one a uniform random sample is."""

    max_rows: int = MAX_HELD_ROWS
    max_bytes: int = MAX_HELD_BYTES
    max_columns: int = MAX_COLUMNS
    seed: int = 0


@dataclass(frozen=True)
class Again:
    """How to go through a file's rows once more, by what was found the first time.

    `pieces` yields rows that are not typed yet; `names` stand for the names there, if given.
    """

    pieces: Callable[[Progress], Iterator[pa.Table]]
    names: tuple[str, ...] = ()
    is_padded: bool = False


@dataclass(frozen=True)
class Table:
    """A typed frame, and what was decided while it was read; of a file, how to read it `again`."""

    frame: pd.DataFrame
    reading: Reading
    again: Again | None = field(default=None, repr=False, compare=False)
