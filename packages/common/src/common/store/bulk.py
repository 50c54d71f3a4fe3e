"""Many rows in one statement.

An SQLite driver that steps row by row gives up and takes back the interpreter's lock for each:
beside a busy event loop every row may wait a whole switch interval (5 ms), and a log falls behind
at a few hundred rows a second. Here SQLite unpacks a batch by itself from one JSON text
(https://sqlite.org/json1.html#jeach), which it does without the lock.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from pydantic_core import to_json

_PLAIN = (sa.Text, sa.String, sa.Integer, sa.Float, sa.Boolean)
"""Column types whose values JSON carries unchanged."""


def insert_rows(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]
) -> None:
    """Insert rows that all have the same keys; raises what the database raises."""
    if not rows:
        return
    names = list(rows[0])
    columns = [table.c[name] for name in names]
    is_plain = all(isinstance(column.type, _PLAIN) for column in columns)
    if connection.dialect.name != "sqlite" or not is_plain:
        connection.execute(sa.insert(table), [dict(row) for row in rows])
        return
    values = [[row[name] for name in names] for row in rows]
    cells = sa.func.json_each(sa.bindparam("rows", type_=sa.Text)).table_valued("value")
    picked = [
        sa.func.json_extract(cells.c.value, sa.literal_column(f"'$[{k}]'"))
        for k in range(len(names))
    ]
    statement = sa.insert(table).from_select(names, sa.select(*picked).select_from(cells))
    connection.execute(statement, {"rows": to_json(values).decode()})
