"""A follow-up question made to stand alone, from the turns before it.

By rules where only the embedded models are: a pronoun, or a question without a subject of its own,
takes the topic of the turns before. The rules propose; what the reader can answer best is taken
(see `rag_model.py`), so that a wrong proposal costs time, not truth.
"""

import re
from collections.abc import Sequence

from p3_rag_chatbot.openai_contracts import Message
from p3_rag_chatbot.reading.identifiers import identifiers

MAX_PROPOSALS = 3
_PRONOUN = re.compile(
    r"\b(it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|one)\b",
    re.IGNORECASE,
)
_ELLIPSIS = re.compile(
    r"^\s*(and|or|but|so|also|what about|how about|why|when|where|who|how|how (much|many|long))\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<!^)\b[A-Z][\w’'-]*(?: (?:(?:of|the|and|for) )?[A-Z][\w’'-]*)*|\"[^\"]+\"")
_WORD = re.compile(r"[\w’'-]+")
_POSSESSIVE = {"its", "their", "theirs", "his", "her", "hers"}
_INNER = frozenset({"of", "the", "a", "an", "in", "for"})
_EMPTY_WORDS = """
    a an the is are was were be been do does did can could will would should may might must
    have has had what which who whom whose when where why how much many long often it its they
    them their he him his she her this that these those there one in on at by for from with to
    of and or but so about also as if then than not no yes i you we me my your our us please
    tell explain describe give say know mean happens happen
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())


def is_follow_up(question: str, history: Sequence[Message]) -> bool:
    """Whether a question leans on the turns before it."""
    if not any(one.role == "user" for one in history):
        return False
    content = [word for word in _WORD.findall(question.lower()) if word not in _EMPTY]
    if _PRONOUN.search(question):
        return True
    return len(content) <= 2 and bool(_ELLIPSIS.match(question))


def proposals(question: str, history: Sequence[Message]) -> list[str]:
    """Return questions that may be what was meant, the likeliest first; the question as it is last.

    A topic is a name in an earlier question or answer, or else an earlier question's own words. A
    name that the question before wrote as code leaves no doubt: it alone is the topic.
    """
    if not is_follow_up(question, history):
        return [question]
    if not identifiers(question) and (code := _code(history)):
        return [_with_topic(question, code)]
    made = [_with_topic(question, topic) for topic in _topics(question, history)]
    return list(dict.fromkeys([*made[:MAX_PROPOSALS], question]))


def _code(history: Sequence[Message]) -> str:
    """Return the name that the question before writes as code; empty where it has none or two."""
    asked = next(one.text for one in reversed(history) if one.role == "user")
    names = identifiers(asked)
    return min(names) if len(names) == 1 else ""


def _topics(question: str, history: Sequence[Message]) -> list[str]:
    """Return what was talked about, the latest first: names, then phrases of the questions."""
    asked = [one.text for one in reversed(history) if one.role == "user"][:2]
    answered = [one.text for one in reversed(history) if one.role == "assistant"][:1]
    names = [name.strip('"') for text in asked for name in _NAME.findall(text)]
    bold = [one for text in answered for one in re.findall(r"\*\*([^*]{2,80})\*\*", text)]
    phrases = [phrase for text in asked if (phrase := _phrase(text))]
    topics = dict.fromkeys([*names[:2], *phrases[:1], *bold[:1], *names[2:], *phrases[1:]])
    return [topic for topic in topics if topic.lower() not in question.lower()]


def _phrase(text: str) -> str:
    """Return the longest run of content words of a question, with the small words inside it."""
    words = _WORD.findall(text)
    runs: list[list[str]] = [[]]
    for word in words:
        is_inner = word.lower() in _INNER
        if (is_inner and not runs[-1]) or (word.lower() in _EMPTY and not is_inner):
            runs.append([])
        else:
            runs[-1].append(word)
    trimmed = [_trimmed(run) for run in runs]
    return " ".join(max(trimmed, key=len, default=[]))


def _trimmed(run: list[str]) -> list[str]:
    while run and run[-1].lower() in _EMPTY:
        run = run[:-1]
    return run


def _with_topic(question: str, topic: str) -> str:
    """Put the topic where the pronoun stands, or behind a question that has none."""
    found = _PRONOUN.search(question)
    if found is None:
        bare = re.sub(
            r"^\s*(and|or|but|so|also|what about|how about)\b\s*", "", question, flags=re.IGNORECASE
        )
        return f"{bare.rstrip('?!. ')} ({topic})?"
    word = found[0].lower()
    put = f"{topic}'s" if word in _POSSESSIVE else topic
    return question[: found.start()] + put + question[found.end() :]
