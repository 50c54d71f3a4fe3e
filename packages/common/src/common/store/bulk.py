"""Many rows in one statement.

An SQLite driver that steps row by row gives up and takes back the interpreter's lock for each:
beside a busy event loop every row may wait a whole switch interval (5 ms), and a log falls behind
at a few hundred rows a second. Here one statement binds the values of many rows and is stepped
once. It takes 0.8 µs a row of a prediction log; the same rows through SQLite's JSON take 4.6.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import sqlalchemy as sa

_PLAIN = (sa.Text, sa.String, sa.Integer, sa.Float, sa.Boolean)
"""Column types whose values the SQLite driver takes as they are."""
MAX_VALUES = 4_000
"""Values bound by one statement; SQLite takes 32,766, its parser is quicker with fewer."""


MAX_BYTES = 500_000
"""About how much one statement binds: the driver keeps a statement's values until its next use."""


def insert_rows(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, object]],
    *,
    n_bytes: int = 0,
) -> None:
    """Insert rows that all have the same keys, of about `n_bytes` together.

    Raises what the database raises.
    """
    if not rows:
        return
    names = list(rows[0])
    is_plain = all(isinstance(table.c[name].type, _PLAIN) for name in names)
    if connection.dialect.name != "sqlite" or not is_plain:
        connection.execute(sa.insert(table), [dict(row) for row in rows])
        return
    n_at_once = min(MAX_VALUES // len(names), MAX_BYTES * len(rows) // max(1, n_bytes))
    start = 0
    for size in _powers_of_two(len(rows), n_at_once):
        some = rows[start : start + size]
        start += size
        values = tuple(chain.from_iterable([[row[name] for name in names] for row in some]))
        connection.exec_driver_sql(_statement(connection, table, names, size), values)


def _powers_of_two(n_rows: int, n_at_once: int) -> Iterator[int]:
    """Cut into few different sizes: the driver keeps every statement it has seen, values included.

    Of 128 statements of any length it held 40 MB.
    """
    while n_rows:
        size = 1 << min(n_rows, max(1, n_at_once)).bit_length() - 1
        yield size
        n_rows -= size


def _statement(connection: sa.Connection, table: sa.Table, names: list[str], n_rows: int) -> str:
    quote = connection.dialect.identifier_preparer
    columns = ", ".join(quote.quote(name) for name in names)
    one = f"({', '.join('?' * len(names))})"
    return f"INSERT INTO {quote.format_table(table)} ({columns}) VALUES {', '.join([one] * n_rows)}"  # noqa: S608 - names of our own tables, quoted
