"""Values from a closed list: by the words of the request, by what a description calls them.

Where no word matches, the embedder compares the choices with the request's words: `cartoon` is
nearest to `Animation`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from p3_rag_chatbot.ports import Embedder
from p3_rag_chatbot.reading.asking import in_words
from p3_rag_chatbot.tool_calling.roles import are_alike
from p3_rag_chatbot.tool_calling.schemas import Parameter

_WORD = re.compile(r"[\w'’\-]+")
_NO_CHOICE = frozenset("any all none other default dontcare unknown null n/a auto".split())  # noqa: SIM905
_SMALL = frozenset(
    "the a an of is are to in for on by or and with i me my you your please can could would like "  # noqa: SIM905
    "want need some it that this at from be do what how get find show tell give have any".split()
)
MIN_LIKENESS = 0.45
"""Cosine from which a word of the request stands for a choice."""
MAX_COMPARED = 64


def chosen_by_words(parameter: Parameter, text: str) -> list[tuple[object, int]]:
    """Return the choices that the request says, surest first, with the place of each."""
    found: list[tuple[float, int, object]] = []
    words = [(match[0].lower(), match.start()) for match in _WORD.finditer(text)]
    aliases = aliases_of(parameter)
    for choice in parameter.choices:
        if isinstance(choice, str) and choice.lower() in _NO_CHOICE:
            continue
        best = max(
            (_said(name, text, words) for name in (str(choice), *aliases.get(choice, ()))),
            default=(0.0, -1),
        )
        if best[0] > 0:
            found.append((*best, choice))
    found.sort(key=lambda one: (-one[0], one[1]))
    return [(choice, at) for _, at, choice in found]


def _said(name: str, text: str, words: list[tuple[str, int]]) -> tuple[float, int]:
    """Return how surely a text says a name, and where: whole as written, or word by word."""
    if match := re.search(rf"(?<![\w]){re.escape(name)}(?!\w)", text, re.IGNORECASE):
        # a single letter or a small word counts only as it is written
        is_sure = len(name) > 2 or match[0] == name or any(one.isdigit() for one in name)
        if is_sure and name.lower() not in _SMALL:
            return 2.0 + len(name) / 100, match.start()
    asked = [word for word in in_words(name).split() if word not in _SMALL]
    if not asked or (len(asked) == 1 and len(asked[0]) < 3):
        return 0.0, -1
    places: list[int] = []
    for word in asked:
        at = next((at for said, at in words if are_alike(word, said)), -1)
        if at < 0:
            return 0.0, -1
        places.append(at)
    return (1.0 + len(asked) / 100, min(places)) if _are_near(places) else (0.0, -1)


def _are_near(places: Sequence[int]) -> bool:
    return max(places) - min(places) < 25 * len(places)


@lru_cache(maxsize=1024)
def aliases_of(parameter: Parameter) -> dict[object, tuple[str, ...]]:
    """Return what a description calls each choice: `'metric' for Celsius`, `1 means low`."""
    found: dict[object, tuple[str, ...]] = {}
    for choice in parameter.choices:
        match = re.search(
            rf"(?<!\w)['\"]?{re.escape(str(choice))}['\"]?\s*"
            r"(?:\(|for|means|represents|corresponds to|indicates|refers to|=|:|is)\s*"
            r"([\w\s\-]{3,40})",
            parameter.description,
        )
        if match:
            told = re.split(r"\b(?:and|or|use|when)\b|[,.;)]", match[1])[0].strip()
            if told and told.lower() not in _SMALL and not told.lower().startswith("the "):
                found[choice] = (told,)
    return found


_SHOWN = re.compile(r"['\"\u2018“]([A-Za-z][\w \-]{2,30})['\"\u2019”]")


@lru_cache(maxsize=1024)
def examples_of(parameter: Parameter) -> tuple[str, ...]:
    """Return the values that a description shows in quotes: such as 'temperature' or 'humidity'."""
    return tuple(dict.fromkeys(_SHOWN.findall(parameter.description)))


_NUMBERED = re.compile(
    r"['\"]?(\d+)['\"]?\s*(?:for|represents|corresponds to|means|is for|is|to|=|:)\s*"
    r"(?:an?\s|the\s)?([A-Za-z][\w\s\-]{2,30}?)(?=\s*(?:[,.;)]|$|\band\b|\bor\b))"
)
_GENERAL = frozenset("service services province type level group".split())  # noqa: SIM905


@lru_cache(maxsize=1024)
def numbered_of(parameter: Parameter) -> tuple[tuple[int, str], ...]:
    """Return the numbers that a description gives names: `1 for Bangkok, 2 for Chiang Mai`."""
    found = [(int(number), name) for number, name in _NUMBERED.findall(parameter.description)]
    return tuple(found) if len(found) > 1 else ()


def chosen_by_number(parameter: Parameter, text: str) -> int | None:
    """Return the number whose name the request says."""
    words = [match[0].lower() for match in _WORD.finditer(text)]
    for number, name in numbered_of(parameter):
        telling = [one for one in in_words(name).split() if one not in _GENERAL | _SMALL]
        if telling and all(any(are_alike(one, word) for word in words) for one in telling):
            return number
    return None


def chosen_by_meaning(
    parameter: Parameter, text: str, embedder: Embedder, *, least: float = MIN_LIKENESS
) -> object | None:
    """Return the choice that a word of the request is most like; None where none is enough."""
    said = [m[0] for m in _WORD.finditer(text) if m[0].lower() not in _SMALL][:MAX_COMPARED]
    pairs = [f"{a} {b}" for a, b in pairwise(said)]
    choices = [
        one for one in parameter.choices if str(one).lower() not in _NO_CHOICE
    ][:MAX_COMPARED]  # fmt: skip
    if not said or not choices:
        return None
    names = [" ".join((in_words(str(one)), *aliases_of(parameter).get(one, ()))) for one in choices]
    vectors = embedder.embed([*names, *said, *pairs])
    likeness = vectors[: len(names)] @ vectors[len(names) :].T
    best = likeness.max(axis=1)
    at = int(np.argmax(best))
    return choices[at] if best[at] >= least else None
