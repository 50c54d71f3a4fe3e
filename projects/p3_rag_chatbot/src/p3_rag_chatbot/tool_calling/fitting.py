"""How well a mention fits a parameter by its own form, and how far a reader's span is believed."""

import math
import re
from datetime import datetime

from p3_rag_chatbot.ports import Reading
from p3_rag_chatbot.tool_calling.dates import wants_moment
from p3_rag_chatbot.tool_calling.mentions import Mention, MentionKind
from p3_rag_chatbot.tool_calling.places import is_city, is_country, is_state, wants_region
from p3_rag_chatbot.tool_calling.roles import Role, words_of
from p3_rag_chatbot.tool_calling.schemas import Parameter

FITTING: dict[Role, dict[MentionKind, float]] = {
    "number": {"number": 0.5},
    "date": {"date": 0.6, "time": 0.1},
    "time": {"time": 0.6},
    "place": {"place": 0.6, "name": 0.25, "quote": 0.3},
    "email": {"email": 0.8},
    "url": {"url": 0.8, "quote": 0.3, "code": 0.2},
    "code": {"code": 0.5, "quote": 0.5, "number": 0.35, "name": 0.2, "url": 0.1},
    "name": {"quote": 0.5, "name": 0.45, "code": 0.3, "place": 0.2},
    "text": {"quote": 0.6},
}
"""How well a mention of a kind fits a parameter of a role, with nothing else known."""
FIRM: frozenset[MentionKind] = frozenset({"quote", "code", "url", "email"})
"""Mentions whose ends are sure: a span within one means all of it."""
READER_BELIEVES, SHARPNESS = 0.5, 1.5
"""Belief from which a span counts; by how much an unsure span lowers it."""


def suits(parameter: Parameter, mention: Mention, text: str) -> float:
    """Return what a mention's own form says for or against a parameter."""
    name, value = words_of(parameter), str(mention.value)
    if mention.kind == "place":
        is_of = {"city": is_city(value), "state": is_state(value), "country": is_country(value)}
        named = [kind for kind in is_of if kind in name]
        if wants_region(parameter.description):
            return 0.1 if "," in value else 0.0
        if named and "," in value:
            return -0.3
        return -0.4 if named and any(is_of.values()) and not any(is_of[k] for k in named) else 0.0
    if mention.kind == "date":
        return (
            0.1
            if isinstance(mention.value, datetime) and wants_moment(parameter.description)
            else (-0.1 if isinstance(mention.value, datetime) else 0.0)
        )
    if mention.kind == "name":
        return -0.5 if all(one in name for one in value.lower().split()) else 0.0
    if mention.kind == "number":
        told = f"{parameter.name} {parameter.description}".lower()
        after = text[mention.end : mention.end + 12].lower().lstrip(" -")
        if after.startswith(("%", "percent")):
            return 0.4 if "percent" in told else -0.2
        unit = re.match(r"(second|minute|hour|day|dollar|usd|month|year)", after)
        return 0.3 if unit and unit[1] in told else 0.0
    return 0.0


def believed_span(
    text: str, reading: Reading | None, least: float = READER_BELIEVES
) -> Mention | None:
    """Return the span that a reader marks, where it is believed enough."""
    if reading is None or belief(reading) < least or reading.end <= reading.start:
        return None
    said = text[reading.start : reading.end]
    start = reading.start + len(said) - len(said.lstrip(" '\"“\u2018"))
    said = text[start : reading.end].rstrip(" '\"”’.,?!;:")
    return Mention("span", start, start + len(said), said) if said else None


def belief(reading: Reading) -> float:
    """Return how far a span is believed: that there is one, and that it is this one."""
    return reading.p_answerable * math.exp(reading.span_score / SHARPNESS)


def shared(mention: Mention, span: Mention) -> float:
    """Return the characters that two share, as a part of both; 1 within what has sure ends."""
    if mention.kind in FIRM and mention.start <= span.start and span.end <= mention.end:
        return 1.0
    shared = min(mention.end, span.end) - max(mention.start, span.start)
    return shared / (max(mention.end, span.end) - min(mention.start, span.start))
