"""What becomes of a request with functions: calls, a question back, or neither.

The best function is chosen and filled (`choosing.py`, `filling.py`), and finished by a generator
where one learned it (`generated.py`); a compound request is cut into parts (`splitting.py`) that
may each have a call. What is required and not said is asked back for. It knows no protocol;
`tool_model.py` speaks it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from p3_rag_chatbot.ports import Embedder, Reader
from p3_rag_chatbot.tool_calling.choosing import Candidate, Chooser
from p3_rag_chatbot.tool_calling.filling import ArgumentFiller, ArgumentFinisher, MentionFiller
from p3_rag_chatbot.tool_calling.finding import Said, found_in
from p3_rag_chatbot.tool_calling.mentions import without_overlaps
from p3_rag_chatbot.tool_calling.roles import role_of
from p3_rag_chatbot.tool_calling.schemas import Function, Parameter
from p3_rag_chatbot.tool_calling.splitting import parts_of

PART_FIT = 1.0
"""Fit from which a part of a request has a call of its own."""
_JOINER = re.compile(
    r"\s*[,、]?\s*(?:(?:and|or|y|und|et|dan|&|和|및)\b)?\s*(?:also|then)?\s*(?:in|for|at|on)?\s*",
    re.IGNORECASE,
)
"""What stands between the items of a list."""
MAX_CALLS = 16


@dataclass(frozen=True)
class Call:
    """A function and its arguments."""

    name: str
    arguments: dict[str, object]


@dataclass(frozen=True)
class Calls:
    """What is to be called, in order."""

    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Question:
    """The function that is wanted, and what it requires that was not said."""

    function: Function
    missing: tuple[Parameter, ...]


@dataclass(frozen=True)
class Declined:
    """No function fits; `nearest` is the one that came closest."""

    nearest: str | None = None


Outcome = Calls | Question | Declined


@dataclass(frozen=True)
class CallRequest:
    """What was said, and what may be called; `must` be called where the client says so."""

    said: Said
    functions: tuple[Function, ...]
    must: bool = False
    is_parallel: bool = True


class ToolCaller:
    """Chooses functions and fills their arguments."""

    def __init__(
        self,
        embedder: Embedder,
        reader: Reader | None = None,
        *,
        filler: ArgumentFiller | None = None,
        chooser: Chooser | None = None,
        finisher: ArgumentFinisher | None = None,
    ) -> None:
        self.filler = filler or MentionFiller(embedder, reader)
        self.chooser = chooser or Chooser(embedder, MentionFiller(embedder), reader)
        self.finisher = finisher

    def call(self, request: CallRequest) -> Outcome:
        """Answer a request; never calls a function that is not offered."""
        said = request.said
        if not request.functions or not said.text.strip():
            return Declined()
        if request.is_parallel and (several := self._several(request)):
            return Calls(tuple(several[:MAX_CALLS]))
        best = self.chooser.ranked(said, request.functions)[0]
        if best.fit < 0 and not request.must:
            return Declined(best.function.name)
        filled = self.filler.fill(said, best.function)
        if filled.missing and self.finisher is not None:
            filled = self.finisher.finish(said, best.function, filled)
        if filled.missing and not request.must:
            return Question(best.function, filled.missing)
        calls = [Call(best.function.name, filled.arguments)]
        if request.is_parallel:
            calls = self._each(said, best.function, calls[0])
        return Calls(tuple(calls[:MAX_CALLS]))

    def _several(self, request: CallRequest) -> list[Call]:
        """Return a call for each part that wants one by itself; none where one call says it all."""
        parts = parts_of(request.said)
        if len(parts) < 2:
            return []
        wanted = list(self._wanted(parts, request.functions))
        names = [function.name for function, _, _ in wanted]
        if len(set(names)) < 2 and not _say_different(wanted):
            return []
        calls: list[Call] = []
        for function, part, call in wanted:
            calls += self._each(part, function, call)
        distinct: list[Call] = []
        for call in calls:
            if call not in distinct:
                distinct.append(call)
        return distinct if len(distinct) > 1 else []

    def _wanted(
        self, parts: Sequence[Said], functions: tuple[Function, ...]
    ) -> Iterator[tuple[Function, Said, Call]]:
        for part in parts:
            best: Candidate = self.chooser.ranked(part, functions)[0]
            if best.fit < PART_FIT or best.evidence.action < 0:
                continue
            filled = self.filler.fill(part, best.function)
            if not filled.missing and (filled.n_said or not best.function.parameters):
                yield best.function, part, Call(best.function.name, filled.arguments)

    def _each(self, said: Said, function: Function, call: Call) -> list[Call]:
        """Return a call for each of several places or dates that are listed for one value."""
        mentions = found_in(said)
        for parameter in function.required:
            kinds = {"place": "place", "date": "date"}.get(role_of(parameter))
            longest = sorted(mentions, key=lambda one: one.start - one.end)
            of_kind = without_overlaps(one for one in longest if one.kind == kinds)
            run = of_kind[:1]
            for one in of_kind[1:]:
                if _JOINER.fullmatch(said.text[run[-1].end : one.start]):
                    run.append(one)
            if parameter.kind != "string" or len(run) < 2 or len(run) != len(of_kind):
                continue
            if sum(role_of(other) == role_of(parameter) for other in function.parameters) > 1:
                continue
            texts = [
                said.text[: run[0].start]
                + said.text[one.start : one.end]
                + said.text[run[-1].end :]
                for one in run
            ]
            fills = [self.filler.fill(replace(said, text=text), function) for text in texts]
            if not any(one.missing for one in fills):
                return [Call(function.name, one.arguments) for one in fills]
        return [call]


def _say_different(wanted: Sequence[tuple[Function, Said, Call]]) -> bool:
    """Whether calls of one function differ in all that they require: else they are one request."""
    if len(wanted) < 2 or not wanted[0][0].required:
        return False
    names = [one.name for one in wanted[0][0].required]
    values = [tuple(str(call.arguments.get(name)) for name in names) for _, _, call in wanted]
    return len(set(values)) == len(values)


def asked_back(question: Question) -> str:
    """Write the question: what is needed, in the words of the descriptions."""
    parts = [_asked(one) for one in question.missing[:4]]
    listed = parts[0] if len(parts) == 1 else f"{'; '.join(parts[:-1])}; and {parts[-1]}"
    return f"To call {question.function.name} I still need {listed}. What should I use?"


def _asked(parameter: Parameter) -> str:
    told = parameter.description.split(". ")[0].rstrip(".")
    text = f"`{parameter.name}`" + (f" ({told[:160]})" if told else "")
    if parameter.choices:
        text += f", one of {', '.join(map(str, parameter.choices[:8]))}"
    return text
