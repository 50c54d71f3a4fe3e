"""Texts of one column: how long, of which characters, how evenly spread, in which order.

Knows distinct values and their counts, no table. Beside `numbers.py`.
"""

import unicodedata
from collections.abc import Iterable

import numpy as np

from p0_foundations.contracts import Order, TextStats
from p0_foundations.numbers import quantiles
from p0_foundations.sketches import Floats, Ints


def describe_texts(distinct: Iterable[str], lengths: Floats) -> TextStats | None:
    """Describe texts by their distinct values and the sorted lengths of all; None of none."""
    if not len(lengths):
        return None
    characters = set().union(*distinct)
    return TextStats(
        minimum_length=int(lengths[0]),
        median_length=quantiles(lengths, (0.5,))[0],
        mean_length=float(lengths.mean()),
        maximum_length=int(lengths[-1]),
        n_characters=int(lengths.sum()),
        n_distinct_characters=len(characters),
        character_categories=tuple(sorted({unicodedata.category(one) for one in characters})),
        scripts=tuple(sorted({_script(one) for one in characters if one.isalpha()})),
    )


def _script(letter: str) -> str:
    """Return the first word of a letter's name: LATIN, GREEK, CYRILLIC, CJK."""
    return unicodedata.name(letter, "UNNAMED").partition(" ")[0]


def imbalance(counts: Ints) -> float | None:
    """Return 1 less the entropy of the values over the largest it could be; None of none."""
    total = counts.sum()
    if total == 0:
        return None
    if len(counts) == 1:
        return 1.0
    shares = counts[counts > 0] / total
    return float(np.clip(1.0 + (shares * np.log(shares)).sum() / np.log(len(counts)), 0.0, 1.0))


def order_of(values: Floats | Ints) -> Order:
    """Say how values run: always up, never down, always down, never up, or none of it."""
    if len(values) < 2:
        return ""
    earlier, later = values[:-1], values[1:]
    rises, falls = bool((later >= earlier).all()), bool((later <= earlier).all())
    if rises and falls:
        return "constant"
    if rises:
        return "increasing" if bool((later > earlier).all()) else "never falls"
    if falls:
        return "decreasing" if bool((later < earlier).all()) else "never rises"
    return ""
