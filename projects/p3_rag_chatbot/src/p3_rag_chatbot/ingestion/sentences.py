"""Where the sentences of a text begin: rules for punctuation that hold in most languages.

Errs towards keeping two sentences together: half a sentence is worse to cite than two. Knows
no tokens and no documents.
"""

import re

# An end mark, what may close after it, and blanks; or a full-width mark, which needs no blank.
_END = re.compile(r"(?:[.!?…]+[\"'”’»)\]]*\s+)|(?:[。！？]+[」』”’）]*\s*)|(?:\n\s*\n)")  # noqa: RUF001 - full-width marks are what is meant
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:[A-Za-z]|[A-Z][a-z]?|Mrs?|Ms|Dr|Prof|St|Sr|Jr|vs|cf|al|approx|[Nn]o|[Ff]igs?|[Ee]qs?"
    r"|[Cc]h|[Ss]ec|[Pp]p?|[Vv]ol|[Ee]d|[Ee]ds|Inc|Ltd|Co|Corp|e\.g|i\.e|z\.B|d\.h|bzw|ca|usw"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Nr|Abs|Art|Bd)\.\s+$"
)
_LONGEST_ABBREVIATION = 12


def sentence_starts(text: str, start: int = 0, end: int | None = None) -> list[int]:
    """Return where each sentence of `text[start:end]` begins, as positions in the whole text."""
    end = len(text) if end is None else end
    ends = _END.finditer(text, start, end)
    found = [m.end() for m in ends if m.end() < end and _is_end(text, m.start(), m.end())]
    return [start, *found]


def _is_end(text: str, mark: int, following: int) -> bool:
    """Whether the mark ends a sentence: not after an abbreviation, nor before a small letter."""
    if text[mark] != ".":
        return True
    if text[following].islower():
        return False
    return not _ABBREVIATION.search(text[max(0, mark - _LONGEST_ABBREVIATION) : following])
