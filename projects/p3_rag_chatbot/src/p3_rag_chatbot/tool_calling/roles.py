"""What a parameter is about, by its name and description: a date, a place, an identifier, a text.

And the words that announce its value in a request: `from` before an origin, `named` before a name.
"""

import re
from functools import lru_cache
from typing import Literal

from p3_rag_chatbot.reading.asking import in_words
from p3_rag_chatbot.tool_calling.dates import date_form
from p3_rag_chatbot.tool_calling.places import wants_region
from p3_rag_chatbot.tool_calling.schemas import Parameter

Role = Literal["date", "time", "place", "email", "url", "code", "name", "text", "number"]

_SMALL = frozenset(
    "the a an of is are to in for on by or and with be that which this whether if it as at from "  # noqa: SIM905
    "value string number integer specify specified specifies indicates flag used use given user "
    "name format such example e g i should will can must optional default not any new".split()
)
_WORD = re.compile(r"[a-z]+|\d+")
CUES: dict[str, tuple[str, ...]] = {
    "origin": ("from", "leaving"), "from": ("from", "leaving"), "source": ("from",),
    "departure": ("from", "depart", "leav"), "leaving": ("from", "leav", "depart"),
    "pickup": ("from", "pick"), "destination": ("to", "for", "toward"), "to": ("to",),
    "arrival": ("to", "arriv"), "going": ("to",), "dropoff": ("to", "drop"),
    "start": ("from", "start", "begin", "between", "since", "check", "arriv"),
    "begin": ("from", "start", "begin"), "end": ("to", "until", "through", "till", "end", "and"),
    "return": ("return", "back", "until", "to"), "checkout": ("to", "until", "check", "leav"),
    "check in": ("from", "check"), "check out": ("to", "until", "out"),
    "min": ("least", "above", "over", "more", "minimum", "from", "between", "greater"),
    "minimum": ("least", "above", "over", "more", "minimum", "from"),
    "max": ("most", "under", "below", "up", "maximum", "to", "less", "within", "and"),
    "maximum": ("most", "under", "below", "up", "maximum", "less", "within"),
    "limit": ("limit", "most", "up", "only", "first", "top", "maximum", "max"),
    "amount": ("amount", "$", "dollar", "usd", "euro", "pay", "buck"),
    "price": ("$", "price", "dollar", "cost", "under"), "budget": ("$", "budget", "under"),
    "quantity": ("x", "order", "quantity"), "director": ("direct", "by"),
    "directed": ("direct", "by"),
    "artist": ("by", "artist", "singer", "from"), "author": ("by", "written", "author"),
    "cast": ("star", "with", "featur", "cast", "actor", "actress", "includ"),
    "starring": ("star", "with", "featur", "actor", "actress"), "actor": ("star", "actor"),
    "receiver": ("to",), "recipient": ("to",), "sender": ("from",), "contact": ("to", "with"),
    "adults": ("adult", "people", "person", "passenger", "guest", "us"),
    "guests": ("guest", "people", "person", "adult"), "party": ("people", "guest", "for"),
    "seats": ("seat", "people", "person", "passenger", "rider"), "passengers": ("people", "person"),
    "people": ("people", "person", "guest"), "tickets": ("ticket", "people", "person", "seat"),
    "name": ("named", "called", "name", "titled"), "title": ("titled", "called", "title"),
    "label": ("label", "called", "named"), "query": ("for", "about"), "keyword": ("for", "about"),
    "message": ("saying", "message", "that"), "subject": ("about", "subject", "titled"),
    "duration": ("for", "minute", "hour", "second", "day"), "time": ("at", "within", "minute"),
    "company": ("at", "for", "company"), "language": ("in", "into"), "units": ("in",),
    "loc": ("in", "at", "from", "near", "for"), "location": ("in", "at", "near", "for", "around"),
    "city": ("in", "at", "near", "for", "around"), "place": ("in", "at"), "area": ("in", "at"),
    "album": ("album",), "track": ("song", "track", "play"), "song": ("song", "track", "play"),
    "beds": ("bed", "bedroom"), "baths": ("bath", "bathroom"), "age": ("old", "age", "aged"),
    "year": ("in", "year", "from"), "page": ("page",), "id": ("id", "number", "identifier"),
}  # fmt: skip


_BY_FORMAT: dict[str, Role] = {
    "date": "date", "date-time": "date", "time": "time", "email": "email", "uri": "url",
    "url": "url", "uuid": "code",
}  # fmt: skip
_BY_NAME: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("date", re.compile(r" (date|day|birthday|dob|when) ")),
    ("time", re.compile(r" (time|hour) (?!zone)")),
    ("email", re.compile(r" e?mail ")),
    ("url", re.compile(r" (url|uri|link|website|endpoint|host|hostname) ")),
)
_BY_NAME_AFTER_PLACES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    (
        "code",
        re.compile(r" (ids?|uuid|guid|code|sku|ip|token|key|hash|identifier|serial|symbol) "),
    ),
    (
        "text",
        re.compile(
            r" (content|text|message|body|query|question|prompt|description|command|comment|note"
            r"|statement|summary|keywords?|input|sentence|search|instruction|expression|answer) "
        ),
    ),
)


@lru_cache(maxsize=4096)
def role_of(parameter: Parameter) -> Role:
    """Return what a parameter's values are, as far as its name and description tell."""
    if parameter.kind in ("integer", "number"):
        return "number"
    if shown := _BY_FORMAT.get(parameter.format) or _shown_role(parameter.description):
        return shown
    name = f" {in_words(parameter.name)} "
    if named := _named(name, _BY_NAME):
        return named
    if _is_place(name, parameter.description):
        return "place"
    return _named(name, _BY_NAME_AFTER_PLACES) or "name"


def _shown_role(description: str) -> Role | None:
    """Return the role that the form in a description tells: `YYYY-MM-DD`, `HH:MM`."""
    if date_form(description):
        return "date"
    told = description.lower()
    if re.search(r"hh:mm|24[- ]hour", told):
        return "time"
    return "email" if "e-mail address" in told or "email address" in told else None


def _named(name: str, roles: tuple[tuple[Role, re.Pattern[str]], ...]) -> Role | None:
    return next((role for role, pattern in roles if pattern.search(name)), None)


def _is_place(name: str, description: str) -> bool:
    return wants_region(description) or bool(
        re.search(
            r" (city|location|loc|place|address|destination|origin|town|state|country|area|region"
            r"|where) ",
            name,
        )
        and not re.search(r" (type|name|id|code) ", name)
    )


@lru_cache(maxsize=4096)
def words_of(parameter: Parameter) -> tuple[str, ...]:
    """Return the telling words of a parameter's name, in small letters."""
    return tuple(w for w in _WORD.findall(in_words(parameter.name)) if w not in _SMALL or w == "to")


@lru_cache(maxsize=4096)
def told_words_of(parameter: Parameter) -> tuple[str, ...]:
    """Return the telling words of a parameter's description, its examples left out."""
    told = re.split(r"[.;] |e\.g\.|such as|for example|format", parameter.description.lower())[0]
    return tuple(dict.fromkeys(w for w in _WORD.findall(told) if w not in _SMALL and len(w) > 2))


@lru_cache(maxsize=4096)
def cues_of(parameter: Parameter) -> tuple[str, ...]:
    """Return the words that announce a parameter's value."""
    name = in_words(parameter.name)
    found = [cue for key, cues in CUES.items() if re.search(rf"\b{key}\b", name) for cue in cues]
    return tuple(dict.fromkeys(found))


def are_alike(word: str, other: str) -> bool:
    """Whether two words share their stem, roughly: `bed` and `beds`, `direct` and `directed`."""
    short, long = sorted((word, other), key=len)
    if len(short) <= 2:
        return short == long
    if len(short) == 3:
        return long in (short, f"{short}s") or (long.startswith(short) and len(long) >= 7)
    return long.startswith(short[: max(4, len(short) - 2)]) and long[:4] == short[:4]
