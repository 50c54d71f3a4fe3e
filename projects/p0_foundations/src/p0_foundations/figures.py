"""What a profile says of the values of a column: distributions, moments, texts, and its gaps.

Typed and storable, as `contracts.py`, which says what a table and a column are. Knows no pandas.
"""

from pydantic import BaseModel, ConfigDict, Field

from p0_foundations.reading.decisions import ValueCount


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Histogram(_Value):
    """Counts between edges; one edge more than counts."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class Sketch(_Value):
    """An empirical distribution at a few points: value, how many lie below, how many up to it.

    Exact at its values; between two of them the distribution is known to within
    1 / (number of values). When the data has no more distinct values than the sketch may keep, all
    of them are here and everything is exact.
    """

    n: int = Field(description="Values that the sketch stands for.")
    values: tuple[float, ...]
    n_below: tuple[int, ...]
    n_upto: tuple[int, ...]


class NumberStats(_Value):
    """Moments and order statistics of the finite values; None where a stored profile is older."""

    mean: float
    std: float = Field(description="Standard deviation, n - 1 in the denominator.")
    minimum: float
    q1: float
    median: float
    q3: float
    maximum: float
    skew: float = Field(description="Third standardised moment (biased, as scipy.stats.skew).")
    excess_kurtosis: float
    n_zero: int
    n_negative: int
    n_infinite: int
    n_outlying: int = Field(description="Values beyond 3 interquartile ranges from the quartiles.")
    histogram: Histogram
    sketch: Sketch
    p5: float | None = Field(default=None, description="Quantile at 5 %.")
    p95: float | None = Field(default=None, description="Quantile at 95 %.")
    iqr: float | None = Field(default=None, description="Third quartile less the first.")
    range: float | None = Field(default=None, description="Maximum less minimum.")
    variance: float | None = Field(default=None, description="n - 1 in the denominator.")
    cv: float | None = Field(default=None, description="std / mean; None where the mean is 0.")
    mad: float | None = Field(default=None, description="Median distance to the median.")
    sum: float | None = None


class TextStats(_Value):
    """Lengths, characters and words of the cells that hold text; empty where a profile is older.

    Characters are counted in every cell, words in lower case without the punctuation around them,
    of much text in a part of the cells (`words_of`); only words of more than one cell are kept.
    """

    minimum_length: int
    median_length: float
    mean_length: float
    maximum_length: int
    n_characters: int
    n_distinct_characters: int
    character_categories: tuple[str, ...] = Field(
        description="Unicode general categories, such as Ll for lower-case letters."
    )
    scripts: tuple[str, ...] = Field(
        description="First words of the letters' Unicode names, such as LATIN: scripts, nearly."
    )
    frequent_characters: tuple[ValueCount, ...] = ()
    n_by_category: tuple[ValueCount, ...] = Field(
        default=(), description="Characters of each Unicode general category, most first."
    )
    n_by_script: tuple[ValueCount, ...] = Field(
        default=(), description="Letters of each script, most first."
    )
    n_by_block: tuple[ValueCount, ...] = Field(
        default=(), description="Characters of each Unicode block, most first."
    )
    n_words: int | None = None
    n_distinct_words: int | None = None
    frequent_words: tuple[ValueCount, ...] = ()
    words_of: float | None = Field(
        default=None, description="Share of the cells whose words were counted, 0 to 1."
    )


class GapPair(_Value):
    """Whether two columns miss the same rows: the phi coefficient, -1 to 1."""

    a: str
    b: str
    value: float


class Gaps(_Value):
    """Where cells are missing: down the rows, in bands, and together with which other column."""

    columns: tuple[str, ...] = Field(description="The first that miss some cells and not all.")
    edges: tuple[int, ...] = Field(description="Rows at which bands begin, and the last one's end.")
    n_missing: tuple[tuple[int, ...], ...] = Field(description="For each column, in each band.")
    pairs: tuple[GapPair, ...] = Field(description="Strongest first.")
