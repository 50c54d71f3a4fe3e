"""Numbers in a request: digits with separators, words, dozens and thousands."""

import re
from collections.abc import Iterator

from p3_rag_chatbot.tool_calling.mentions import Mention

_SMALL = dict(
    zip(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "  # noqa: SIM905
        "fifteen sixteen seventeen eighteen nineteen".split(),
        range(20),
        strict=True,
    )
) | {"a couple of": 2, "a couple": 2, "a pair of": 2}
_TENS = dict(
    zip(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(),  # noqa: SIM905
        range(20, 100, 10),
        strict=True,
    )
)
_ONES: dict[str, int] = {**_SMALL, **_TENS}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "dozen": 12}
_SUFFIXES = {"k": 1_000, "m": 10**6, "bn": 10**9, "million": 10**6, "billion": 10**9,
             "thousand": 1_000, "hundred": 100, "dozen": 12}  # fmt: skip
_WORDS = sorted([*_SMALL, *_TENS, *_SCALES], key=len, reverse=True)
_DIGITS = re.compile(
    r"(?<![\w.])(?:(?<=[\s(\[{,:=$€£+\-/^*x])|(?<![^\s]))?"
    r"([-\u2212]?)((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(e[+-]?\d+)?"
    r"(?:\s?(k|m|bn)\b|\s(million|billion|thousand|hundred|dozen)\b)?",
    re.IGNORECASE,
)
_SPELLED = re.compile(
    rf"\b(?:{'|'.join(_WORDS)})(?:(?:[\s-]+|\s+and\s+)(?:{'|'.join(_WORDS)}))*\b", re.IGNORECASE
)
Number = int | float
MAX_NUMBER = 10**15
"""What is larger is no quantity, and would not be exact as a float."""


def numbers_in(text: str) -> list[Mention]:
    """Find numbers; a minus belongs to one only where no digit stands before it."""
    found = (
        one
        for one in (*_digits(text), *_spelled(text))
        if isinstance(one.value, int | float) and abs(one.value) < MAX_NUMBER
    )
    return sorted(found, key=lambda one: one.start)


def _digits(text: str) -> Iterator[Mention]:
    for match in _DIGITS.finditer(text):
        sign, digits, exponent, short, scale = match.groups()
        start = match.start(1)
        is_negative = bool(sign) and not text[:start].rstrip()[-1:].isalnum()
        value: Number = float(digits.replace(",", "") + (exponent or ""))
        value *= _SUFFIXES.get((short or scale or "").lower(), 1)
        value = as_whole(-value if is_negative else value)
        yield Mention("number", start if is_negative else match.start(2), match.end(), value)


def _spelled(text: str) -> Iterator[Mention]:
    for match in _SPELLED.finditer(text):
        words = re.split(r"[\s-]+", match[0].lower())
        if words[0] == "a":
            yield Mention("number", match.start(), match.end(), 2)
            continue
        yield Mention("number", match.start(), match.end(), _value(words))


def _value(words: list[str]) -> int:
    """Add up: `two hundred and fifty thousand`."""
    total = part = 0
    for word in words:
        if word in _SCALES and _SCALES[word] > 100:
            total, part = total + max(part, 1) * _SCALES[word], 0
        elif word in _SCALES:
            part = max(part, 1) * _SCALES[word]
        else:
            part += _ONES.get(word, 0)
    return total + part


def as_whole(value: Number) -> Number:
    """Return an integer where the value is one."""
    return int(value) if abs(value) < 2**63 and value == int(value) else value
