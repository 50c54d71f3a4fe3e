"""Where the sentences of a text begin and end: rules for punctuation that hold in most languages.

Errs towards keeping two sentences together: half a sentence is worse to cite than two. Knows
no tokens and no documents; a text that is still being written is `answering/growing.py`.
"""

import re

_ROW = r"[^:;\n]{1,60}: [^;\n]*; [^:;\n]{1,60}: "  # of a table, which names its columns
# An end mark, what may close after it, citations such as [2], and blanks; a full-width mark, which
# needs no blank; a blank line; a line before an item of a list, or before a row of a table.
_END = re.compile(
    r"(?:[.!?…]+[\"'”’»)\]]*(?:\s*\[\d[\d,\s]*\])*+\s+)"
    r"|(?:[。！？]+[」』”’）]*\s*)"  # noqa: RUF001 - full-width marks are what is meant
    r"|(?:\n\s*\n)|(?:\n(?=\s*(?:[-*•]|\d+[.)])\s))"
    rf"|(?:\n(?={_ROW}))"
)
_BEGINS_ROW = re.compile(rf"\n{_ROW}")
_IS_ROW = re.compile(_ROW)
_COLUMN = re.compile(r"(?:^|; )[^:;\n]{1,60}: ")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:(?:[A-Z]\.)*[A-Za-z]|[A-Z][a-z]?|Mrs?|Ms|Dr|Prof|St|Sr|Jr|vs|cf|al|approx|[Nn]o"
    r"|[Ff]igs?|[Ee]qs?|[Cc]h|[Ss]ec|[Pp]p?|[Vv]ol|[Ee]d|[Ee]ds|Inc|Ltd|Co|Corp|e\.g|i\.e|z\.B"
    r"|d\.h|bzw|ca|usw|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Nr|Abs|Art|Bd)\.\s+$"
)
_LONGEST_ABBREVIATION = 12


def sentence_starts(text: str, start: int = 0, end: int | None = None) -> list[int]:
    """Return where each sentence of `text[start:end]` begins, as positions in the whole text.

    A citation mark behind a full stop belongs to the sentence before it. Blank lines, items of a
    list and rows of a table end a sentence; abbreviations and initials do not.
    """
    end = len(text) if end is None else end
    ends = _END.finditer(text, start, end)
    found = [m.end() for m in ends if m.end() < end and _is_end(text, m.start(), m.end())]
    return [start, *found]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return where each sentence begins and ends, blanks between them left out."""
    starts = sentence_starts(text)
    spans = [
        (start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()))
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True)
        for piece in (text[start:end],)
    ]
    return [(start, end) for start, end in spans if end > start]


def sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where the sentences that hold `text[start:end]` begin and end."""
    holding = [span for span in sentence_spans(text) if span[1] > start and span[0] < end]
    if not holding:
        return start, end
    return min(start, holding[0][0]), max(end, holding[-1][1])


def row_values(row: str) -> list[tuple[int, int]]:
    """Return where each value of a table's row begins and ends; nothing where it is no row."""
    if not _IS_ROW.match(row):
        return []
    columns = list(_COLUMN.finditer(row))
    ends = [*(one.start() for one in columns[1:]), len(row)]
    return [(one.end(), end) for one, end in zip(columns, ends, strict=True)]


def _is_end(text: str, mark: int, following: int) -> bool:
    """Whether the mark ends a sentence: not after an abbreviation, nor before a small letter."""
    if text[mark] != "." or _BEGINS_ROW.match(text, following - 1):
        return True
    if text[following].islower():
        return False
    return not _ABBREVIATION.search(text[max(0, mark - _LONGEST_ABBREVIATION) : following])
