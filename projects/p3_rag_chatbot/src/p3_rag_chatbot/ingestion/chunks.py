"""Cuts a document into chunks where its structure allows: what is embedded, found and cited.

A chunk never crosses a heading. Within a section the cuts fall between paragraphs, rows of a table
and blocks of code, else between lines and sentences, and inside a sentence only where it alone is
too long. Knows no format and no model: the caller counts tokens. Read next: `indexing.py`.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple, Protocol

from p3_rag_chatbot.ingestion.documents import LoadedDocument
from p3_rag_chatbot.ingestion.pieces import BLOCK, SECTION, Piece, pieces_of, split_in_two

CountTokens = Callable[[Sequence[str]], list[int]]

# A word of any length is one unknown token to some tokenizers: characters are bounded as well.
MAX_CHARACTERS_PER_TOKEN = 12
# How full a chunk has to be before a cut between paragraphs is preferred to a fuller chunk.
FULL_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a document's text: `document.text[start:end] == text`, without blanks around it."""

    start: int
    end: int
    headings: tuple[str, ...]
    page: int | None
    text: str


def chunk(
    document: LoadedDocument,
    count_tokens: CountTokens,
    *,
    max_tokens: int,
    overlap_tokens: int = 0,
) -> list[Chunk]:
    """Cut a document into chunks of at most `max_tokens`; every non-blank character is in one.

    Chunks are in the order of the text. Within a section a chunk repeats whole sentences of the
    one before it, up to `overlap_tokens`. A single character is never cut, however many tokens.
    """
    if max_tokens < 1 or not 0 <= overlap_tokens < max_tokens:
        raise ValueError("max_tokens is at least 1, and overlap_tokens is less than it")
    spans = list(_spans(document, _Counter(count_tokens), max_tokens, overlap_tokens))
    return _described(document, spans)


class Part(Protocol):
    """A chunk, just made or read from the library."""

    @property
    def headings(self) -> Sequence[str]:
        """From the outermost to the nearest."""
        ...

    @property
    def text(self) -> str:
        """What stands there."""
        ...


def embedding_text(title: str, part: Part) -> str:
    """Return what is embedded of a chunk: its text under what stands above it in the document."""
    above = dict.fromkeys((title, *part.headings))
    missing = [heading for heading in above if heading and heading not in part.text]
    return "\n".join([" > ".join(missing), part.text]) if missing else part.text


class _Counter:
    """Counts a piece's size: its tokens, or more where its characters are too many for them."""

    def __init__(self, count_tokens: CountTokens) -> None:
        self._count_tokens = count_tokens

    def sizes(self, texts: Sequence[str]) -> list[int]:
        counts = self._count_tokens(texts) if texts else []
        return [
            max(count, math.ceil(len(text) / MAX_CHARACTERS_PER_TOKEN))
            for count, text in zip(counts, texts, strict=True)
        ]


class _Sized(NamedTuple):
    start: int
    end: int
    strength: int
    size: int


def _spans(
    document: LoadedDocument, counter: _Counter, max_tokens: int, overlap: int
) -> Iterator[tuple[int, int]]:
    """Yield where each chunk begins and ends, both ascending."""
    last_start, last_end = -1, 0
    for section in _sections(_fitting(document.text, pieces_of(document), counter, max_tokens)):
        packed = _packed(section, max_tokens, overlap)
        for start, end in _checked(document.text, packed, counter, max_tokens):
            if start <= last_start:  # the one before was halved within what this one repeats
                start, end = _trimmed(document.text, last_end, end)  # noqa: PLW2901
            if last_end < end and start < end:
                yield start, end
                last_start, last_end = start, end


def _sections(pieces: Iterable[_Sized]) -> Iterator[list[_Sized]]:
    section: list[_Sized] = []
    for piece in pieces:
        if section and piece.strength == SECTION:
            yield section
            section = []
        section.append(piece)
    if section:
        yield section


def _fitting(
    text: str, pieces: Sequence[Piece], counter: _Counter, max_tokens: int
) -> list[_Sized]:
    """Return the pieces with their sizes; those that are too long are halved until they fit."""
    fitting: list[_Sized] = []
    waiting = list(pieces)
    while waiting:
        sizes = counter.sizes([text[piece.start : piece.end].strip() for piece in waiting])
        too_long: list[Piece] = []
        for piece, size in zip(waiting, sizes, strict=True):
            if size > max_tokens and piece.end - piece.start > 1:
                too_long.extend(split_in_two(text, piece))
            else:
                fitting.append(_Sized(*piece, size))
        waiting = too_long
    return sorted(fitting)


def _packed(pieces: Sequence[_Sized], max_tokens: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Pack a section's pieces into chunks of about equal size, cut at its strongest places."""
    total = [0, *accumulate(piece.size for piece in pieces)]  # total[k]: of the first k pieces
    first = fresh = 0  # where the chunk begins; the first piece that no chunk holds yet
    while fresh < len(pieces):
        after = _best_cut(pieces, total, first, fresh, max_tokens)
        yield pieces[first].start, pieces[after - 1].end
        first, fresh = _with_overlap(total, first, after, max_tokens, overlap), after


def _best_cut(
    pieces: Sequence[_Sized], total: Sequence[int], first: int, fresh: int, max_tokens: int
) -> int:
    """Return the piece before which a chunk that begins with piece `first` ends best."""
    rest = total[-1] - total[first]
    if rest <= max_tokens:
        return len(pieces)
    aim = rest / math.ceil(rest / max_tokens)
    best, best_worth = fresh + 1, (-1, -math.inf)
    for after in range(fresh + 1, len(pieces)):
        size = total[after] - total[first]
        if size > max_tokens:
            break
        is_full = size >= FULL_ENOUGH * max_tokens
        worth = (min(pieces[after].strength, BLOCK) if is_full else -1, -abs(size - aim))
        if worth >= best_worth:
            best, best_worth = after, worth
    return best


def _with_overlap(
    total: Sequence[int], first: int, after: int, max_tokens: int, overlap: int
) -> int:
    """Return where the next chunk begins: as many pieces before `after` as may be repeated."""
    if after == len(total) - 1:
        return after
    room = min(overlap, max_tokens - (total[after + 1] - total[after]))
    begin = after
    while begin - 1 > first and total[after] - total[begin - 1] <= room:
        begin -= 1
    return begin


def _checked(
    text: str, spans: Iterator[tuple[int, int]], counter: _Counter, max_tokens: int
) -> Iterator[tuple[int, int]]:
    """Yield the spans without blanks around them; one that is still too long is halved.

    Tokens of joined pieces are the sum of theirs for most tokenizers, but not for all.
    """
    waiting = [_trimmed(text, start, end) for start, end in spans]
    sizes = counter.sizes([text[start:end] for start, end in waiting])
    for (start, end), size in zip(waiting, sizes, strict=True):
        if size <= max_tokens or end - start <= 1:
            if end > start:
                yield start, end
            continue
        halves = split_in_two(text, Piece(start, end, BLOCK))
        parts = iter([(half.start, half.end) for half in halves])
        yield from _checked(text, parts, counter, max_tokens)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())


def _described(document: LoadedDocument, spans: Sequence[tuple[int, int]]) -> list[Chunk]:
    """Give each span its page and the headings that it stands under or begins with."""
    chunks: list[Chunk] = []
    above: dict[int, str] = {}
    page: int | None = None
    waiting = deque(document.marks)
    for start, end in spans:
        while waiting and (
            waiting[0].start <= start or (waiting[0].kind == "heading" and waiting[0].start < end)
        ):
            mark = waiting.popleft()
            if mark.kind == "page":
                page = mark.number
            elif mark.kind == "heading":
                above = {level: label for level, label in above.items() if level < mark.number}
                above[mark.number] = mark.label
        headings = tuple(above[level] for level in sorted(above))
        chunks.append(Chunk(start, end, headings, page, document.text[start:end]))
    return chunks
