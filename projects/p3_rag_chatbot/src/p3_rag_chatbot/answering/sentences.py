"""Sentences of a text, with their places: in whole texts, and in one that is still growing."""

import re

_ABBREVIATIONS_WORDS = """
    mr mrs ms dr prof sr jr st vs etc e.g i.e cf fig figs eq no nos vol pp p ca approx inc ltd
    co corp u.s u.k a.m p.m jan feb mar apr jun jul aug sep sept oct nov dec
"""
_ABBREVIATIONS = frozenset(_ABBREVIATIONS_WORDS.split())
_END = re.compile(r"[.!?][\"'”’)\]]*(?:\s*\[\d+\])*(?=\s|$)|\n\s*\n|\n(?=\s*(?:[-*•]|\d+[.)])\s)")
_LAST_WORD = re.compile(r"([\w.]+)\.[\"'”’)\]]*$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return where each sentence begins and ends, blanks between them left out.

    A citation mark such as `[2]` behind a full stop belongs to the sentence before it. Blank lines
    and list items end a sentence, abbreviations and initials do not.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for found in _END.finditer(text):
        if _is_abbreviated(text[start : found.start() + 1]):
            continue
        _add(spans, text, start, found.end())
        start = found.end()
    _add(spans, text, start, len(text))
    return spans


def _is_abbreviated(until: str) -> bool:
    if (last := _LAST_WORD.search(until)) is None:
        return False
    word = last[1].lower()
    return word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and last[1].isupper())


def _add(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    first = start + len(piece) - len(piece.lstrip())
    last = start + len(piece.rstrip())
    if last > first:
        spans.append((first, last))


def sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where the sentences that hold `text[start:end]` begin and end."""
    holding = [span for span in sentence_spans(text) if span[1] > start and span[0] < end]
    if not holding:
        return start, end
    return min(start, holding[0][0]), max(end, holding[-1][1])


class GrowingText:
    """A text that arrives in pieces; hands out each sentence once it is whole."""

    def __init__(self) -> None:
        self.text = ""
        self._given = 0

    def add(self, piece: str) -> list[str]:
        """Take a piece; return the sentences that are whole now, with the blanks before them.

        A sentence is whole when another has begun behind it: a citation may still follow it.
        """
        self.text += piece
        whole = sentence_spans(self.text[self._given :])[:-1]
        if not whole:
            return []
        given = self._given
        ends = [given + end for _, end in whole]
        starts = [given, *ends[:-1]]
        self._given = ends[-1]
        return [self.text[a:b] for a, b in zip(starts, ends, strict=True)]

    def rest(self) -> str:
        """Return what was not handed out, when no more comes."""
        rest, self._given = self.text[self._given :], len(self.text)
        return rest
