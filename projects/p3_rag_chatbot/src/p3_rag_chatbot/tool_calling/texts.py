"""Free text in a request: what is to be sent, searched, run or translated."""

import re

from p3_rag_chatbot.tool_calling.mentions import Mention

_INTRODUCED = re.compile(
    r"(?:\b(?:say(?:s|ing)?|verbatim|that says|with the (?:text|message|content|words?|command)"
    r"|the (?:text|message|command|query|following)|words? verbatim|command(?: called)?|titled"
    r"|called|named)\b[^:\n]{0,40}?:|:\s|=>|(?:content|text|message|title)\s[-–]\s)\s*(?P<colon>\S.*)",
    re.DOTALL,
)
_TOPIC = re.compile(
    r"\b(?:(?:search|look|looking|news|information|info|details|facts|articles?|results?|query"
    r"|recipes?|learn|read|know|curious|ask|question|remind me|reminder)\b(?:\s\w+){0,3}?\s"
    r"(?:for|about|on|regarding|to)|about|regarding|using the command|command|saying|say"
    r"|that says)\s+(?P<topic>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_COMMAND = re.compile(
    r"\b(?:using|use|through|via|run|running|execute|executing|called)\s+(?:the\s+)?"
    r"(?:following\s+)?(?:command(?:s)?|instruction)?\s*(?:called\s+)?[:`'\"]?\s*(?P<said>\S.*?)"
    r"(?:[`'\"]?\s+(?:command|instruction)\b.*|\s+(?:to|in order to|so that)\s+\w+\s.*|[,?!]\s.*"
    r"|[?!.]?\s*)$",
    re.IGNORECASE | re.DOTALL,
)
_LEADING = re.compile(
    r"^(?:(?:hi|hello|hey|please|kindly|ok|okay)[,!]?\s+)*"
    r"(?:(?:can|could|would|will) you(?: please)?\s+"
    r"|i(?:'d| would) like (?:you )?to\s+|i (?:want|need) (?:you )?to\s+|help me\s+|let's\s+)?"
    r"(?:please\s+)?",
    re.IGNORECASE,
)


def text_in(text: str) -> Mention | None:
    """Find the text that a request carries: after a colon, or after what announces a topic."""
    if carried := carried_in(text):
        return carried
    if match := _TOPIC.search(text):
        end = match.end("topic")
        stop = re.search(r"[.?!](?:\s|$)", text[match.start("topic") : end])
        if stop:
            end = match.start("topic") + stop.start()
        return _trimmed(text, match.start("topic"), end)
    return None


def command_in(text: str) -> Mention | None:
    """Find a command line that a request wants run: what stands after `using` or `run`."""
    found = list(_COMMAND.finditer(text))
    return _trimmed(text, found[-1].start("said"), found[-1].end("said")) if found else None


def carried_in(text: str) -> Mention | None:
    """Find the text behind a colon, which is rarely anything else."""
    match = _INTRODUCED.search(text)
    if match is None or len(match["colon"].split()) < 2:
        return None
    return _trimmed(text, match.start("colon"), match.end("colon"))


def whole_text(text: str) -> Mention:
    """Return the request itself, without its politeness."""
    start = match.end() if (match := _LEADING.match(text)) else 0
    return _trimmed(text, start, len(text)) or Mention("span", 0, len(text), text)


def _trimmed(text: str, start: int, end: int) -> Mention | None:
    said = text[start:end]
    start += len(said) - len(said.lstrip(" \n\"'“”\u2018\u2019*"))
    said = text[start:end].rstrip(" \n\"'“”\u2018\u2019.?!*")
    return Mention("span", start, start + len(said), said) if said else None
