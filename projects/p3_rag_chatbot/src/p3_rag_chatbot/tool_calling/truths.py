"""Yes and no in a request: whether it asks for what a boolean parameter names."""

import re
from functools import lru_cache

from p3_rag_chatbot.reading.asking import in_words
from p3_rag_chatbot.tool_calling.roles import are_alike, told_words_of, words_of
from p3_rag_chatbot.tool_calling.schemas import Function, Parameter

_WORD = re.compile(r"[\w'’]+|[.,;!?]")
_NEGATIONS = frozenset(
    "no not without don't dont doesn't isn't non never exclude excluding except skip disable off "  # noqa: SIM905
    "false neither".split()
)
_PREFIXES = frozenset(
    "is has have include includes included including allow allows enable enabled show with do does "  # noqa: SIM905
    "should can return get add use want wants are was be only request".split()
)
_REACH = 4
"""Words before a word that a negation reaches over."""


def said_truth(parameter: Parameter, text: str, function: Function) -> bool | None:
    """Return whether the request wants what the parameter names; None where it does not say."""
    asked = [word for word in words_of(parameter) if word not in _PREFIXES]
    if not asked:
        return None
    words = [match[0].lower().replace("’", "'") for match in _WORD.finditer(text)]
    places = [_place(word, words) for word in asked]
    said = [at for at in places if at >= 0]
    telling = [
        word
        for word, at in zip(asked, places, strict=True)
        if at >= 0 and not any(are_alike(word, other) for other in _subject(function))
    ]
    if not said or (len(said) < len(asked) and 2 * len(telling) < len(asked)):
        return _named_truth(parameter, words)
    return not _is_denied(words, min(said)) ^ _is_denying(parameter)


@lru_cache(maxsize=1024)
def _subject(function: Function) -> tuple[str, ...]:
    """Return the words of what a function is about: in a flag's name they tell nothing."""
    told = f"{in_words(function.name)} {function.description}".lower()
    return tuple(dict.fromkeys(re.findall(r"[a-z]{3,}", told)))


def _place(word: str, words: list[str]) -> int:
    return next((at for at, said in enumerate(words) if are_alike(word, said)), -1)


def _named_truth(parameter: Parameter, words: list[str]) -> bool | None:
    """Try the description's own words, where it tells in one or two what the flag is about."""
    told = [w for w in told_words_of(parameter) if w not in _PREFIXES and len(w) > 4][:6]
    named = [w for w in words_of(parameter) if w not in _PREFIXES]
    hits = [w for w in told if _place(w, words) >= 0]
    if len(hits) < 2 or not any(_place(w, words) >= 0 for w in named):
        return None
    return not _is_denied(words, min(_place(w, words) for w in hits))


def _is_denied(words: list[str], at: int) -> bool:
    for before in range(at - 1, max(-1, at - 1 - _REACH), -1):
        if words[before] in ".,;!?":
            return False
        if words[before] in _NEGATIONS:
            return True
    return words[at + 1 : at + 2] in (["false"], ["off"], ["disabled"])


def _is_denying(parameter: Parameter) -> bool:
    """Whether the name itself denies: `exclude_hidden` is true where hidden is excluded."""
    return any(word in ("no", "exclude", "disable", "skip") for word in words_of(parameter))
