"""A generated sentence held against what it cites, by the reader.

A sentence that cites nothing is held against every passage and given the one that supports it
best. What is no statement (a greeting, a question, "The documents do not say") is not checked.
"""

import re
from collections.abc import Sequence

from p3_rag_chatbot.contracts import Check, Passage
from p3_rag_chatbot.ports import Reader

CITATION = re.compile(r"\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_STATEMENT = re.compile(r"\w+\W+\w+\W+\w+")
REFUSAL = "The documents do not say."
_REFUSES = re.compile(
    r"\b(documents?|passages?|context|sources?)\b[^.]{0,40}\b(do(es)? not|don't|doesn't|cannot)\b",
    re.IGNORECASE,
)


def cited(sentence: str) -> tuple[int, ...]:
    """Return the numbers that a sentence cites, in their order."""
    found = [int(one) for group in CITATION.findall(sentence) for one in group.split(",")]
    return tuple(dict.fromkeys(found))


def without_citations(sentence: str) -> str:
    """Return the sentence without its citation marks."""
    return CITATION.sub("", sentence).strip()


def is_statement(sentence: str) -> bool:
    """Whether a sentence claims something that can be checked."""
    bare = without_citations(sentence)
    if bare.endswith("?") or not _STATEMENT.search(bare):
        return False
    return _REFUSES.search(bare) is None


class Checker:
    """Checks sentences against the passages of an answer, which are numbered from 1."""

    def __init__(self, reader: Reader, passages: Sequence[Passage], threshold: float) -> None:
        self.reader, self.passages, self.threshold = reader, passages, threshold

    def check_against_all(self, sentence: str) -> Check | None:
        """Hold a sentence against every passage, whatever it cites."""
        return self.check(without_citations(sentence))

    def check(self, sentence: str) -> Check | None:
        """Hold a sentence against what it cites; None where it states nothing.

        A number that no passage has cannot support; where it cites only such, nothing does.
        """
        if not is_statement(sentence):
            return None
        claim, named = without_citations(sentence), cited(sentence)
        numbers = [n for n in named if 1 <= n <= len(self.passages)]
        if not named:
            numbers = list(range(1, len(self.passages) + 1))
        scores = self.reader.support([(claim, self.passages[n - 1].text) for n in numbers])
        best = max(zip(scores, numbers, strict=True), default=(0.0, 0))
        is_supported = best[0] >= self.threshold
        citations = tuple(numbers) if named else ((best[1],) if is_supported else ())
        return Check(
            sentence=claim, is_supported=is_supported, score=round(best[0], 4), citations=citations
        )
