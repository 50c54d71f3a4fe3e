"""Everything that a request mentions, found once: what a date holds is no number of its own."""

from dataclasses import dataclass
from datetime import date

from p3_rag_chatbot.tool_calling.dates import dates_in, moments_in, times_in
from p3_rag_chatbot.tool_calling.mentions import (
    Mention,
    codes_in,
    names_in,
    quotes_in,
    without_overlaps,
)
from p3_rag_chatbot.tool_calling.numbers import numbers_in
from p3_rag_chatbot.tool_calling.places import places_in


@dataclass(frozen=True)
class Said:
    """What the user said, and when: relative dates count from `today`."""

    text: str
    today: date


def found_in(said: Said) -> list[Mention]:
    """Find all mentions; what a date or an address holds is no number or name of its own."""
    text = said.text
    firm = codes_in(text)
    dates = dates_in(text, said.today)
    times = [one for one in times_in(text) if not any(one.overlaps(other) for other in dates)]
    whole = without_overlaps([*[one for one in firm if one.kind != "code"], *dates, *times])
    places = [one for one in places_in(text) if not any(one.overlaps(o) for o in whole)]
    whole += [
        one
        for one in firm
        if one.kind == "code" and not any(one.overlaps(o) for o in [*whole, *places])
    ]
    whole += moments_in(dates, times)
    numbers = [
        one
        for one in numbers_in(text)
        if not any(one.overlaps(other) for other in [*whole, *places])
    ]
    names = [
        one
        for one in names_in(text)
        if not any(one.overlaps(other) for other in whole if other.kind != "code")
    ]
    return sorted([*quotes_in(text), *whole, *places, *numbers, *names], key=lambda one: one.start)
