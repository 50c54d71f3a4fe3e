"""The first depth: the reader's answer in its sentence, with quotes; or that there is none.

No text is written here: every word of an answer is a quote, but for the frame around it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from common.evaluation.answer_texts import normalise_answer

from p3_rag_chatbot.answering.headings import body_start, read_bodies
from p3_rag_chatbot.contracts import Citation, Hit, Passage
from p3_rag_chatbot.ports import Reader, Reading
from p3_rag_chatbot.reading.identifiers import holds, identifiers
from p3_rag_chatbot.sentences import sentence_around

MAX_SOURCES = 3
MAX_NEAREST = 3
SAME_ANSWER_SHARE = 0.5
"""Of the best answer's probability, what another source of it needs to be quoted."""
_MARKDOWN = re.compile(
    r"""[*`\[\]<>] | ^\# | \\(?=[!-/:-@\[-`{-~]) | (?<![^\W_])_ | _(?![^\W_])""", re.VERBOSE
)
"""What CommonMark would take for markup; an underscore inside a word is none."""


@dataclass(frozen=True)
class Found:
    """What the reader made of a hit."""

    hit: Hit
    reading: Reading
    trust: float
    """Probability that the span answers, the search's scores weighed in."""

    @property
    def answer(self) -> str:
        """The span's text."""
        return self.hit.passage.text[self.reading.start : self.reading.end]


@dataclass(frozen=True)
class Extracted:
    """An answer in Markdown, what it quotes, and how sure it is; without quotes it refuses."""

    text: str
    confidence: float
    answer: str = ""
    citations: tuple[Citation, ...] = ()
    nearest: tuple[Citation, ...] = ()

    @property
    def is_answered(self) -> bool:
        """Whether the documents say."""
        return bool(self.citations)


def read_hits(question: str, hits: Sequence[Hit], reader: Reader) -> list[Found]:
    """Read each hit for the question; the likeliest to answer first.

    Before all others come those that hold the names which the question writes as code.
    """
    readings = read_bodies(question, [hit.passage for hit in hits], reader)
    found = [
        Found(hit, reading, reader.trust.of(reading.p_answerable, hit.scores))
        for hit, reading in zip(hits, readings, strict=True)
    ]
    names = identifiers(question)
    return sorted(found, key=lambda one: (not holds(one.hit.passage.text, names), -one.trust))


def extract(found: Sequence[Found], threshold: float) -> Extracted:
    """Answer from what was read, best first; refuse below the threshold, with what came nearest."""
    confidence = found[0].trust if found else 0.0
    if not found or confidence < threshold or not found[0].answer.strip():
        nearest = tuple(_quote(number, one) for number, one in enumerate(_nearest(found), start=1))
        return Extracted(_refusal(nearest), confidence, nearest=nearest)
    sources = _sources(found)
    citations = tuple(_quote(number, one) for number, one in enumerate(sources, start=1))
    text = _answer(sources, citations)
    return Extracted(text, confidence, found[0].answer.strip(), citations)


def _sources(found: Sequence[Found]) -> list[Found]:
    """Return the best passage, and others that give the same answer surely enough."""
    best = found[0]
    wanted = normalise_answer(best.answer)
    least = best.trust * SAME_ANSWER_SHARE
    same = [
        one
        for one in found[1:]
        if one.trust >= least and _is_same(normalise_answer(one.answer), wanted)
    ]
    return [best, *same][:MAX_SOURCES]


def _is_same(one: str, other: str) -> bool:
    """Whether one answer is the other, or says it with more words around."""
    if not one or not other:
        return False
    return f" {one} " in f" {other} " or f" {other} " in f" {one} "


def _nearest(found: Sequence[Found]) -> list[Found]:
    read = [one for one in found if one.answer.strip()]
    return sorted(read, key=lambda one: one.hit.rank)[:MAX_NEAREST]


def _quote(number: int, one: Found) -> Citation:
    passage = one.hit.passage
    start, end = sentence_around(passage.text, one.reading.start, one.reading.end)
    return citation(number, passage, max(start, body_start(passage)), end)


def citation(number: int, passage: Passage, start: int, end: int) -> Citation:
    """Cite `passage.text[start:end]`, by its place in the document."""
    return Citation(
        number=number,
        document_id=passage.document_id,
        passage_id=passage.id,
        source=passage.source,
        title=passage.title,
        headings=passage.headings,
        page=passage.page,
        start=passage.start + start,
        end=passage.start + end,
        quote=passage.text[start:end],
    )


def _answer(sources: Sequence[Found], citations: Sequence[Citation]) -> str:
    """Write the sentence with its answer in bold, then other quotes that say the same."""
    best, first = sources[0], citations[0]
    offset = first.start - best.hit.passage.start
    start, end = best.reading.start - offset, best.reading.end - offset
    quote = first.quote
    before, answer, after = quote[:start], quote[start:end], quote[end:]
    lines = [f"{_plain(before)}**{_plain(answer.strip())}**{_plain(after)} [1]"]
    for one in citations[1:]:
        if normalise_answer(one.quote) != normalise_answer(quote):
            lines.append(f"> {_plain(one.quote)} [{one.number}]")
        else:
            lines[0] += f"[{one.number}]"
    return "\n\n".join(lines)


def _refusal(nearest: Sequence[Citation]) -> str:
    if not nearest:
        return "The documents do not say."
    quotes = "\n".join(f"- {_plain(one.quote)} [{one.number}]" for one in nearest)
    return f"The documents do not say. The nearest passages:\n\n{quotes}"


def _plain(text: str) -> str:
    """Write a quote so that Markdown shows it as it is, on one line."""
    return " ".join(_MARKDOWN.sub(r"\\\g<0>", text).split("\n"))
