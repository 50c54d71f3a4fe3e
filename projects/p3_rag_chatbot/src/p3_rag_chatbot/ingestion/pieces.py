"""The smallest parts that chunks are made of, and how readily a text may be cut before each.

Pieces follow each other without gaps: sentences of running text, rows of tables, lines of code.
"""

import re
from itertools import pairwise
from typing import NamedTuple

from p3_rag_chatbot.ingestion.documents import LoadedDocument, Mark
from p3_rag_chatbot.sentences import sentence_starts

# How readily a text is cut before a piece.
WORD, LINE, BLOCK, SECTION = range(4)

_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*?(?=\S|[ \t]+\S)")
_LINE = re.compile(r"\n+")
_BLANK = re.compile(r"\s+")


class Piece(NamedTuple):
    """A part of a text, with the blanks that follow it, and how readily it is cut before it."""

    start: int
    end: int
    strength: int


def pieces_of(document: LoadedDocument) -> list[Piece]:
    """Split a document into pieces that cover its whole text."""
    text = document.text
    blocks = _blocks(document)
    pieces: list[Piece] = []
    for k, (mark, strength) in enumerate(blocks):
        end = blocks[k + 1][0].start if k + 1 < len(blocks) else len(text)
        starts = _starts_within(text, mark, end)
        for start, (following, _) in pairwise([*starts, (end, WORD)]):
            own = strength if start[0] == mark.start else start[1]
            pieces.append(Piece(start[0], following, own))
    return pieces


def split_in_two(text: str, piece: Piece) -> tuple[Piece, Piece]:
    """Halve a piece near its middle: between lines or clauses, else words, else characters."""
    middle = (piece.start + piece.end) // 2
    reach = max((piece.end - piece.start) // 4, 1)
    lowest, highest = max(piece.start + 1, middle - reach), min(piece.end - 1, middle + reach)
    cut = middle
    for pattern in _CLAUSES:
        places = [match.end() for match in pattern.finditer(text, lowest, highest)]
        if places:
            cut = min(places, key=lambda place: abs(place - middle))
            break
    return Piece(piece.start, cut, piece.strength), Piece(cut, piece.end, WORD)


_CLAUSES = tuple(re.compile(pattern) for pattern in (r"\n+", r"[;:,|]\s+|[。，、；]", r"\s+"))  # noqa: RUF001 - full-width marks are what is meant


def _blocks(document: LoadedDocument) -> list[tuple[Mark, int]]:
    """Return the marks where the text may be cut, one to a place, with how readily."""
    blocks: list[tuple[Mark, int]] = []
    is_heading_open = False  # nothing but headings since the last one: they stay with what follows
    for mark in document.marks:
        strength = BLOCK
        if mark.kind == "heading":
            strength = BLOCK if is_heading_open else SECTION
            is_heading_open = True
        if blocks and blocks[-1][0].start == mark.start:  # a page that begins with a heading
            blocks[-1] = (mark, max(strength, blocks[-1][1]))
        else:
            blocks.append((mark, strength))
        if mark.kind not in {"heading", "page"}:
            is_heading_open = False
    if not blocks or blocks[0][0].start > 0:
        blocks.insert(0, (Mark(0, "paragraph"), SECTION))
    return blocks


def _starts_within(text: str, mark: Mark, end: int) -> list[tuple[int, int]]:
    """Return where pieces begin in the block of a mark, each with how readily it is cut there."""
    starts = {mark.start: BLOCK}
    if mark.kind == "table":
        starts |= {match.end(): BLOCK for match in _LINE.finditer(text, mark.start, end)}
    elif mark.kind == "code":
        starts |= {match.end(): LINE for match in _LINE.finditer(text, mark.start, end)}
        starts |= {
            _line_start(text, m.end()): BLOCK for m in _BLANK_LINE.finditer(text, mark.start, end)
        }
    elif mark.kind == "list":
        starts |= dict.fromkeys(sentence_starts(text, mark.start, end), LINE)
        starts |= {match.end(): LINE for match in _LINE.finditer(text, mark.start, end)}
    elif mark.kind != "heading":
        starts |= dict.fromkeys(sentence_starts(text, mark.start, end), LINE)
        starts |= {match.end(): BLOCK for match in _BLANK_LINE.finditer(text, mark.start, end)}
    return sorted((start, strength) for start, strength in starts.items() if start < end)


def _line_start(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1
