"""A mention as the value of a parameter: of its type, in the form that its description shows."""

import re
from datetime import date, datetime, time

from p3_rag_chatbot.tool_calling.dates import written_date, written_time
from p3_rag_chatbot.tool_calling.mentions import Mention
from p3_rag_chatbot.tool_calling.places import wants_region, written_place
from p3_rag_chatbot.tool_calling.roles import role_of, words_of
from p3_rag_chatbot.tool_calling.schemas import Parameter

_SECONDS = {
    "millisecond": 0.001, "ms": 0.001, "second": 1.0, "sec": 1.0, "minute": 60.0, "min": 60.0,
    "hour": 3600.0, "hr": 3600.0, "day": 86_400.0, "week": 604_800.0,
}  # fmt: skip
_UNIT = re.compile(
    r"\s*-?(milliseconds?|ms|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?)\b"
)
_WANTED_UNIT = re.compile(r"\bin (milliseconds|seconds|minutes|hours|days)\b")
_PERCENT = re.compile(r"\s*(?:%|percent\b)")
_UPPER = re.compile(r"\bupper[- ]?case|\bcapital letters", re.IGNORECASE)
_LOWER = re.compile(r"\blower[- ]?case", re.IGNORECASE)


def typed(parameter: Parameter, mention: Mention, text: str) -> object | None:
    """Return a mention's value as the parameter takes it; None where it cannot."""
    value = mention.value
    if parameter.kind in ("integer", "number"):
        return _number(parameter, mention, text)
    if isinstance(value, datetime):
        return written_date(value.date(), parameter.description, value.time())
    if isinstance(value, date):
        return written_date(value, parameter.description)
    if isinstance(value, time):
        return written_time(value, parameter.description)
    if parameter.kind == "any" and isinstance(value, int | float):
        return value
    said = text[mention.start : mention.end] if mention.kind == "number" else str(value)
    if role_of(parameter) == "place":
        if "city" in words_of(parameter) and not wants_region(parameter.description):
            said = said.partition(",")[0]
        said = written_place(said, parameter.description)
    if _UPPER.search(parameter.description):
        return said.upper()
    return said.lower() if _LOWER.search(parameter.description) else said


def _number(parameter: Parameter, mention: Mention, text: str) -> int | float | None:
    value = mention.value
    if not isinstance(value, int | float):
        try:
            value = float(str(value).replace(",", ""))
        except ValueError:
            return None
    after = text[mention.end : mention.end + 20].lower()
    value *= _conversion(parameter.description, after)
    if parameter.maximum == 1 and value > 1 and _PERCENT.match(after):
        value /= 100
    if parameter.kind == "number":
        return float(value)
    return int(value) if value == int(value) else None


def _conversion(description: str, after: str) -> float:
    """Return the factor from the unit behind a number to the one that a description asks for."""
    said, wanted = _UNIT.match(after), _WANTED_UNIT.search(description.lower())
    if not said or not wanted:
        return 1.0
    given = said[1] if said[1] == "ms" else said[1].rstrip("s")
    return _SECONDS[given] / _SECONDS[wanted[1].rstrip("s")]
