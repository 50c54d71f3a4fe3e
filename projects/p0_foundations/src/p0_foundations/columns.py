"""One column at a time: what it holds, what is missing, how it is distributed.

A cleaned Series in, a `ColumnProfile` out. Knows no other column: relations are in `relations.py`.
"""

import re

import numpy as np
import pandas as pd

from p0_foundations.cleaning import MAX_TEXT, Cleaned
from p0_foundations.contracts import ColumnProfile, Kind, Limits
from p0_foundations.figures import NumberStats
from p0_foundations.numbers import describe_numbers, find_sentinels, tally
from p0_foundations.reading.decisions import ValueCount
from p0_foundations.texts import describe_texts, imbalance, order_of

MAX_CODES = 12
MAX_CATEGORIES = 50
MIN_ID_ROWS = 50
N_TOP = 20
N_EXTREME = 5
_ID_NAME = re.compile(
    r"(^|[_\W])(id|uuid|guid|key|index|row_?(no|number))($|[_\W])|[a-z](ID|Id)$", re.IGNORECASE
)
_CODE_NAME = re.compile(
    r"(^|[_\W])(code|cd|type|class|zone|region|zip|category)($|[_\W])", re.IGNORECASE
)
_YES_NO = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"})


def profile_column(name: str, stored_as: str, cleaned: Cleaned, limits: Limits) -> ColumnProfile:
    """Describe one column; one sort for numbers and dates, one count of values for text."""
    if cleaned.form == "text":
        return _profile_text(name, stored_as, cleaned, limits)
    if cleaned.form == "moment":
        return _profile_moments(name, stored_as, cleaned, limits)
    return _profile_numbers(name, stored_as, cleaned, limits)


def _profile_numbers(name: str, stored_as: str, cleaned: Cleaned, limits: Limits) -> ColumnProfile:
    ordered = np.sort(cleaned.values.dropna().to_numpy())
    values, counts = tally(ordered)
    floats = ordered.astype(np.float64)
    kind = _number_kind(name, floats, len(values))
    is_listed = kind in {Kind.CODE, Kind.BOOLEAN} or len(values) <= limits.kept_values
    n_kept = limits.kept_values if is_listed else N_TOP
    top = _frequent(values, counts, n_kept, only_repeated=not is_listed)
    return ColumnProfile(
        name=name,
        kind=kind,
        stored_as=stored_as,
        n_rows=len(cleaned.values),
        n_missing=len(cleaned.values) - len(ordered),
        missing_spellings=cleaned.spellings,
        suspected_missing=find_sentinels(floats[np.isfinite(floats)]),
        n_unparsed=cleaned.n_unparsed,
        n_unique=len(values),
        top=tuple(ValueCount(value=_written(value), n=n) for value, n in top),
        number=describe_numbers(floats, n_knots=limits.knots),
        types=cleaned.types,
        n_once=int((counts == 1).sum()),
        lowest=_counted(values[:N_EXTREME], counts[:N_EXTREME], kind),
        highest=_counted(values[::-1][:N_EXTREME], counts[::-1][:N_EXTREME], kind),
        imbalance=imbalance(counts) if kind in {Kind.CODE, Kind.BOOLEAN} else None,
        order=order_of(cleaned.values.dropna().to_numpy()),
    )


def _counted(values: np.ndarray, counts: np.ndarray, kind: Kind) -> tuple[ValueCount, ...]:
    """Write values with their counts; of ids none, as each is a person or a thing."""
    if kind is Kind.ID:
        return ()
    pairs = zip(values.tolist(), counts.tolist(), strict=True)
    return tuple(ValueCount(value=_written(value), n=n) for value, n in pairs)


def _number_kind(name: str, ordered: np.ndarray, n_unique: int) -> Kind:
    n = len(ordered)
    if n == 0:
        return Kind.EMPTY
    with np.errstate(invalid="ignore"):
        is_whole = bool(np.all(ordered == np.floor(ordered))) and bool(np.isfinite(ordered).all())
    if not is_whole:
        return Kind.NUMBER
    if n_unique == 2 and ordered[0] == 0 and ordered[-1] == 1:
        return Kind.BOOLEAN
    is_id_name = bool(_ID_NAME.search(name))
    is_dense = ordered[-1] - ordered[0] + 1 <= 2 * n
    if n >= MIN_ID_ROWS and n_unique == n and (is_dense or is_id_name):
        return Kind.ID
    if is_id_name and n_unique > 4 * MAX_CATEGORIES:
        return Kind.ID
    n_codes = MAX_CATEGORIES if _CODE_NAME.search(name) else MAX_CODES
    return Kind.CODE if 2 <= n_unique <= n_codes and n >= 10 * n_unique else Kind.NUMBER


def _profile_moments(name: str, stored_as: str, cleaned: Cleaned, limits: Limits) -> ColumnProfile:
    present = cleaned.values.dropna()
    naive = present.dt.tz_localize(None) if present.dt.tz is None else present.dt.tz_convert(None)
    in_rows = naive.to_numpy().astype("datetime64[us]").astype(np.int64)
    microseconds = np.sort(in_rows)
    values, counts = tally(microseconds)
    return ColumnProfile(
        name=name,
        kind=Kind.DATETIME if len(present) else Kind.EMPTY,
        stored_as=stored_as,
        n_rows=len(cleaned.values),
        n_missing=len(cleaned.values) - len(present),
        missing_spellings=cleaned.spellings,
        n_unparsed=cleaned.n_unparsed,
        n_unique=len(values),
        number=describe_numbers(microseconds / 1e6, n_knots=limits.knots),
        first=present.min().isoformat() if len(present) else "",
        last=present.max().isoformat() if len(present) else "",
        types=cleaned.types,
        n_once=int((counts == 1).sum()),
        order=order_of(in_rows),
    )


def _profile_text(name: str, stored_as: str, cleaned: Cleaned, limits: Limits) -> ColumnProfile:
    present = cleaned.values.dropna()
    counts = present.value_counts()
    n_each = counts.to_numpy().astype(np.int64)
    lengths = np.sort(present.str.len().to_numpy().astype(np.float64))
    kind = _text_kind(counts, lengths)
    is_listed = kind in {Kind.CATEGORY, Kind.BOOLEAN}
    n_kept = limits.kept_values if is_listed else N_TOP
    head = counts.head(n_kept)
    top = [(str(v), int(n)) for v, n in head.items() if is_listed or n > 1]
    number: NumberStats | None = None
    if kind is Kind.TEXT:
        number = describe_numbers(lengths, n_knots=limits.knots)
    return ColumnProfile(
        name=name,
        kind=kind,
        stored_as=stored_as,
        n_rows=len(cleaned.values),
        n_missing=len(cleaned.values) - len(present),
        missing_spellings=cleaned.spellings,
        n_unique=len(counts),
        top=tuple(ValueCount(value=_clipped(value), n=n) for value, n in top),
        number=number,
        types=cleaned.types,
        n_once=int((n_each == 1).sum()),
        text=describe_texts(
            counts.index.tolist(), n_each, lengths, has_words=kind not in {Kind.ID, Kind.EMPTY}
        ),
        imbalance=imbalance(n_each) if is_listed else None,
    )


def _text_kind(counts: pd.Series, lengths: np.ndarray) -> Kind:
    n, n_unique = len(lengths), len(counts)
    if n == 0:
        return Kind.EMPTY
    if n_unique == 2 and {str(value).strip().lower() for value in counts.index} in _YES_NO:
        return Kind.BOOLEAN
    if n_unique <= MAX_CATEGORIES and n_unique <= max(10, 0.5 * n):
        return Kind.CATEGORY
    length = float(lengths.mean())
    if n_unique <= 0.2 * n and length <= 40:
        return Kind.CATEGORY
    has_spaces = pd.Series(counts.index[:1000].astype("str")).str.contains(" ").mean() > 0.5
    if n >= MIN_ID_ROWS and n_unique >= 0.99 * n and length <= 64 and not has_spaces:
        return Kind.ID
    return Kind.TEXT


def _frequent(
    values: np.ndarray, counts: np.ndarray, n: int, *, only_repeated: bool
) -> list[tuple[object, int]]:
    order = np.argsort(-counts, kind="stable")[:n]
    pairs = zip(values[order].tolist(), counts[order].tolist(), strict=True)
    return [(value, count) for value, count in pairs if count > 1 or not only_repeated]


def _written(value: object) -> str:
    """Write a number the same whether it was stored as 1 or as 1.0."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _clipped(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
