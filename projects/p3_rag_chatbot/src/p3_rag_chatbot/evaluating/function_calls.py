"""Function calls against what a set accepts: rules of the Berkeley Function Calling Leaderboard.

A case has a request, functions, and for each wanted call the values that each argument may have;
"" among them means that it may be left out. A call is right when its function is, when every
argument is of its type and one of its values, and when nothing is missing or made up. Texts are
compared without case, blanks and the marks `,./-_*^`; lists in order; an integer will do for a
float. Rules: Patil et al., gorilla, `bfcl_eval/eval_checker/ast_eval/ast_checker.py`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p3_rag_chatbot.openai_contracts import FunctionSpec, Message, Tool

Accepted = Mapping[str, Sequence[Any]]
_MARKS = re.compile(r"[ ,./\-_*^]")
_NAME = re.compile(r"[^A-Za-z0-9_.\-]")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "float": (float, int), "number": (float, int),
    "boolean": (bool,), "array": (list,), "tuple": (list,), "dict": (dict,), "object": (dict,),
}  # fmt: skip


@dataclass(frozen=True)
class WantedCall:
    """A function, and the values that each of its arguments may have."""

    name: str
    accepted: Accepted


@dataclass(frozen=True)
class CallCase:
    """A request with the functions offered; without `wanted`, only whether one is called counts."""

    id: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...]
    wanted: tuple[WantedCall, ...] = ()


@dataclass(frozen=True)
class Called:
    """A call as it was made."""

    name: str
    arguments: Mapping[str, Any]


def read_call_cases(questions: Path, answers: Path | None = None) -> list[CallCase]:
    """Read a set of the leaderboard, and its possible answers where it has some."""
    wanted = {row["id"]: row["ground_truth"] for row in _rows(answers)} if answers else {}
    return [
        CallCase(
            row["id"],
            tuple(Message.model_validate(turn) for turn in row["question"][0]),
            tuple(_tool(one) for one in row["function"]),
            tuple(
                WantedCall(name, accepted)
                for call in wanted.get(row["id"], ())
                for name, accepted in call.items()
            ),
        )
        for row in _rows(questions)
    ]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _tool(row: dict[str, Any]) -> Tool:
    spec = FunctionSpec(
        name=_NAME.sub("_", row["name"]),
        description=row.get("description") or "",
        parameters=row["parameters"],
    )
    return Tool(type="function", function=spec)


def calls_match(case: CallCase, calls: Sequence[Called]) -> bool:
    """Whether the calls are those that are wanted, in any order."""
    left = list(calls)
    for wanted in case.wanted:
        fitting = [one for one in left if call_matches(case, wanted, one)]
        if not fitting:
            return False
        left.remove(fitting[0])
    return not left


def functions_match(case: CallCase, calls: Sequence[Called]) -> bool:
    """Whether the functions that are called are those that are wanted."""
    wanted = [_NAME.sub("_", one.name) for one in case.wanted]
    return sorted(wanted) == sorted(one.name for one in calls)


def call_matches(case: CallCase, wanted: WantedCall, call: Called) -> bool:
    """Whether a call is a wanted one."""
    name = _NAME.sub("_", wanted.name)
    spec = next((one.function for one in case.tools if one.function.name == name), None)
    if spec is None or call.name != name:
        return False
    properties = spec.parameters.get("properties", {})
    required = spec.parameters.get("required", [])
    if any(one not in call.arguments for one in required):
        return False
    for argument, value in call.arguments.items():
        if argument not in wanted.accepted or argument not in properties:
            return False
        if not _value_fits(value, wanted.accepted[argument], properties[argument]):
            return False
    return all(
        argument in call.arguments or "" in values for argument, values in wanted.accepted.items()
    )


def _value_fits(value: Any, accepted: Sequence[Any], schema: Mapping[str, Any]) -> bool:
    kind = str(schema.get("type", "any"))
    types = _TYPES.get(kind)
    is_typed = types is None or (
        isinstance(value, types) and not (isinstance(value, bool) and bool not in types)
    )
    if not is_typed:  # a variable or null, where the set says so
        return any(type(one) is type(value) and one == value for one in accepted if one != "")
    if isinstance(value, dict):
        return any(_object_fits(value, one) for one in accepted if isinstance(one, Mapping))
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return any(_objects_fit(value, one) for one in accepted if isinstance(one, list))
    return any(_plain(value) == _plain(one) for one in accepted)


def _object_fits(value: Mapping[str, Any], accepted: Mapping[str, Sequence[Any]]) -> bool:
    for key, one in value.items():
        if key not in accepted:
            return False
        choices = accepted[key]
        fits = (
            any(_object_fits(one, choice) for choice in choices if isinstance(choice, Mapping))
            if isinstance(one, dict)
            else any(_plain(one) == _plain(choice) for choice in choices)
        )
        if not fits:
            return False
    return all(key in value or "" in choices for key, choices in accepted.items())


def _objects_fit(values: Sequence[Any], accepted: Sequence[Any]) -> bool:
    return len(values) == len(accepted) and all(
        isinstance(one, Mapping) and isinstance(wanted, Mapping) and _object_fits(one, wanted)
        for one, wanted in zip(values, accepted, strict=True)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _MARKS.sub("", value).lower().replace("'", '"')
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
