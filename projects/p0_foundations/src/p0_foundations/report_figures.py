"""What the report says of a table and of a column in figures, as terms and their values.

Only words and numbers, no markup: `report.py` sets them. Figures that an older stored profile does
not hold are left out.
"""

import unicodedata
from collections.abc import Iterable

from p0_foundations.contracts import (
    ColumnProfile,
    Kind,
    Profile,
    ValueCount,
)
from p0_foundations.figures import NumberStats, TextStats
from p0_foundations.plots import shortened

Facts = list[tuple[str, str]]
N_VALUES = 5
N_DIGITS = 6
_BYTES = ("bytes", "kB", "MB", "GB")


def table_facts(profile: Profile) -> Facts:
    """List the table in numbers."""
    n_cells = profile.n_rows * profile.n_columns
    facts = [("rows", f"{profile.n_rows:,}"), ("columns", f"{profile.n_columns:,}")]
    facts.append(("rows repeated", _share(profile.n_duplicate_rows, profile.n_rows)))
    one = profile.overview
    if one is None:
        return facts
    facts += [
        ("cells missing", _share(one.n_cells_missing, n_cells)),
        ("columns with missing cells", f"{one.n_columns_with_missing:,}"),
        ("empty columns", f"{one.n_columns_empty:,}"),
        ("in memory", size(one.memory_bytes)),
        ("per row", size(one.memory_bytes / profile.n_rows) if profile.n_rows else "0 bytes"),
        ("kinds", ", ".join(f"{kind.n} {kind.value}" for kind in one.kinds)),
    ]
    return facts


def making_facts(profile: Profile) -> Facts:
    """List what made the profile, so that it can be made again."""
    one = profile.reproduction
    if one is None:
        return []
    facts = [("made by", one.made_by)]
    if one.started_at is not None:
        facts.append(("started", f"{one.started_at:%Y-%m-%d %H:%M:%S} UTC"))
    if one.seconds is not None:
        facts.append(("took", f"{one.seconds:.2f} s"))
    settings = ", ".join(f"{name} {value}" for name, value in one.limits.model_dump().items())
    return [*facts, ("with", settings.replace("_", " "))]


def all_facts(column: ColumnProfile) -> Facts:
    """List everything that is known of a column and not drawn."""
    facts = [("stored as", column.stored_as), ("missing", _share(column.n_missing, column.n_rows))]
    facts.append(("distinct", _share(column.n_unique, column.n_present)))
    if column.n_once is not None:
        facts.append(("occur once", _share(column.n_once, column.n_present)))
    if column.number is not None and column.kind not in {Kind.TEXT, Kind.DATETIME}:
        facts += _number_facts(column.number, column.n_present)
    span_s = column.number.range if column.number and column.kind is Kind.DATETIME else None
    if span_s is not None:
        facts.append(("range", f"{span_s / 86_400:,.1f} days"))
    if column.n_unparsed:
        facts.append(("not readable", f"{column.n_unparsed:,}"))
    if column.order:
        facts.append(("down the rows", column.order))
    if column.imbalance is not None:
        facts.append(("imbalance", f"{column.imbalance:.2f}"))
    if column.text is not None:
        facts += _text_facts(column.text)
    facts += _values(("most common", column.top), ("lowest", column.lowest))
    facts += _values(("highest", column.highest))
    if column.memory_bytes is not None:
        facts.append(("in memory", size(column.memory_bytes)))
    return facts


def size(n_bytes: float) -> str:
    """Write a number of bytes as a person reads it."""
    step = 0
    while n_bytes >= 1000 and step < len(_BYTES) - 1:
        n_bytes, step = n_bytes / 1000, step + 1
    return f"{n_bytes:.3g} {_BYTES[step]}"


def figure(value: float, n_digits: int) -> str:
    """Write a number to so many digits, without an exponent where a person reads it so."""
    short = f"{value:.{n_digits}g}"
    if "e" not in short and abs(value) < 1e4:
        return short
    return f"{float(short):,.0f}" if 1e4 <= abs(value) < 1e12 else short


def _number_facts(n: NumberStats, n_present: int) -> Facts:
    figures = [
        ("sum", n.sum), ("mean", n.mean), ("standard deviation", n.std), ("variance", n.variance),
        ("coefficient of variation", n.cv), ("median distance to the median", n.mad),
        ("skew", n.skew), ("excess kurtosis", n.excess_kurtosis), ("minimum", n.minimum),
        ("5 %", n.p5), ("first quartile", n.q1), ("median", n.median), ("third quartile", n.q3),
        ("95 %", n.p95), ("maximum", n.maximum), ("range", n.range), ("between quartiles", n.iqr),
    ]  # fmt: skip
    facts = [(name, figure(value, 5)) for name, value in figures if value is not None]
    facts.append(("zeros", _share(n.n_zero, n_present)))
    facts.append(("negative", _share(n.n_negative, n_present)))
    facts.append(("infinite", _share(n.n_infinite, n_present)))
    return facts


def _text_facts(text: TextStats) -> Facts:
    shortest, longest = text.minimum_length, text.maximum_length
    lengths = f"{shortest:,} to {longest:,}, mean {text.mean_length:.4g}, median "
    return [
        ("length", f"{lengths}{text.median_length:.4g}"),
        ("characters", f"{text.n_characters:,}, {text.n_distinct_characters:,} distinct"),
        *_counted("frequent characters", text.frequent_characters),
        *_counted("Unicode categories", text.n_by_category, text.character_categories),
        *_counted("Unicode scripts", text.n_by_script, text.scripts),
        *_counted("Unicode blocks", text.n_by_block),
        *_word_facts(text),
    ]


def _word_facts(text: TextStats) -> Facts:
    if text.n_words is None:
        return []
    some = "" if text.words_of in {None, 1.0} else f", in {text.words_of:.0%} of the cells"
    words = f"{text.n_words:,}, {text.n_distinct_words:,} distinct{some}"
    return [("words", words), *_counted("frequent words", text.frequent_words)]


def _counted(name: str, counts: Iterable[ValueCount], older: Iterable[str] = ()) -> Facts:
    """Write values with their counts, or the names alone that an older profile holds."""
    shown = [f"{_visible(one.value)} ({one.n:,})" for one in counts] or list(older)
    return [(name, ", ".join(shown[:N_VALUES]))] if shown else []


def _visible(value: str) -> str:
    """Write a character that is not to be seen by its name, and shorten what is long."""
    if len(value) == 1 and not (value.isprintable() and value.strip()):
        return unicodedata.name(value, f"U+{ord(value):04X}").lower()
    return shortened(value, 24)


def _values(*lists: tuple[str, Iterable[ValueCount]]) -> Facts:
    facts = []
    for name, values in lists:
        shown = [f"{_value(one.value)} ({one.n:,})" for one in values]
        if shown:
            facts.append((name, ", ".join(shown[:N_VALUES])))
    return facts


def _value(text: str) -> str:
    """Write a value with room for others beside it: a long fraction by its first digits."""
    if len(text) > N_DIGITS and text.replace(".", "", 1).lstrip("-").isdigit() and "." in text:
        return figure(float(text), N_DIGITS)
    return shortened(text, 20)


def _share(n: int, total: int) -> str:
    return f"{n:,} ({n / total:.1%})" if total and n else f"{n:,}"
