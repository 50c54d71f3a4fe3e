"""What a request mentions that has a form: quotes, addresses, identifiers; and where.

Numbers, dates and places have modules of their own. Read next: `filling.py`, which gives mentions
to parameters.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

MentionKind = Literal[
    "number", "date", "time", "quote", "email", "url", "code", "place", "name", "span"
]


@dataclass(frozen=True)
class Mention:
    """A value and the characters of the request that say it; `weight` is how surely they do."""

    kind: MentionKind
    start: int
    end: int
    value: object

    def overlaps(self, other: "Mention") -> bool:
        """Whether they share a character."""
        return self.start < other.end and other.start < self.end


_QUOTES = re.compile(
    r"\"([^\"\n]{1,4000}?)\"|“([^”]{1,4000}?)”|«([^»]{1,4000}?)»|「([^」]{1,4000}?)」|`([^`]{1,4000}?)`"
    r"|(?<![A-Za-z0-9\u2019'])['\u2018]((?:[^'\u2019\n]|(?<=[A-Za-z])['\u2019](?=[A-Za-z])){1,4000}?)['\u2019](?![A-Za-z0-9])"
)
_EMAIL = re.compile(r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+")
_URL = re.compile(r"(?:https?|ftp|s3|ws)://[^\s'\"<>]+[^\s'\"<>.,;:!?)]|www\.[^\s'\"<>]+\w")
_CODE = re.compile(
    r"(?<![\w@/])(?:(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?"  # an IP address
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?=[\w\-./]*\d)(?=[\w\-./]*[A-Za-z_])[A-Za-z0-9_][\w\-./]*\w"  # letters with digits
    r"|[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+|\d+(?:-\d+)+(?![\w.])"
    r"|(?:[A-Za-z]:)?(?:[\\/][\w.\-]+){2,}|[\w\-]+\.[a-z]{2,4}(?![\w.]))"
)
_ORDINAL_OR_UNIT = re.compile(
    r"\d+(?:\.\d+)?-?(?:st|nd|rd|th|am|pm|k|m|km|kg|mb|gb|ms|s|h|cm|mm|lb|ft|px|x|%|second|minute"
    r"|hour|day|week|month|year|night|star|person|people|bedroom|room|item|point|page)?s?"
    r"(?:-\w{0,4})?",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?<![\w'’])[A-Z][\w'’&\-]*(?:(?<=\b[A-Z])\.(?=\s[A-Z])|(?<=\b[A-Z][a-z])\.(?=\s[A-Z]))?"
    r"(?:(?:\s(?:of|the|de|la|and|&|van|von|del|di|da)){0,2}\s(?:[A-Z][\w'’&\-]*|\d+))*"
)
_NOT_NAMES = frozenset(
    "I I'm I'd I'll I've Can Could Would Will Please What When Where Which Who How Why Is Are Do "  # noqa: SIM905
    "Does Find Get Show Tell Give Help Also The A An My Me In On At For From To And Or But If Let "
    "Need Want Hi Hello Hey Thanks Thank Book Buy Play Check Search Look List Make Set Add Create "
    "Delete Remove Send Update Retrieve Fetch Provide It It's This That There Today Tomorrow Now "
    "Use Using With We Our You Your Some Any Just So Then As Calculate Compute Convert Change "
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday Ok Okay Yes No Be Am Should".split()
)
_NEVER_NAMES = frozenset("I I'm I'd I'll I've ID IDs API URL IP UUID Today Tomorrow".split())  # noqa: SIM905


def quotes_in(text: str) -> list[Mention]:
    """Find what stands in quotation marks."""
    return [
        Mention("quote", match.start(), match.end(), next(g for g in match.groups() if g))
        for match in _QUOTES.finditer(text)
    ]


def codes_in(text: str) -> list[Mention]:
    """Find addresses of mail and web, then identifiers: what mixes letters, digits and marks."""
    found = [Mention("email", m.start(), m.end(), m[0]) for m in _EMAIL.finditer(text)]
    found = without_overlaps(
        [*found, *(Mention("url", m.start(), m.end(), m[0]) for m in _URL.finditer(text))]
    )
    codes = (
        Mention("code", m.start(), m.end(), m[0])
        for m in _CODE.finditer(text)
        if not _ORDINAL_OR_UNIT.fullmatch(m[0])
    )
    return without_overlaps([*found, *codes])


def names_in(text: str) -> list[Mention]:
    """Find runs of capitalised words that do not merely begin a sentence."""
    return list(_names(text))


def _names(text: str) -> Iterator[Mention]:
    for match in _NAME.finditer(text):
        start, words = match.start(), match[0].split(" ")
        begins = text[:start].rstrip(" '\"(*-")[-1:] in ("", ".", "?", "!", ":", "\n")
        while words and words[0].replace("’", "'") in (_NOT_NAMES if begins else _NEVER_NAMES):
            begins = False
            start += len(words.pop(0)) + 1
        while words and not words[-1][:1].isupper() and not words[-1].isdigit():
            words.pop()
        found = " ".join(words)
        if text[start + len(found) :].lstrip()[:1].islower():  # a possessive, not `McDonald's`
            found = found.removesuffix("'s").removesuffix("’s")
        if found:
            yield Mention("name", start, start + len(found), found)


def without_overlaps(mentions: Iterable[Mention]) -> list[Mention]:
    """Leave out what shares characters with one before it in the list; sorts by place."""
    kept: list[Mention] = []
    for one in mentions:
        if not any(one.overlaps(other) for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)
