"""Where a passage's own text begins, behind the headings that stand at its top.

A heading says what a passage is about; it answers nothing, however well its words fit a question.
"""

from collections.abc import Sequence

from p3_rag_chatbot.contracts import Passage
from p3_rag_chatbot.ports import Reader, Reading

_BETWEEN = "\n\n"  # blocks of a document's text
_LONG = 200  # characters from which a heading may have been cut


def body_start(passage: Passage) -> int:
    """Return where the text behind the passage's headings begins; its end where nothing follows.

    No passage crosses a heading, so that all of them are lines at its top, the nearest last.
    """
    text, at = passage.text, 0
    nearest = passage.headings[-1] if passage.headings else ""
    while nearest and at < len(text):
        end = text.find(_BETWEEN, at)
        line = text[at : end if end >= 0 else len(text)]
        at += len(line) + len(_BETWEEN)
        if _is_heading(line, nearest):
            return min(at, len(text))
        if "\n" in line:
            break
    return 0


def read_bodies(question: str, passages: Sequence[Passage], reader: Reader) -> list[Reading]:
    """Read passages for a question, their headings left out; places are those in the passage."""
    starts = [body_start(one) for one in passages]
    readings = reader.read(
        [(question, one.text[at:]) for one, at in zip(passages, starts, strict=True)]
    )
    return [
        Reading(one.start + at, one.end + at, one.p_answerable, one.span_score)
        for one, at in zip(readings, starts, strict=True)
    ]


def _is_heading(line: str, heading: str) -> bool:
    """Whether a line is the heading, which is kept cut where it is very long."""
    return line == heading or (len(heading) >= _LONG and line.startswith(heading))
