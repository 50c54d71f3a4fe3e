"""A function's arguments from what a request says: mentions are given to parameters by evidence.

What is found in the request (`finding.py`) may go to any
parameter of its kind. For it speak the words around it (`roles.py`) and, where there is one, the
reader, which marks for each parameter the span that it believes. The surest pair is taken first,
and nothing is used twice. What is left out has its default; what is required and not said is
missing, and is asked back for. Read next: `caller.py`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from p3_rag_chatbot.ports import Embedder, Reader, Reading
from p3_rag_chatbot.reading.asking import asks_argument
from p3_rag_chatbot.tool_calling.announcing import Announcements
from p3_rag_chatbot.tool_calling.choices import (
    chosen_by_meaning,
    chosen_by_number,
    chosen_by_words,
    examples_of,
)
from p3_rag_chatbot.tool_calling.finding import Said, found_in
from p3_rag_chatbot.tool_calling.fitting import (
    FITTING,
    READER_BELIEVES,
    belief,
    believed_span,
    shared,
    suits,
)
from p3_rag_chatbot.tool_calling.leaves import Leaf, hang, leaves_of
from p3_rag_chatbot.tool_calling.lists import listed
from p3_rag_chatbot.tool_calling.mentions import Mention
from p3_rag_chatbot.tool_calling.roles import Role, role_of, words_of
from p3_rag_chatbot.tool_calling.schemas import Function, Parameter
from p3_rag_chatbot.tool_calling.texts import carried_in, command_in, text_in, whole_text
from p3_rag_chatbot.tool_calling.truths import said_truth
from p3_rag_chatbot.tool_calling.values import typed

LEAST_REQUIRED, LEAST_OPTIONAL = 0.3, 0.75
"""Evidence from which a mention is given to a parameter."""
READER_WEIGHT = 0.9
ORDER_WEIGHT, NAMELESS_ORDER_WEIGHT = 0.08, 0.5
"""Of standing in the same order; more where names tell nothing, as `a` and `b` do."""
MAX_READ = 4_000
"""Characters of a request that mentions are looked for in."""


@dataclass(frozen=True)
class Filled:
    """Arguments by name; what is required and was not said."""

    arguments: dict[str, object]
    missing: tuple[Parameter, ...] = ()
    n_said: int = 0
    """Arguments that the request says, defaults not counted."""


class ArgumentFiller(Protocol):
    """Fills a function's arguments from a request."""

    def fill(self, said: Said, function: Function) -> Filled:
        """Fill what is said; never raises for what is not."""
        ...


class ArgumentFinisher(Protocol):
    """Looks again for what a filler left missing; slower, so that it is asked once a request."""

    def finish(self, said: Said, function: Function, filled: Filled) -> Filled:
        """Add what is found; what is filled stays, and what is not found stays missing."""
        ...


@dataclass
class _Work:
    """A request being taken apart for one function."""

    said: Said
    function: Function
    leaves: list[Leaf]
    mentions: list[Mention]
    readings: dict[int, Reading]
    values: dict[int, object] = field(default_factory=dict)
    used: list[Mention] = field(default_factory=list)

    def is_free(self, mention: Mention) -> bool:
        """Whether nothing of it has been given away."""
        return not any(mention.overlaps(other) for other in self.used)


class MentionFiller:
    """The `ArgumentFiller` without a generator; with a reader where one is given."""

    def __init__(self, embedder: Embedder, reader: Reader | None = None) -> None:
        self.embedder, self.reader = embedder, reader

    def fill(self, said: Said, function: Function) -> Filled:
        """Fill choices and truths first, then give mentions away, then texts."""
        said = Said(said.text[:MAX_READ], said.today)
        leaves = leaves_of(function)
        work = _Work(
            said, function, leaves, found_in(said), self._read(said.text, function, leaves)
        )
        self._fill_choices(work)
        _fill_truths(work)
        _fill_lists(work)
        self._give_away(work)
        _fill_texts(work)
        return _assembled(work)

    def _read(self, text: str, function: Function, leaves: Sequence[Leaf]) -> dict[int, Reading]:
        if self.reader is None or not text.strip():
            return {}
        asked = [at for at, leaf in enumerate(leaves) if leaf.parameter.kind != "boolean"]
        pairs = [
            (asks_argument(one.name, one.description, function.name), text)
            for one in (leaves[at].parameter for at in asked)
        ]
        return dict(zip(asked, self.reader.read(pairs), strict=True)) if pairs else {}

    def _fill_choices(self, work: _Work) -> None:
        for at, leaf in enumerate(work.leaves):
            parameter = leaf.parameter
            if parameter.kind == "array":
                continue
            if parameter.kind == "integer" and not parameter.choices:
                choice: object | None = chosen_by_number(parameter, work.said.text)
            elif parameter.choices:
                choice = chosen_by_number(parameter, work.said.text)
                choice = self._choice(work, at) if choice is None else choice
            elif parameter.kind == "string" and role_of(parameter) == "name":
                choice = self._shown(work, parameter)
            else:
                continue
            if choice is not None:
                work.values[at] = choice

    def _choice(self, work: _Work, at: int) -> object | None:
        parameter, text = work.leaves[at].parameter, work.said.text
        reading = work.readings.get(at)
        is_believed = reading is not None and belief(reading) >= READER_BELIEVES
        if is_believed and reading is not None:
            span = text[reading.start : reading.end]
            if found := chosen_by_words(parameter, span):
                return self._taken(work, found[0])
        if {str(one).lower() for one in parameter.choices} >= {"true", "false"}:
            truth = said_truth(parameter, text, work.function)
            names = {str(one).lower(): one for one in parameter.choices}
            return None if truth is None else names[str(truth).lower()]
        if found := chosen_by_words(parameter, text):
            return self._taken(work, found[0])
        if is_believed and reading is not None:
            span = text[reading.start : reading.end]
            return chosen_by_meaning(parameter, span, self.embedder, least=0.3)
        if work.leaves[at].is_required and not parameter.has_default:
            return chosen_by_meaning(parameter, text, self.embedder)
        return None

    def _shown(self, work: _Work, parameter: Parameter) -> object | None:
        """Return a value that the description gives as an example, where the request says it."""
        shown = replace(parameter, choices=examples_of(parameter), description="")
        found = chosen_by_words(shown, work.said.text) if shown.choices else []
        return self._taken(work, found[0]) if found else None

    def _taken(self, work: _Work, chosen: tuple[object, int]) -> object:
        """Note that the words of a choice are spoken for, where they are written as it is."""
        choice, at = chosen
        end = at + len(str(choice))
        if work.said.text[at:end].lower() == str(choice).lower():
            work.used.append(Mention("span", at, end, choice))
        return choice

    def _give_away(self, work: _Work) -> None:
        """Give mentions to parameters, the surest pair first."""
        open_leaves = [
            (at, leaf)
            for at, leaf in enumerate(work.leaves)
            if at not in work.values and _takes_mention(leaf.parameter)
        ]
        announced = Announcements(work.said.text)
        pairs = sorted(
            (
                (score, -at, mention.start, mention)
                for at, leaf in open_leaves
                for score, mention in _scored(work, at, leaf, announced)
            ),
            key=lambda one: (-one[0], -one[1], one[2]),
        )
        for score, at, _, mention in pairs:
            leaf = work.leaves[-at]
            is_firm = mention.kind in ("date", "time", "email", "url")
            least = LEAST_REQUIRED if leaf.is_required or is_firm else LEAST_OPTIONAL
            if -at in work.values or score < least or not work.is_free(mention):
                continue
            value = typed(leaf.parameter, mention, work.said.text)
            if value is not None:
                work.values[-at] = value
                work.used.append(mention)


def _takes_mention(parameter: Parameter) -> bool:
    return not parameter.choices and parameter.kind in ("string", "integer", "number", "any")


def _scored(
    work: _Work, at: int, leaf: Leaf, announced: Announcements
) -> Iterator[tuple[float, Mention]]:
    """Score the mentions that fit a parameter, and the reader's own span."""
    parameter = leaf.parameter
    role = role_of(parameter)
    fitting = FITTING[role] if parameter.kind != "any" else FITTING["code"] | {"number": 0.5}
    reading = work.readings.get(at)
    span = believed_span(
        work.said.text, reading, READER_BELIEVES / 2 if leaf.is_required else READER_BELIEVES
    )
    if role == "text":
        yield from _carried(work, parameter)
    fits = [one for one in work.mentions if one.kind in fitting]
    is_nameless = len(parameter.name) <= 2 or parameter.name[-1].isdigit()
    weight = NAMELESS_ORDER_WEIGHT if is_nameless else ORDER_WEIGHT
    for rank, mention in enumerate(fits):
        score = fitting[mention.kind] + announced.of(mention, parameter)
        score += suits(parameter, mention, work.said.text)
        if span is not None and reading is not None and mention.overlaps(span):
            score += READER_WEIGHT * belief(reading) * shared(mention, span)
        score += weight * (1 - abs(rank - _rank(work, at, role)) / (len(fits) + 1))
        yield score, mention
    if (
        span is not None
        and reading is not None
        and role in ("name", "text", "place", "code")
        and not any(one.start <= span.start and span.end <= one.end for one in fits)
    ):
        yield 0.15 + READER_WEIGHT * belief(reading) + announced.of(span, parameter) / 2, span


def _carried(work: _Work, parameter: Parameter) -> Iterator[tuple[float, Mention]]:
    """Yield the command line, or the text behind a colon, that a request carries."""
    text = work.said.text
    found = command_in(text) if "command" in words_of(parameter) else carried_in(text)
    if found is not None:
        yield 1.2, found


def _rank(work: _Work, at: int, role: Role) -> int:
    """Count the parameters of the role that stand before this one."""
    return sum(role_of(leaf.parameter) == role for leaf in work.leaves[:at])


def _fill_truths(work: _Work) -> None:
    for at, leaf in enumerate(work.leaves):
        if leaf.parameter.kind == "boolean":
            truth = said_truth(leaf.parameter, work.said.text, work.function)
            if truth is not None:
                work.values[at] = truth


def _fill_lists(work: _Work) -> None:
    for at, leaf in enumerate(work.leaves):
        if leaf.parameter.kind != "array":
            continue
        reading = work.readings.get(at)
        found = listed(
            leaf.parameter, work.said.text, work.mentions, believed_span(work.said.text, reading)
        )
        if found and (leaf.is_required or found.is_announced):
            work.values[at] = found.values
            work.used += found.mentions


def _fill_texts(work: _Work) -> None:
    """Give the one open text parameter what the request carries, else the request itself."""
    open_texts = [
        at
        for at, leaf in enumerate(work.leaves)
        if at not in work.values
        and leaf.is_required
        and leaf.parameter.kind in ("string", "any")
        and not leaf.parameter.choices
        and role_of(leaf.parameter) in ("text", "name")
    ]
    if not open_texts:
        return
    texts = [at for at in open_texts if role_of(work.leaves[at].parameter) == "text"]
    at = (texts or open_texts)[0]
    mention = text_in(work.said.text)
    if mention is None and texts and len(work.leaves) <= 3:
        mention = whole_text(work.said.text)
    if mention is not None and (texts or len(open_texts) == 1):
        value = mention.value
        work.values[at] = re.sub(r"\s+", " ", str(value))


def _assembled(work: _Work) -> Filled:
    """Hang values where they belong; what is required and not said has a default or is missing."""
    arguments: dict[str, object] = {}
    missing: list[Parameter] = []
    for at, leaf in enumerate(work.leaves):
        if at in work.values:
            hang(arguments, leaf.path, work.values[at])
            continue
        parameter = leaf.parameter
        if not leaf.is_required:
            continue
        if parameter.has_default:
            hang(arguments, leaf.path, parameter.default)
        elif parameter.kind == "boolean":
            hang(arguments, leaf.path, value=False)
        elif parameter.kind == "object":
            hang(arguments, leaf.path, {})
        elif len(parameter.choices) == 1:
            hang(arguments, leaf.path, parameter.choices[0])
        else:
            missing.append(parameter)
    return Filled(arguments, tuple(missing), len(work.values))
