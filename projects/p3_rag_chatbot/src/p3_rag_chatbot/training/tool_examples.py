"""What the `tools` adapter learns: to fill a function's arguments with what a request says.

From the calls of Seal-Tools (Wu et al. 2024) and of the parts of NESTFUL made from Glaive and
Schema-Guided Dialogue (Basu et al. 2024), and from Schema-Guided Dialogue's slot spans (Rastogi et
al. 2020), in the prompt of `tool_calling/prompts.py`. Each call is a conversation of its own; what
it is not said, it leaves out. Which function is wanted is not asked: it was chosen before.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from p3_rag_chatbot.openai_contracts import FunctionSpec
from p3_rag_chatbot.sentences import sentence_spans
from p3_rag_chatbot.tool_calling.prompts import system_prompt, written, written_arguments
from p3_rag_chatbot.tool_calling.schemas import Function, read_function
from p3_rag_chatbot.training.chats import Chat

MAX_SLOT_TURNS = 1_500
"""Turns with slot spans: shorter and simpler than calls, and there are many."""
SHARE_CUT, SHARE_PART, SHARE_UNSAID = 0.8, 0.25, 0.08
"""Requests cut to the sentence that says it all; functions shown in part; calls of another one."""
_NOT_OF_NAMES = re.compile(r"[^A-Za-z0-9_.\-]")
_WORD = re.compile(r"[a-z]{3,}|\d+")
_MOMENT = re.compile(r"\b(?:date|time|day)\b")
_TYPES = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}


@dataclass(frozen=True)
class ToolTask:
    """A request, the function that it wants, and the arguments that it says."""

    request: str
    function: Function
    arguments: dict[str, Any]
    group: str


def tool_chats(tasks: Sequence[ToolTask], *, n: int | None = None, seed: int = 0) -> list[Chat]:
    """Make a conversation of each task, of at most `n` chosen by chance."""
    chance = Random(seed)  # noqa: S311 - a choice of examples
    chosen = list(tasks) if n is None else chance.sample(tasks, min(n, len(tasks)))
    return [_chat(_varied(one, tasks, chance), chance) for one in chosen]


def read_tool_tasks(folder: Path) -> list[ToolTask]:
    """Read what is there of `tools/sealtools`, `tools/nestful` and the slot spans."""
    return [
        *_sealtools(folder / "sealtools" / "Seal-Tools_Dataset"),
        *_nestful(folder / "nestful" / "data" / "non-executable"),
        *islice(_slots(folder / "sgd_slot_spans.jsonl"), MAX_SLOT_TURNS),
    ]


def _varied(task: ToolTask, tasks: Sequence[ToolTask], chance: Random) -> ToolTask:
    """Cut a compound request to what one call needs; at times show a function that it lacks."""
    if chance.random() < SHARE_UNSAID:
        other = chance.choice(tasks)
        if other.group != task.group and not _says_any(task.request, other.arguments):
            return replace(task, function=other.function, arguments={})
    if chance.random() < SHARE_CUT:
        spans = sentence_spans(task.request)
        said = [task.request[a:b] for a, b in spans if _says_all(task.request[a:b], task.arguments)]
        if task.arguments and len(said) == 1:
            return replace(task, request=said[0])
    return task


def _chat(task: ToolTask, chance: Random) -> Chat:
    shown = task.function.parameters
    if len(shown) > 1 and chance.random() < SHARE_PART:
        kept = set(chance.sample(range(len(shown)), chance.randint(1, len(shown) - 1)))
        shown = tuple(one for at, one in enumerate(shown) if at in kept)
    answer = written(written_arguments(task.arguments, shown))
    system = system_prompt(task.function.name, task.function.description, shown)
    return Chat(system, task.request, answer, task.group)


def _sealtools(folder: Path) -> Iterator[ToolTask]:
    if not folder.is_dir():
        return
    functions = {one["api_name"]: _seal_function(one) for one in _lines(folder / "tool.jsonl")}
    for file in ("dev.jsonl", "test_in_domain.jsonl", "test_out_domain.jsonl"):
        for row in _lines(folder / file):
            calls = [(one["api"], one["parameters"]) for one in row["calling"]]
            yield from _tasks(row["query"], calls, functions, f"seal/{row['id']}")


def _nestful(folder: Path) -> Iterator[ToolTask]:
    for part in ("glaive", "sgd"):
        data, spec = (folder / f"non-executable-{part}-{kind}.json" for kind in ("data", "spec"))
        if not data.is_file():
            continue
        functions = {one["name"]: _nestful_function(one) for one in _whole(spec)}
        for number, row in enumerate(_whole(data)):
            calls = [(one["name"], one["arguments"]) for one in row["output"]]
            yield from _tasks(row["input"], calls, functions, f"nestful/{part}-{number}")


def _slots(path: Path) -> Iterator[ToolTask]:
    """Put the slots of a turn together; moments are left out, as they are written as they are said.

    Only turns that say something are taken: the others of this set are mostly talk.
    """
    turns: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in _lines(path) if path.is_file() else ():
        asked, _, intent = row["q"].rpartition(" (")
        name, _, told = asked.partition(": ")
        if not _MOMENT.search(name) and intent != "none)":
            said = row["c"][row["s"] : row["e"]] if row["s"] >= 0 else None
            turns[row["c"], intent.rstrip(")")][name] = {"told": told, "said": said}
    for number, ((request, intent), slots) in enumerate(turns.items()):
        said = {_name(name): one["said"] for name, one in slots.items() if one["said"]}
        if said:
            properties = {_name(name): {"description": one["told"]} for name, one in slots.items()}
            function = _function(_name(intent), "", properties, [])
            yield ToolTask(request, function, said, f"sgd/{number}")


def _tasks(
    request: str,
    calls: Sequence[tuple[str, dict[str, Any]]],
    functions: Mapping[str, Function],
    group: str,
) -> Iterator[ToolTask]:
    """Yield a task of each call that the request says by itself, and that is its function's one."""
    names = [name for name, _ in calls]
    for name, arguments in calls:
        if name in functions and names.count(name) == 1 and _says_any_each(request, arguments):
            kinds = {one.name: one.kind for one in functions[name].parameters}
            typed = {key: _typed(value, kinds.get(key)) for key, value in arguments.items()}
            yield ToolTask(request, functions[name], typed, group)


def _typed(value: Any, kind: str | None) -> Any:
    """Return a number that is written as text as a number, where one is asked for."""
    if not isinstance(value, str) or kind not in ("integer", "number"):
        return value
    try:
        return int(value) if kind == "integer" else float(value)
    except ValueError:
        return value


def _says_any_each(request: str, arguments: Mapping[str, Any]) -> bool:
    """Whether every argument shares a word with the request; else it is made up, or a result."""
    told = _WORD.findall(request.lower())
    return all(
        isinstance(value, bool) or any(_is_told(word, told) for word in _words(value))
        for value in arguments.values()
    )


def _is_told(word: str, told: Sequence[str]) -> bool:
    return any(word[:5] == one[:5] for one in told)


def _says_all(text: str, arguments: Mapping[str, Any]) -> bool:
    return all(
        isinstance(value, bool) or str(value).lower() in text.lower()
        for value in arguments.values()
    )


def _says_any(request: str, arguments: Mapping[str, Any]) -> bool:
    told = set(_WORD.findall(request.lower()))
    return any(told & set(_words(value)) for value in arguments.values())


def _words(value: object) -> list[str]:
    found = _WORD.findall(str(value).lower())
    return found or [str(value).lower()]


def _seal_function(tool: dict[str, Any]) -> Function:
    return _function(
        tool["api_name"], tool["api_description"], tool["parameters"], tool.get("required", [])
    )


def _nestful_function(tool: dict[str, Any]) -> Function:
    properties = tool.get("query_parameters") or tool.get("arguments") or {}
    required = [name for name, about in properties.items() if about.get("required")]
    return _function(tool["name"], tool["description"], properties, required)


def _function(
    name: str, description: str, properties: Mapping[str, Any], required: Sequence[str]
) -> Function:
    schemas: dict[str, dict[str, Any]] = {}
    for key, about in properties.items():
        kind = str(about.get("type", "string"))
        schemas[key] = {
            "type": _TYPES.get(kind, kind),
            "description": about.get("description", ""),
        } | ({"enum": about["allowed_values"]} if about.get("allowed_values") else {})
    parameters = {"type": "object", "properties": schemas, "required": list(required)}
    return read_function(
        FunctionSpec(name=_name(name), description=description or "", parameters=parameters)
    )


def _name(text: str) -> str:
    return _NOT_OF_NAMES.sub("_", text)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _whole(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))
