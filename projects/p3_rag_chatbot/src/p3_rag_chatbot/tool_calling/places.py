"""Places in a request, and how a description wants them written: `City, State` and the like."""

import re
from collections.abc import Iterator

from p3_rag_chatbot.tool_calling.gazetteer import (
    CITIES,
    COUNTRIES,
    LOCAL_NAMES,
    SHORT_NAMES,
    STATES,
)
from p3_rag_chatbot.tool_calling.mentions import Mention, without_overlaps

_CODES = frozenset(STATES.values())
_BY_NAME = {name.lower(): code for name, code in STATES.items()}
_PROPER = r"(?:(?:St|Ft|Mt)\.\s)?[A-ZÀ-Þ][\w'’\-À-ÿ]*"
_PART = rf"{_PROPER}(?:\s(?:(?:of|de|la|del|el|and)\s)?{_PROPER})*"
_WITH_REGION = re.compile(rf"(?:\d+[A-Za-z]?\s+)?{_PART}(?:,\s*{_PART}(?:\s\d{{5}})?){{1,3}}")
_CITY_CODE = re.compile(rf"({_PART})\s({'|'.join(sorted(_CODES))})\b")
_WORDS = re.compile(r"[\wÀ-ÿ.'’\-]+")
_WANTS_REGION = re.compile(
    r"city,?\s*(?:and\s*)?(?:the\s*)?(?:state|country|location|province)|city,? ?\(?state"
    r"|['\u2018\"][A-Z][\w .]+, [A-Z]{2}['\u2019\"]",
    re.IGNORECASE,
)
_WANTS_COUNTRY = re.compile(r"city,?\s*(?:and\s*)?country", re.IGNORECASE)
_WANTS_SHORT = re.compile(r"abbr|short form|two[- ]letter|, [A-Z]{2}\b")


def places_in(text: str) -> list[Mention]:
    """Find places: `City, Region` as written, else cities, states and countries that are known."""
    written = list(_with_region(text))
    known = [one for one in _known(text) if not any(one.overlaps(other) for other in written)]
    return [*written, *without_overlaps(known)]


def _with_region(text: str) -> Iterator[Mention]:
    for match in _WITH_REGION.finditer(text):
        parts = [part.strip() for part in match[0].split(",")]
        last = parts[-1].split(" ")[0] if parts[-1][-1:].isdigit() else parts[-1]
        is_region = (
            last in _CODES or last.lower() in _BY_NAME or last.lower() in COUNTRIES
            or parts[0].lower() in CITIES
        )  # fmt: skip
        if is_region and not _is_listed(parts):
            yield Mention("place", match.start(), match.end(), match[0])
            if len(parts) == 2:
                yield from _parts(match)
    for match in _CITY_CODE.finditer(text):
        yield Mention("place", match.start(), match.end(), f"{match[1]}, {match[2]}")


def _parts(match: re.Match[str]) -> Iterator[Mention]:
    """Yield the city and its region each by itself, for functions that ask for them apart."""
    start = match.start()
    for part in match[0].split(","):
        first = start + len(part) - len(part.lstrip())
        yield Mention("place", first, first + len(part.strip()), part.strip())
        start += len(part) + 1


def _is_listed(parts: list[str]) -> bool:
    """Whether the parts are several cities and not one with its region."""
    return len(parts) > 1 and all(
        part.lower() in CITIES and part.lower() not in _BY_NAME for part in parts
    )


def _known(text: str) -> Iterator[Mention]:
    for local, name in LOCAL_NAMES.items():
        at = text.lower().find(local)
        if at >= 0 and (not local.isascii() or _is_word(text, at, at + len(local))):
            yield Mention("place", at, at + len(local), name)
    words = list(_WORDS.finditer(text))
    at = 0
    while at < len(words):
        for n in (4, 3, 2, 1):
            chosen = words[at : at + n]
            name = text[chosen[0].start() : chosen[-1].end()].rstrip(".'’").removesuffix("'s")
            if len(chosen) == n and (known := _place(name)):
                start = chosen[0].start()
                yield Mention("place", start, start + len(name), known)
                at += n - 1
                break
        at += 1


def _is_word(text: str, start: int, end: int) -> bool:
    return not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())


_ALSO_WORDS = frozenset(
    "nice split mobile bend reading athens salem lima cork bali mesa bern".split()  # noqa: SIM905
)
"""Cities that are small words too: only with a capital letter."""


def _place(name: str) -> str | None:
    lower = name.lower()
    if lower in SHORT_NAMES:
        return SHORT_NAMES[lower] if len(name) > 2 or name.isupper() else None
    if lower in CITIES:
        is_plain = name[0].isupper() or (lower not in _ALSO_WORDS and len(lower) > 4)
        return CITIES[lower][0] if is_plain else None
    if lower in _BY_NAME or lower in COUNTRIES:
        return name if name[0].isupper() else None
    return None


def is_state(place: str) -> bool:
    """Whether a place is a state of the USA."""
    return place.lower() in _BY_NAME or place in _CODES


def is_country(place: str) -> bool:
    """Whether a place is a country."""
    return place.lower() in COUNTRIES


def is_city(place: str) -> bool:
    """Whether a place is a city that is known."""
    return place.partition(",")[0].lower() in CITIES


def wants_region(description: str) -> bool:
    """Whether a description asks for a city with its state or country."""
    return bool(_WANTS_REGION.search(description))


def written_place(place: str, description: str) -> str:
    """Write a place as a description asks: with its state or country where it says so."""
    if not wants_region(description):
        is_short = re.search(r"state.{0,20}abbrev|abbreviation", description, re.IGNORECASE)
        return _BY_NAME.get(place.lower(), place) if is_short else place
    parts = [part.strip() for part in place.split(",")]
    if len(parts) > 1:
        region = parts[1]
        if _WANTS_SHORT.search(description) and region.lower() in _BY_NAME:
            parts[1] = _BY_NAME[region.lower()]
        return ", ".join(parts)
    known = CITIES.get(place.lower())
    if known is None:
        return place
    name, region = known
    if region in _CODES and not _WANTS_SHORT.search(description):
        region = next(full for full, code in STATES.items() if code == region)
    return f"{name}, {region}"
