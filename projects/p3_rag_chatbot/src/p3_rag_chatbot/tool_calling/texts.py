"""Free text in a request: what is to be sent, searched, run or translated."""

import re

from p3_rag_chatbot.tool_calling.mentions import Mention

_INTRODUCED = re.compile(
    r"(?:\b(?:say(?:s|ing)?|verbatim|that says|with the (?:text|message|content|words?|command)"
    r"|the (?:text|message|command|query|following)|words? verbatim|command(?: called)?|titled"
    r"|called|named)\b[^:\n]{0,40}?:|:\s|=>)\s*(?P<colon>\S.*)",
    re.DOTALL,
)
_TOPIC = re.compile(
    r"\b(?:(?:search|look|looking|news|information|info|details|facts|articles?|results?|query"
    r"|recipes?|learn|read|know|curious|ask|question|remind me|reminder)\b(?:\s\w+){0,3}?\s"
    r"(?:for|about|on|regarding|to)|about|regarding|using the command|command|saying|say"
    r"|that says)\s+(?P<topic>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_LEADING = re.compile(
    r"^(?:(?:hi|hello|hey|please|kindly|ok|okay)[,!]?\s+)*(?:(?:can|could|would|will) you(?: please)?\s+"
    r"|i(?:'d| would) like (?:you )?to\s+|i (?:want|need) (?:you )?to\s+|help me\s+|let's\s+)?"
    r"(?:please\s+)?",
    re.IGNORECASE,
)


def text_in(text: str) -> Mention | None:
    """Find the text that a request carries: after a colon, or after what announces a topic."""
    if (match := _INTRODUCED.search(text)) and len(match["colon"].split()) > 1:
        return _trimmed(text, match.start("colon"), match.end("colon"))
    if match := _TOPIC.search(text):
        end = match.end("topic")
        stop = re.search(r"[.?!](?:\s|$)", text[match.start("topic") : end])
        if stop:
            end = match.start("topic") + stop.start()
        return _trimmed(text, match.start("topic"), end)
    return None


def whole_text(text: str) -> Mention:
    """Return the request itself, without its politeness."""
    start = match.end() if (match := _LEADING.match(text)) else 0
    return _trimmed(text, start, len(text)) or Mention("span", 0, len(text), text)


def _trimmed(text: str, start: int, end: int) -> Mention | None:
    said = text[start:end]
    start += len(said) - len(said.lstrip(" \n\"'“”‘’*"))
    said = text[start:end].rstrip(" \n\"'“”‘’.?!*")
    return Mention("span", start, start + len(said), said) if said else None
