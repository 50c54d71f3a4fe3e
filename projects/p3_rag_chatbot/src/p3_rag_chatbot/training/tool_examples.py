"""What the `tools` adapter learns: to call the functions of a request with what it says, or none.

From Seal-Tools (Wu et al. 2024) and the parts of NESTFUL made from Glaive and Schema-Guided
Dialogue (Basu et al. 2024), in the prompt of `tool_calling/prompts.py`: the functions that are
wanted among others. A call that needs another's result is left out, since it cannot be read off
the request; a share of the requests is shown without its functions, to be declined.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from p3_rag_chatbot.openai_contracts import FunctionSpec
from p3_rag_chatbot.tool_calling.prompts import system_prompt, written_calls
from p3_rag_chatbot.tool_calling.schemas import Function, read_function
from p3_rag_chatbot.training.chats import Chat

MAX_OTHERS = 3
"""Functions beside those that are wanted."""
_NOT_OF_NAMES = re.compile(r"[^A-Za-z0-9_.\-]")
_TYPES = {"str": "string", "int": "integer", "bool": "boolean", "float": "number"}


@dataclass(frozen=True)
class ToolTask:
    """A request, the calls that it wants, and the functions of its set."""

    request: str
    calls: tuple[tuple[str, dict[str, Any]], ...]
    functions: dict[str, Function]
    group: str


def tool_chats(
    tasks: Sequence[ToolTask], *, declined_share: float = 0.15, seed: int = 0
) -> list[Chat]:
    """Make a conversation of each task."""
    chance = Random(seed)  # noqa: S311 - a choice of distractors
    return [_chat(one, chance, is_declined=chance.random() < declined_share) for one in tasks]


def read_tool_tasks(folder: Path) -> list[ToolTask]:
    """Read what is there of `tools/sealtools` and `tools/nestful`."""
    return [
        *_sealtools(folder / "sealtools" / "Seal-Tools_Dataset"),
        *_nestful(folder / "nestful" / "data" / "non-executable"),
    ]


def _chat(task: ToolTask, chance: Random, *, is_declined: bool) -> Chat:
    wanted = list(dict.fromkeys(name for name, _ in task.calls))
    others = [name for name in task.functions if name not in wanted]
    n_others = chance.randint(1 if is_declined else 0, MAX_OTHERS)
    shown = chance.sample(others, min(n_others, len(others)))
    shown += [] if is_declined else wanted
    chance.shuffle(shown)
    answer = written_calls(() if is_declined else task.calls)
    system = system_prompt([task.functions[name] for name in shown])
    return Chat(system, task.request, answer, task.group)


def _sealtools(folder: Path) -> list[ToolTask]:
    if not folder.is_dir():
        return []
    functions = {one["api_name"]: _seal_function(one) for one in _lines(folder / "tool.jsonl")}
    found: list[ToolTask] = []
    for file in ("dev.jsonl", "test_in_domain.jsonl", "test_out_domain.jsonl"):
        for row in _lines(folder / file):
            calls = [(one["api"], one["parameters"]) for one in row["calling"]]
            if task := _task(row["query"], calls, functions, f"seal/{row['id']}"):
                found.append(task)
    return found


def _nestful(folder: Path) -> list[ToolTask]:
    found: list[ToolTask] = []
    for part in ("glaive", "sgd"):
        data, spec = (folder / f"non-executable-{part}-{kind}.json" for kind in ("data", "spec"))
        if not data.is_file():
            continue
        functions = {one["name"]: _nestful_function(one) for one in _whole(spec)}
        for number, row in enumerate(_whole(data)):
            calls = [(one["name"], one["arguments"]) for one in row["output"]]
            said = [one for one in calls if one[0] != "var_result"]
            if task := _task(row["input"], said, functions, f"nestful/{part}-{number}"):
                found.append(task)
    return found


def _task(
    request: str,
    calls: Sequence[tuple[str, dict[str, Any]]],
    functions: dict[str, Function],
    group: str,
) -> ToolTask | None:
    """Return a task of the calls that the request itself says; None where there is none."""
    said = tuple(
        (name, arguments)
        for name, arguments in calls
        if name in functions and not any(_is_result(value) for value in arguments.values())
    )
    return ToolTask(request, said, functions, group) if said else None


def _is_result(value: object) -> bool:
    """Whether a value stands for what another call gives back."""
    return isinstance(value, str) and (value.startswith(("$var", "API_call_")))


def _seal_function(tool: dict[str, Any]) -> Function:
    return _function(
        tool["api_name"], tool["api_description"], tool["parameters"], tool.get("required", [])
    )


def _nestful_function(tool: dict[str, Any]) -> Function:
    properties = tool.get("query_parameters") or tool.get("arguments") or {}
    required = [name for name, about in properties.items() if about.get("required")]
    return _function(tool["name"], tool["description"], properties, required)


def _function(
    name: str, description: str, properties: dict[str, Any], required: list[str]
) -> Function:
    schemas: dict[str, dict[str, Any]] = {}
    for key, about in properties.items():
        kind = str(about.get("type", "string"))
        schemas[key] = {
            "type": _TYPES.get(kind, kind),
            "description": about.get("description", ""),
        } | ({"enum": about["allowed_values"]} if about.get("allowed_values") else {})
    parameters = {"type": "object", "properties": schemas, "required": required}
    return read_function(
        FunctionSpec(
            name=_NOT_OF_NAMES.sub("_", name), description=description or "", parameters=parameters
        )
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _whole(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))
