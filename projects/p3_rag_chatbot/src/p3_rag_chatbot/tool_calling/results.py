"""Results of calls in words: JSON as sentences; of much text, the part that answers."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from p3_rag_chatbot.ports import Reader
from p3_rag_chatbot.reading.asking import in_words

MAX_WHOLE = 600
"""Characters of a result that are said as they are."""
MAX_LINES, MAX_DEPTH = 60, 4
MAX_READ = 20_000
_SENTENCE = re.compile(r"[^\n.!?]+(?:[.!?](?!\s)[^\n.!?]*)*[.!?]?")


@dataclass(frozen=True)
class Result:
    """What a function gave back."""

    function: str
    text: str


def in_sentences(question: str, results: Sequence[Result], reader: Reader | None) -> str:
    """Answer from results, one after another; of several, each is named by its function."""
    said = [(one, _said(question, one.text, reader)) for one in results]
    if len(said) == 1:
        return said[0][1]
    return "\n".join(f"{in_words(one.function).capitalize()}: {text}" for one, text in said)


def _said(question: str, text: str, reader: Reader | None) -> str:
    lines = _lines(text[:MAX_READ])
    whole = "\n".join(lines)
    if not whole.strip():
        return "The call gave nothing back."
    if len(whole) <= MAX_WHOLE or reader is None:
        return whole if len(whole) <= MAX_WHOLE else f"{whole[:MAX_WHOLE].rstrip()} …"
    reading = reader.read([(question, whole)])[0]
    start = max(whole.rfind("\n", 0, reading.start), whole.rfind(". ", 0, reading.start)) + 1
    ends = [at for at in (whole.find("\n", reading.end), whole.find(". ", reading.end)) if at >= 0]
    return whole[start : min(ends, default=len(whole)) + 1].strip()


def _lines(text: str) -> list[str]:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if not isinstance(value, (dict, list)):
        return [_plain(value)]
    return list(_written(value, "", 0))[:MAX_LINES]


def _written(value: object, name: str, depth: int) -> Iterator[str]:
    """Write fields as `name: value`, what is nested under its name."""
    if depth > MAX_DEPTH or not isinstance(value, (dict, list)):
        yield f"{name}: {_plain(value)}" if name else _plain(value)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _written(one, f"{name} {in_words(str(key))}".strip(), depth + 1)
    elif all(not isinstance(one, (dict, list)) for one in value):
        listed = ", ".join(_plain(one) for one in value) or "none"
        yield f"{name}: {listed}" if name else listed
    else:
        for number, one in enumerate(value, start=1):
            yield from _written(one, f"{name} {number}".strip(), depth + 1)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
