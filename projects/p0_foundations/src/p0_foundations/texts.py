"""Texts of one column: how long, of which characters and words, how evenly spread, in which order.

Knows distinct values and their counts, no table. Beside `numbers.py`.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from string import punctuation

import numpy as np

from p0_foundations.contracts import Order
from p0_foundations.figures import TextStats
from p0_foundations.numbers import quantiles
from p0_foundations.reading.decisions import ValueCount
from p0_foundations.sketches import Floats, Ints
from p0_foundations.unicode_blocks import block_of

N_FREQUENT = 10
MAX_WORD_CHARACTERS = 500_000
"""So much text of a column is cut into words; of more, evenly chosen distinct texts are."""
_AT_ONCE = 8192


def describe_texts(
    distinct: Sequence[str], counts: Ints, lengths: Floats, *, has_words: bool = True
) -> TextStats | None:
    """Describe texts by their distinct values, how often each occurs, and all sorted lengths.

    None of none. Words are left out where `has_words` is false, as of ids.
    """
    if not len(lengths):
        return None
    characters = count_characters(distinct, counts)
    categories, scripts, blocks = Counter[str](), Counter[str](), Counter[str]()
    for one, n in characters.items():
        categories[unicodedata.category(one)] += n
        blocks[block_of(one)] += n
        if one.isalpha():
            scripts[_script(one)] += n
    words = _describe_words(distinct, counts) if has_words else _Words()
    return TextStats(
        minimum_length=int(lengths[0]),
        median_length=quantiles(lengths, (0.5,))[0],
        mean_length=float(lengths.mean()),
        maximum_length=int(lengths[-1]),
        n_characters=int(lengths.sum()),
        n_distinct_characters=len(characters),
        character_categories=tuple(sorted(categories)),
        scripts=tuple(sorted(scripts)),
        frequent_characters=_most(characters),
        n_by_category=_most(categories),
        n_by_script=_most(scripts),
        n_by_block=_most(blocks),
        n_words=words.n,
        n_distinct_words=words.n_distinct,
        frequent_words=words.frequent,
        words_of=words.share,
    )


def count_characters(texts: Sequence[str], counts: Ints) -> Counter[str]:
    """Count the characters of texts that occur so often each; a few thousand texts at a time."""
    n_each = np.zeros(0, dtype=np.int64)
    for start in range(0, len(texts), _AT_ONCE):
        some, n = texts[start : start + _AT_ONCE], counts[start : start + _AT_ONCE]
        joined = "".join(some)
        if joined.isascii():
            codes = np.frombuffer(joined.encode("ascii"), dtype=np.uint8)
        else:
            codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        if (n == 1).all():
            found = np.bincount(codes)
        else:
            lengths = np.fromiter(map(len, some), dtype=np.int64, count=len(some))
            found = np.bincount(codes, weights=np.repeat(n, lengths)).astype(np.int64)
        n_each = np.pad(n_each, (0, max(0, len(found) - len(n_each))))
        n_each[: len(found)] += found
    present = np.flatnonzero(n_each)
    return Counter(dict(zip(map(chr, present.tolist()), n_each[present].tolist(), strict=True)))


@dataclass(frozen=True)
class _Words:
    """Words of a column, as far as they were counted."""

    n: int | None = None
    n_distinct: int | None = None
    frequent: tuple[ValueCount, ...] = ()
    share: float | None = None


def _describe_words(distinct: Sequence[str], counts: Ints) -> _Words:
    """Count words; of much text in evenly chosen values, from the most frequent to the rarest."""
    n_characters = sum(map(len, distinct))
    step = max(1, -(-n_characters // MAX_WORD_CHARACTERS))
    chosen, n = distinct[::step], counts[::step]
    words, n_cells = Counter[str](), Counter[str]()
    for text, times in zip(chosen, n.tolist(), strict=True):
        found = [word for part in text.lower().split() if (word := part.strip(punctuation))]
        for word in found:
            words[word] += times
        for word in set(found):
            n_cells[word] += times
    shared = Counter({word: many for word, many in words.items() if n_cells[word] > 1})
    return _Words(words.total(), len(words), _most(shared), float(n.sum() / counts.sum()))


def _most(counts: Counter[str]) -> tuple[ValueCount, ...]:
    """Keep the most frequent, ties as they were met."""
    found = counts.most_common(N_FREQUENT)
    return tuple(ValueCount(value=_storable(value), n=n) for value, n in found)


def _storable(text: str) -> str:
    """Write half a character, which no file can hold, as its number."""
    return text.encode("utf-8", "backslashreplace").decode()


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
