"""What a profile and a drift report say: typed, storable, readable without pandas.

A `Profile` keeps what a later comparison needs and never the rows: for numbers a `Sketch` of at
most a few hundred order statistics with exact counts, for categories the counts of the most
frequent values. It can be stored with a model and compared with tomorrow's table. Frequent values
are kept as text, so a profile of personal data is personal data; of ids and free text only values
that repeat are kept, and of words those that more than one cell holds. Figures computed on a sample
are marked by `n_sampled`.
Read next: `figures.py` (what is said of the values), `profiling.py` (how it is made), `drift.py`
(how two are compared).
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from p0_foundations.errors import ProfileFormatError, UnknownColumnError
from p0_foundations.figures import Gaps, NumberStats, TextStats
from p0_foundations.reading.decisions import Reading, ValueCount

SCHEMA_VERSION = 1


class Kind(StrEnum):
    """What a column holds, whatever type it was stored as."""

    NUMBER = "number"
    CODE = "code"
    """Whole numbers that name categories, such as 1 = north, 2 = south."""
    CATEGORY = "category"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    TEXT = "text"
    ID = "id"
    EMPTY = "empty"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Value):
    """How much work a profile may take and how much it keeps."""

    relation_rows: int = Field(20_000, ge=100, description="Rows that relations are computed on.")
    related_columns: int = Field(40, ge=0, description="Columns that are related to each other.")
    knots: int = Field(256, ge=16, le=4096, description="Order statistics kept of a number.")
    kept_values: int = Field(200, ge=20, description="Frequent values kept of a category.")
    seed: int = Field(0, description="Seed of every sample and fold.")


Order = Literal["", "constant", "increasing", "never falls", "decreasing", "never rises"]


class ColumnProfile(_Value):
    """One column."""

    name: str
    kind: Kind
    stored_as: str = Field(description="The type it came with, such as int64 or str.")
    n_rows: int
    n_missing: int = Field(description="Missing cells, those spelled as text included.")
    missing_spellings: tuple[ValueCount, ...] = Field(
        default=(), description='Texts such as "?" that were counted as missing.'
    )
    suspected_missing: tuple[ValueCount, ...] = Field(
        default=(), description="Numbers such as -999 that may stand for a missing value."
    )
    n_unparsed: int = Field(
        default=0, description="Cells of a number or date column that are neither; as missing."
    )
    n_unique: int
    top: tuple[ValueCount, ...] = Field(default=(), description="The most frequent values.")
    number: NumberStats | None = Field(
        default=None, description="Of a text: of its length; of a date: of seconds since 1970."
    )
    types: tuple[ValueCount, ...] = Field(
        default=(), description="Python types of the cells, where they are mixed or odd."
    )
    n_once: int | None = Field(default=None, description="Values that occur exactly once.")
    lowest: tuple[ValueCount, ...] = Field(
        default=(), description="The smallest numbers; of ids none are kept."
    )
    highest: tuple[ValueCount, ...] = Field(default=(), description="The largest numbers.")
    text: TextStats | None = None
    imbalance: float | None = Field(
        default=None,
        description="Of a category or yes / no: 0 all values as frequent, 1 all cells one value.",
    )
    order: Order = Field(default="", description="How present values run down the rows.")
    memory_bytes: int | None = None
    first: str = Field(default="", description="Earliest moment of a datetime column.")
    last: str = Field(default="", description="Latest moment of a datetime column.")

    @property
    def n_present(self) -> int:
        """Cells that hold a value."""
        return self.n_rows - self.n_missing

    @property
    def missing_share(self) -> float:
        """Share of missing cells, 0 to 1."""
        return self.n_missing / self.n_rows if self.n_rows else 0.0

    @property
    def is_constant(self) -> bool:
        """Whether every cell that holds a value holds the same."""
        return self.n_unique == 1

    @property
    def has_all_values(self) -> bool:
        """Whether `top` lists every value."""
        return len(self.top) == self.n_unique


class Association(_Value):
    """How strongly two columns go together.

    `pearson` and `spearman` are -1 to 1; `cramers_v` (bias-corrected, Bergsma 2013) and
    `correlation_ratio` (eta, a category explaining a number) are 0 to 1.
    """

    a: str
    b: str
    measure: Literal["pearson", "spearman", "cramers_v", "correlation_ratio"]
    value: float


class Predictor(_Value):
    """How well one column alone predicts the target, out of fold, 0 (not at all) to 1.

    `gini` is 2 AUC - 1 for a target of two classes; `brier_skill` the share of the squared error
    of the class frequencies that is explained; `r2` the share of variance explained.
    """

    column: str
    power: float
    measure: Literal["gini", "brier_skill", "r2"]
    is_copy: bool = Field(default=False, description="Each value stands for one target value.")
    is_suspect: bool = Field(default=False, description="Too good to be honest: may leak.")


class Finding(_Value):
    """Something a person should look at before using the table."""

    severity: Literal["problem", "warning", "note"]
    code: str
    columns: tuple[str, ...] = ()
    message: str


class Overview(_Value):
    """The table in numbers."""

    n_cells_missing: int
    n_columns_with_missing: int
    n_columns_empty: int
    memory_bytes: int = Field(description="Of the table in memory, its texts included.")
    kinds: tuple[ValueCount, ...] = Field(description="How many columns of each kind.")


class Reproduction(_Value):
    """What made the profile; times are set by who runs it, so that equal tables stay equal."""

    made_by: str
    limits: Limits
    started_at: datetime | None = None
    seconds: float | None = None


class SampleRows(_Value):
    """A few rows as text, kept only where they were asked for; missing cells are empty."""

    first: tuple[tuple[str, ...], ...]
    last: tuple[tuple[str, ...], ...]
    repeated: tuple[tuple[str, ...], ...] = Field(description="Rows that repeat an earlier one.")


class Profile(_Value):
    """A table as its columns, their relations and what to look at."""

    schema_version: Literal[1] = SCHEMA_VERSION
    verdict: str = ""
    n_rows: int
    n_columns: int
    n_duplicate_rows: int
    n_sampled: int | None = Field(
        default=None,
        description="Rows that relations and predictors were computed on, when not all.",
    )
    target: str | None = None
    findings: tuple[Finding, ...] = Field(default=(), description="Most severe first.")
    columns: tuple[ColumnProfile, ...]
    associations: tuple[Association, ...] = ()
    predictors: tuple[Predictor, ...] = Field(default=(), description="Strongest first.")
    overview: Overview | None = None
    gaps: Gaps | None = Field(default=None, description="Where cells are missing, if any are.")
    reproduction: Reproduction | None = None
    sample: SampleRows | None = None
    reading: Reading | None = Field(
        default=None, description="How the table was read, when it came from a file."
    )

    def column(self, name: str) -> ColumnProfile:
        """Return one column; `UnknownColumnError` when there is none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise UnknownColumnError(name, (column.name for column in self.columns))

    def columns_of(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the names of the columns of these kinds, in the table's order."""
        return tuple(column.name for column in self.columns if column.kind in kinds)

    @property
    def leak_suspects(self) -> tuple[str, ...]:
        """Columns that predict the target too well alone."""
        return tuple(one.column for one in self.predictors if one.is_suspect)

    def drift(self, later: "Profile", *, alpha: float = 0.01) -> "DriftReport":
        """Compare a later table with this one, the reference; `alpha` is the false-alarm rate."""
        from p0_foundations.drift import compare_profiles  # noqa: PLC0415 - needs SciPy

        return compare_profiles(self, later, alpha=alpha)

    def to_json(self) -> str:
        """Return the profile as JSON, to store and to load with `from_json`."""
        return self.model_dump_json()

    def to_html(self, *, title: str = "Table profile") -> str:
        """Return the profile as one HTML page with plots, verdict first; loads nothing else."""
        from p0_foundations.report import profile_html  # noqa: PLC0415 - needs Matplotlib

        return profile_html(self, title=title)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Load a stored profile; `ProfileFormatError` says what is wrong with it."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the text"
            raise ProfileFormatError(f"not a stored profile: {place}: {first['msg']}") from error


DriftSeverity = Literal["none", "slight", "moderate", "strong"]


class ColumnDrift(_Value):
    """How one column moved between two tables.

    `slight` is real but small; `moderate` and `strong` are real and large (see `drift.py`).
    """

    column: str
    kind: Kind
    severity: DriftSeverity
    message: str
    test: Literal["kolmogorov-smirnov", "chi-squared", "none"] = "none"
    statistic: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = Field(
        default=None, description="Benjamini-Hochberg over every test of the report."
    )
    psi: float | None = Field(
        default=None, description="Population stability index less what chance alone gives."
    )
    missing_before: float = Field(0.0, description="Share of missing cells, 0 to 1.")
    missing_after: float = 0.0
    missing_p_adjusted: float | None = None
    new_values: tuple[ValueCount, ...] = ()
    n_before: int = Field(0, description="Values compared, of the reference.")
    n_after: int = 0


class DriftReport(_Value):
    """How a later table differs from a reference."""

    schema_version: Literal[1] = SCHEMA_VERSION
    verdict: str
    alpha: float
    correction: Literal["benjamini-hochberg"] = "benjamini-hochberg"
    n_tests: int
    n_before: int
    n_after: int
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[str, ...] = ()
    columns: tuple[ColumnDrift, ...] = Field(default=(), description="Most severe first.")

    @property
    def has_drifted(self) -> bool:
        """Whether a column moved notably, appeared, went or changed its type."""
        return bool(self.drifted or self.added or self.removed)

    @property
    def drifted(self) -> tuple[str, ...]:
        """Columns that moved moderately or strongly."""
        return names_of(self.columns, ("moderate", "strong"))

    def column(self, name: str) -> ColumnDrift:
        """Return one column; `UnknownColumnError` when both tables do not have it."""
        for column in self.columns:
            if column.column == name:
                return column
        raise UnknownColumnError(name, (column.column for column in self.columns))

    def to_json(self) -> str:
        """Return the report as JSON."""
        return self.model_dump_json()

    def to_html(self, *, title: str = "Table drift") -> str:
        """Return the report as one HTML page, verdict first; loads nothing else."""
        from p0_foundations.report import drift_html  # noqa: PLC0415 - needs Matplotlib

        return drift_html(self, title=title)


def names_of(columns: Iterable[ColumnDrift], severities: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the columns of these severities."""
    wanted = set(severities)
    return tuple(column.column for column in columns if column.severity in wanted)
