"""Whether a request bears out a value that a generator gave for it, and the form it is taken in.

A small model makes values up, and a call that was made up is worse than a question back. A value
stays only where it is of the parameter's type and stands in the request, is how a mention of it is
written (`values.py`), or is made of its words.
"""

import re

from p3_rag_chatbot.tool_calling.finding import Said, found_in
from p3_rag_chatbot.tool_calling.mentions import Mention
from p3_rag_chatbot.tool_calling.schemas import Parameter
from p3_rag_chatbot.tool_calling.values import typed

N_STEM = 5
"""Letters of a word that count: `translation` follows from `translate`."""
_WORD = re.compile(r"\w+")


def followed(parameter: Parameter, value: object, said: Said) -> object | None:
    """Return a generated value as the parameter takes it; None where nothing bears it out."""
    if parameter.choices:
        same = (one for one in parameter.choices if type(one) is type(value) and one == value)
        return next(same, None)
    if parameter.kind == "array":
        return _listed(parameter, value, said)
    if parameter.kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float) and parameter.kind in ("integer", "number", "any"):
        return _number(parameter, value, said)
    if isinstance(value, str) and parameter.kind in ("string", "any"):
        return _text(parameter, value.strip(), said)
    return None


def _listed(parameter: Parameter, value: object, said: Said) -> object | None:
    """Keep a list whole or not at all: the rest of one is another list."""
    if parameter.items is None or not isinstance(value, list) or not value:
        return None
    kept = [followed(parameter.items, one, said) for one in value]
    return None if None in kept else kept


def _number(parameter: Parameter, value: float, said: Said) -> object | None:
    """Take a number that is said in figures or words, before or after its unit is converted."""
    for mention in found_in(said):
        if mention.kind == "number":
            taken = typed(parameter, mention, said.text)
            if taken is not None and value in (taken, mention.value):
                return taken
    span = _standing(f"{value:.15g}", said.text)
    return typed(parameter, span, said.text) if span is not None else None


def _text(parameter: Parameter, value: str, said: Said) -> object | None:
    span = _standing(value, said.text)
    for mention in found_in(said):
        is_moment = mention.kind in ("date", "time")
        if is_moment and span is not None and mention.overlaps(span):
            return typed(parameter, mention, said.text)
        taken = typed(parameter, mention, said.text)
        if isinstance(taken, str) and taken.lower() == value.lower():
            return taken
    if span is None and _is_told(value, said.text):
        span = Mention("span", 0, len(value), value)
    return typed(parameter, span, said.text) if span is not None else None


def _standing(value: str, text: str) -> Mention | None:
    """Find a value in the text, as whole words and in any case."""
    found = re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text, re.IGNORECASE) if value else None
    return Mention("span", found.start(), found.end(), found[0]) if found else None


def _is_told(value: str, text: str) -> bool:
    """Whether every word of a value, by its first letters, is one of the text's."""
    told = {word[:N_STEM] for word in _WORD.findall(text.lower())}
    words = _WORD.findall(value.lower())
    return bool(words) and all(word[:N_STEM] in told for word in words)
