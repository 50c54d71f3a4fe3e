"""A text that arrives in pieces, handed out sentence by sentence."""

import re

from p3_rag_chatbot.sentences import sentence_spans

_BEGUN_CITATION = re.compile(r"\[[\d,\s]*")


class GrowingText:
    """Hands out each sentence once it is whole: when another has begun behind it.

    A citation that follows a sentence belongs to it, also while it is being written.
    """

    def __init__(self) -> None:
        self.text = ""
        self._given = 0

    def add(self, piece: str) -> list[str]:
        """Take a piece; return the sentences that are whole now, with the blanks before them."""
        self.text += piece
        left = self.text[self._given :]
        spans = sentence_spans(left)
        if spans and _BEGUN_CITATION.fullmatch(left[spans[-1][0] :]):
            spans.pop()
        if len(spans) < 2:
            return []
        ends = [self._given + end for _, end in spans[:-1]]
        starts = [self._given, *ends[:-1]]
        self._given = ends[-1]
        return [self.text[a:b] for a, b in zip(starts, ends, strict=True)]

    def rest(self) -> str:
        """Return what was not handed out, when no more comes."""
        rest, self._given = self.text[self._given :], len(self.text)
        return rest
