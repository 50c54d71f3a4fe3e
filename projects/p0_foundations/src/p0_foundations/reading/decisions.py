"""What was decided while a table was read, as values: storable, tellable, free of pandas."""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ColumnKind = Literal["number", "date", "category", "text"]
N_TOLD = 5


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ValueCount(_Value):
    """How often a value occurs."""

    value: str
    n: int


class SetAside(_Value):
    """A row that was not read into the table."""

    line: int = Field(description="Line of the file, or row of a sheet, counted from 1.")
    why: str


class ColumnReading(_Value):
    """What a column was read as."""

    name: str
    kind: ColumnKind
    why: str = Field(description="What it was decided by.")
    is_told: bool = Field(default=False, description="Whether a schema said so.")
    date_format: str = Field(default="", description="As strftime spells it; empty is ISO 8601.")
    decimal: str = "."
    thousands: str = ""
    missing_spellings: tuple[ValueCount, ...] = ()
    unread: tuple[ValueCount, ...] = Field(
        default=(), description="Examples of cells that are not of the kind; taken as missing."
    )
    n_unread: int = 0
    types: tuple[ValueCount, ...] = Field(
        default=(), description="Types of the cells, where the file has types and they are mixed."
    )
    doubt: str = Field(default="", description="What a person should confirm, if anything.")


class Reading(_Value):
    """What was decided for the file and for each of its columns."""

    form: Literal["delimited text", "JSON lines", "Excel", "Parquet", "data frame"]
    encoding: str = ""
    encoding_because: str = ""
    separator: str = ""
    has_header: bool = True
    header_because: str = ""
    skipped_lines: int = Field(default=0, description="Lines above the header.")
    sheet: str = ""
    other_sheets: tuple[str, ...] = ()
    n_rows: int = Field(description="Rows that the file holds.")
    n_held: int = Field(description="Rows that were kept; fewer is a uniform random sample.")
    n_set_aside: int = 0
    set_aside: tuple[SetAside, ...] = Field(default=(), description="The first few of them.")
    left_out: tuple[str, ...] = Field(default=(), description="Columns that a schema ignores.")
    renamed: tuple[str, ...] = Field(
        default=(), description="Columns that shared a name and were told apart by a number."
    )
    notes: tuple[str, ...] = ()
    columns: tuple[ColumnReading, ...] = ()

    @property
    def is_sampled(self) -> bool:
        """Whether the table held more rows than were kept."""
        return self.n_held < self.n_rows

    def column(self, name: str) -> ColumnReading | None:
        """Return what a column was read as, or None when nothing was decided for it."""
        return next((one for one in self.columns if one.name == name), None)

    @property
    def original_names(self) -> tuple[str, ...]:
        """The names of the columns as the file has them, repeated where it repeats them."""
        return tuple(
            one.name.rpartition(" (")[0] if one.name in self.renamed else one.name
            for one in self.columns
        )

    @property
    def summary(self) -> str:
        """How the file was read, in a sentence."""
        facts: list[str] = [self.form]
        if self.separator:
            facts.append(f"separated by {spelled_separator(self.separator)}")
        if self.encoding:
            facts.append(f"{self.encoding} ({self.encoding_because})")
        if self.sheet:
            facts.append(f"sheet {self.sheet!r}")
        if self.header_because:
            has = "first row names the columns" if self.has_header else "no header"
            facts.append(f"{has} ({self.header_because})")
        facts.append(f"{self.n_rows:,} rows")
        return ", ".join(facts)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What a reader of any result must know: samples, rows set aside, doubts."""
        names = f"several columns share a name; told apart as {', '.join(self.renamed)}"
        return (
            *self.row_cautions,
            *((names,) if self.renamed else ()),
            *self.file_cautions,
            *self._of_columns(),
        )

    @property
    def row_cautions(self) -> tuple[str, ...]:
        """Whether rows are missing from what was read, and why."""
        return tuple(self._of_rows())

    @property
    def file_cautions(self) -> tuple[str, ...]:
        """What was guessed or chosen for the file as a whole."""
        return tuple(self._of_file())

    def _of_rows(self) -> Iterable[str]:
        if self.is_sampled:
            yield f"read as a random sample of {self.n_held:,} of {self.n_rows:,} rows"
        if self.n_set_aside:
            named = "; ".join(f"line {one.line:,} {one.why}" for one in self.set_aside)
            more = self.n_set_aside - len(self.set_aside)
            rows = "row was" if self.n_set_aside == 1 else "rows were"
            yield (
                f"{self.n_set_aside:,} {rows} set aside: {named}"
                f"{f'; and {more:,} more' if more > 0 else ''}"
            )

    def _of_file(self) -> Iterable[str]:
        if self.form == "delimited text" and not self.has_header:
            yield f"no header was found ({self.header_because}): columns are named column_1 on"
        if "guess" in self.encoding_because:
            yield f"the encoding is a guess: {self.encoding}; a schema can name another"
        if self.other_sheets:
            others = ", ".join(self.other_sheets[:N_TOLD])
            yield f"sheet {self.sheet!r} was read; there are also: {others}"
        yield from self.notes

    def _of_columns(self) -> Iterable[str]:
        for column in self.columns:
            if column.doubt:
                yield f"{column.name}: {column.doubt}"
            if column.n_unread:
                what = {"date": "dates", "number": "numbers"}.get(column.kind, "values")
                cells = ", ".join(repr(one.value) for one in column.unread)
                yield (
                    f"{column.name}: {column.n_unread:,} cells are no {what} "
                    f"and count as missing, such as {cells}"
                )
            if len(column.types) > 1:
                mixed = ", ".join(f"{one.n:,} {one.value}" for one in column.types)
                yield f"{column.name}: mixes types: {mixed}"


def spelled_separator(separator: str) -> str:
    """Name a separator as a person would."""
    names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
    return names.get(separator, "runs of spaces" if separator == SPACES else repr(separator))


SPACES = "spaces"
"""How a schema spells runs of spaces as the separator."""


def unique_names(names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Tell repeated names apart by a number. Returns all names, and those that were changed."""
    found: list[str] = []
    renamed: list[str] = []
    taken, held = set(names), set[str]()
    for name in names:
        own, n = name, 2
        while own in held or (own != name and own in taken):
            own, n = f"{name} ({n})", n + 1
        if own != name:
            renamed.append(own)
        held.add(own)
        found.append(own)
    return found, tuple(renamed)
