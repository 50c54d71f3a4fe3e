"""What is odd of a column whose values are each sound: zeros, evenness, uniqueness, length.

Reads the described columns; knows no data. Beside `findings.py`, which ranks them with the rest.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from p0_foundations.contracts import ColumnProfile, Finding, Kind
from p0_foundations.findings import quoted

MANY_ZEROS = 0.1
UNEVEN = 0.5
TOO_EVEN = 0.001


def shape_findings(columns: Sequence[ColumnProfile]) -> Iterator[Finding]:
    """Find what is odd of values that are each sound: notes, one for all columns that share it."""
    kinds: tuple[tuple[str, str, Callable[[ColumnProfile], bool]], ...] = (
        ("zeros", "0 in a tenth of the values or more", _has_zeros),
        ("imbalanced", "one value far more frequent than the others", _is_uneven),
        ("uniform", "values more evenly frequent than chance makes them: made up?", _is_too_even),
        ("unique", "a different value in every row", _is_unique),
        ("constant-length", "texts all of one length", _has_one_length),
    )
    for code, what, is_shown in kinds:
        if names := [c.name for c in columns if is_shown(c)]:
            ha = "has" if len(names) == 1 else "have"
            text = f"{quoted(names)} {ha} {what}"
            yield Finding(severity="note", code=code, columns=tuple(names), message=text)


def _has_zeros(c: ColumnProfile) -> bool:
    n_zero = c.number.n_zero if c.kind is Kind.NUMBER and c.number is not None else 0
    return n_zero >= MANY_ZEROS * max(c.n_present, 1) and not c.is_constant


def _is_uneven(c: ColumnProfile) -> bool:
    return c.imbalance is not None and c.imbalance > UNEVEN and not c.is_constant


def _is_unique(c: ColumnProfile) -> bool:
    """Of measured numbers it goes without saying, of ids it is said."""
    return c.kind not in {Kind.NUMBER, Kind.ID} and 1 < c.n_unique == c.n_rows


def _has_one_length(c: ColumnProfile) -> bool:
    """Two texts or more, of a length that says something: codes, hashes, dates not read."""
    text = c.text if c.kind in {Kind.TEXT, Kind.CATEGORY, Kind.ID} else None
    return text is not None and 1 < text.minimum_length == text.maximum_length and c.n_unique > 2


def _is_too_even(c: ColumnProfile) -> bool:
    """Say whether values are as frequent as each other beyond chance: chi-squared, lower tail."""
    is_counted = c.kind in {Kind.CATEGORY, Kind.CODE} and c.has_all_values and c.n_unique > 2
    if not is_counted:
        return False
    expected = c.n_present / c.n_unique
    distance = sum((one.n - expected) ** 2 for one in c.top) / expected
    return expected >= 5 and chi2_below(distance, c.n_unique - 1) < TOO_EVEN


def chi2_below(value: float, n_degrees: int) -> float:
    """Return the chance of a smaller chi-squared, by the series of the incomplete gamma function.

    Abramowitz and Stegun (1964), 6.5.29; only where it is small, else 1: the series is for that.
    """
    a, x = n_degrees / 2, value / 2
    if x <= 0 or x >= a:
        return 0.0 if x <= 0 else 1.0
    term = total = 1.0
    for k in range(1, 1000):
        term *= x / (a + k)
        total += term
        if term < 1e-12 * total:
            break
    return total * math.exp(a * math.log(x) - x - math.lgamma(a + 1))
