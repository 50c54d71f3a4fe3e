"""The small file by which a person overrides what was decided: TOML, checked by name.

`[file]` speaks of the whole file, `[columns.NAME]` of one column. What is not said is decided as
without a schema. `written` makes one from a reading, as a starting point.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from p0_foundations.errors import SchemaError, UnknownColumnError, nearest
from p0_foundations.reading.decisions import ColumnReading, Reading

Missing = tuple[str | int | float, ...]
Decimal = Literal["", ".", ","]
Thousands = Literal["", ".", ",", " ", "'"]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnSchema(_Said):
    """What a person says of one column; empty is: decide."""

    kind: Literal["", "number", "date", "category", "text", "ignore"] = ""
    format: str = Field(default="", description="Of dates, as strftime spells it.")
    decimal: Decimal = ""
    thousands: Thousands = ""
    missing: Missing = Field(default=(), description="Further values that mean: missing.")
    not_missing: tuple[str, ...] = Field(
        default=(), description='Of a category: spellings such as "NA" that are values.'
    )


class FileSchema(_Said):
    """What a person says of the file; empty is: decide."""

    encoding: str = ""
    separator: str = Field(default="", description='One character, or "spaces" for runs of them.')
    header: bool | None = None
    names: tuple[str, ...] = Field(default=(), description="Names of the columns, in order.")
    skip_lines: int | None = Field(default=None, ge=0, description="Lines above the header.")
    sheet: str = ""
    decimal: Decimal = ""
    thousands: Thousands = ""
    missing: Missing = ()


class TableSchema(_Said):
    """What a person says of a table."""

    file: FileSchema = FileSchema()
    columns: dict[str, ColumnSchema] = Field(default_factory=dict)

    def of(self, column: str) -> ColumnSchema:
        """Return what is said of a column, with what is said of the file where it is silent."""
        own = self.columns.get(column, ColumnSchema())
        return own.model_copy(
            update={
                "decimal": own.decimal or self.file.decimal,
                "thousands": own.thousands or self.file.thousands,
                "missing": (*own.missing, *self.file.missing),
            }
        )

    def refuse_unknown(self, names: Iterable[str]) -> None:
        """Raise `UnknownColumnError` when it speaks of a column that the table does not have."""
        known = tuple(names)
        for name in self.columns:
            if name not in known:
                raise UnknownColumnError(name, known)


def load_schema(path: Path) -> TableSchema:
    """Read a schema file; `SchemaError` names what is wrong in it and what is accepted."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SchemaError(f"the schema {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise SchemaError(f"the schema {path} is not TOML: {error}") from error
    return parse_schema(found, path.name)


def parse_schema(found: dict[str, Any], shown: str) -> TableSchema:
    """Check what a schema says; `SchemaError` names what is wrong and what is accepted."""
    try:
        schema = TableSchema.model_validate(found)
    except ValidationError as error:
        raise SchemaError(f"{shown}: {_in_words(error)}") from None
    separator = schema.file.separator
    if separator and separator != "spaces" and len(separator) != 1:
        raise SchemaError(
            f"{shown}: file.separator is {separator!r}; accepted: one character, or 'spaces'"
        )
    for name, column in schema.columns.items():
        if column.format and column.kind not in {"", "date"}:
            raise SchemaError(f"{shown}: columns.{name}.format is of dates, not of {column.kind}")
        if column.not_missing and column.kind != "category":
            raise SchemaError(f"{shown}: columns.{name}.not_missing is of the kind category alone")
        if column.decimal and column.decimal == column.thousands:
            raise SchemaError(f"{shown}: columns.{name} uses {column.decimal!r} for both marks")
    return schema


def _in_words(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place = [str(part) for part in first["loc"]]
    where = ".".join(place)
    if first["type"] == "extra_forbidden":
        accepted = _accepted(place)
        hint = nearest(place[-1], accepted)
        return f"there is no key {where!r}{hint}; accepted: {', '.join(accepted)}"
    if first["type"] == "literal_error":
        expected = str(first["ctx"]["expected"]).removeprefix("'', ")
        return f"{where} is {first['input']!r}; accepted: {expected}"
    return f"{where}: {first['msg']}"


def _accepted(place: list[str]) -> list[str]:
    if len(place) == 1:
        return list(TableSchema.model_fields)
    model = FileSchema if place[0] == "file" else ColumnSchema
    return list(model.model_fields)


def schema_toml(reading: Reading) -> str:
    """Spell what was decided as a schema file, commented, to be changed by a person."""
    lines = [
        "# How the table is read. Change what was decided wrongly; what is deleted is found anew.",
        *("", "[file]", *_file_lines(reading)),
        *("", "# kind: number, date, category, text (left out of training) or ignore"),
    ]
    for column in reading.columns:
        lines += ["", f"[columns.{_quoted(column.name)}]", *_column_lines(column)]
    for name in reading.left_out:
        lines += ["", f"[columns.{_quoted(name)}]", 'kind = "ignore"']
    return "\n".join(lines) + "\n"


def _file_lines(reading: Reading) -> Iterator[str]:
    if reading.encoding:
        yield f"encoding = {_quoted(reading.encoding)}  # {reading.encoding_because}"
    if reading.separator:
        yield f"separator = {_quoted(reading.separator)}"
    if reading.form in {"delimited text", "Excel"}:
        yield f"header = {str(reading.has_header).lower()}  # {reading.header_because}"
        yield f"skip_lines = {reading.skipped_lines}"
    if reading.sheet:
        yield f"sheet = {_quoted(reading.sheet)}"
    if not reading.has_header:
        yield f"names = [{', '.join(_quoted(column.name) for column in reading.columns)}]"


def _column_lines(column: ColumnReading) -> Iterator[str]:
    if column.kind == "text" and not column.is_told:
        yield f'# kind = "category"  # or "text"; {_comment(column.why)}'
        return
    yield f"kind = {_quoted(column.kind)}  # {_comment(column.why)}"
    if column.date_format:
        yield f"format = {_quoted(column.date_format)}"
    if column.kind == "number" and (column.decimal != "." or column.thousands):
        yield f"decimal = {_quoted(column.decimal)}"
        yield f"thousands = {_quoted(column.thousands)}"
    if column.doubt:
        yield f"# to confirm: {_comment(column.doubt)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return " ".join(text.split())
