"""Lists in a request: `a, b and c`, quoted items, several numbers, several choices."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from p3_rag_chatbot.tool_calling.announcing import Announcements
from p3_rag_chatbot.tool_calling.choices import chosen_by_words, examples_of
from p3_rag_chatbot.tool_calling.mentions import Mention, without_overlaps
from p3_rag_chatbot.tool_calling.roles import role_of
from p3_rag_chatbot.tool_calling.schemas import Parameter
from p3_rag_chatbot.tool_calling.values import typed

_BETWEEN = re.compile(r"\s*(?:,|;|/|&|\+)?\s*(?:\b(?:and|or|y|und|et|dan)\b|\s|和|、)?\s*")
_SEPARATOR = re.compile(r"\s*(?:,\s*(?:and|or)\s+|,|;|\band\b|\bor\b|&|、|和)\s*")
_AMONG_NUMBERS = re.compile(r"[,;/&]?(?:\s*[A-Za-z'’,]+){0,4}\s*[-,:]?\s*")
"""What may stand between numbers of one list: `five burgers and six wings`."""
ANNOUNCED = 0.3


@dataclass(frozen=True)
class Listed:
    """The values of a list, what they were read from, and whether the words around name it."""

    values: list[object]
    mentions: tuple[Mention, ...]
    is_announced: bool


def listed(
    parameter: Parameter, text: str, mentions: Sequence[Mention], span: Mention | None
) -> Listed | None:
    """Find a list for a parameter; the reader's span, where there is one, bounds it."""
    item = parameter.items or Parameter(parameter.name, "string", parameter.description)
    if item.kind in ("object", "array"):
        return None
    if choices := item.choices or parameter.choices:
        asked = Parameter(parameter.name, "string", parameter.description, choices=choices)
        found = sorted(chosen_by_words(asked, text), key=lambda one: one[1])
        return Listed([one for one, _ in found], (), is_announced=True) if found else None
    if shown := examples_of(parameter):
        asked = Parameter(parameter.name, "string", choices=shown)
        if found := sorted(chosen_by_words(asked, text), key=lambda one: one[1]):
            return Listed([one for one, _ in found], (), is_announced=True)
    named = Parameter(parameter.name, item.kind, parameter.description, format=item.format)
    if item.kind in ("integer", "number"):
        return _run_of(named, text, [one for one in mentions if one.kind == "number"])
    if span is not None:
        return Listed(_split(span), (span,), is_announced=True)
    role = role_of(named)
    kinds = {"date": ("date",), "place": ("place",), "email": ("email",), "url": ("url",)}.get(
        role, ("quote",)
    )
    run = _run_of(named, text, [one for one in mentions if one.kind in kinds])
    if run is None and kinds == ("quote",):
        run = _run_of(named, text, [one for one in mentions if one.kind in ("code", "name")])
    return run


def _run_of(parameter: Parameter, text: str, fits: Sequence[Mention]) -> Listed | None:
    """Return the longest run of mentions with nothing but commas and `and` between them."""
    runs: list[list[Mention]] = []
    between = _AMONG_NUMBERS if parameter.kind in ("integer", "number") else _BETWEEN
    for one in without_overlaps(fits):
        if runs and between.fullmatch(text[runs[-1][-1].end : one.start]):
            runs[-1].append(one)
        else:
            runs.append([one])
    if not runs:
        return None
    announced = Announcements(text)
    best = max(runs, key=lambda run: (announced.of(run[0], parameter), len(run)))
    longest = max(runs, key=len)
    chosen = longest if len(longest) > len(best) > 0 and len(longest) > 1 else best
    values = [value for one in chosen if (value := typed(parameter, one, text)) is not None]
    is_announced = announced.of(chosen[0], parameter) >= ANNOUNCED
    return Listed(values, tuple(chosen), is_announced) if values else None


def _split(span: Mention) -> list[object]:
    parts = [part.strip(" '\"“”\u2018\u2019") for part in _SEPARATOR.split(str(span.value))]
    return [part for part in parts if part]
