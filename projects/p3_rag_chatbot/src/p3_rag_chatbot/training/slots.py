"""What a reader learns for function calls: where an argument stands, which function is wanted.

An argument is asked for as `name: description (function)` over the request; a function as
`wanted: name: description`, a claim that the request supports or not. From Schema-Guided Dialogue
(Rastogi et al. 2020, as slot spans) and Seal-Tools (Wu et al. 2024).
"""

import json
from pathlib import Path
from random import Random
from typing import Any

from p3_rag_chatbot.reading.asking import asks_argument, asks_function
from p3_rag_chatbot.training.examples import Example


def read_sgd_slots(path: Path) -> list[Example]:
    """Read slot spans: `q` the slot, `c` the turn, `s` and `e` its characters or -1."""
    found: list[Example] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        start, end, turn = row["s"], row["e"], row["c"]
        accepted = (turn[start:end],) if start >= 0 else ()
        found.append(Example(row["q"], turn, start, end, accepted, "sgd", holds=start >= 0))
    return found


def read_sealtools(folder: Path, *, seed: int = 0) -> list[Example]:
    """Read Seal-Tools' calls: where each argument stands, and which function is wanted.

    For a wanted function there are up to two that are not, one of its own field.
    """
    tools = {one["api_name"]: one for one in _lines(folder / "tool.jsonl")}
    chance = Random(seed)  # noqa: S311 - a choice of negatives
    names = sorted(tools)
    found: list[Example] = []
    for file in ("dev.jsonl", "test_in_domain.jsonl", "test_out_domain.jsonl"):
        for row in _lines(folder / file):
            called = [call for call in row["calling"] if call["api"] in tools]
            for call in called:
                found += _arguments(row["query"], call, tools[call["api"]])
            found += _wanted(row["query"], [call["api"] for call in called], tools, names, chance)
    return found


def _arguments(request: str, call: dict[str, Any], tool: dict[str, Any]) -> list[Example]:
    found: list[Example] = []
    for name, about in tool["parameters"].items():
        question = asks_argument(name, about.get("description", ""), tool["api_name"])
        value = call["parameters"].get(name)
        start = request.lower().find(str(value).lower()) if value is not None else -1
        if value is None:
            found.append(Example(question, request, group="seal"))
        elif start >= 0 and str(value):
            end = start + len(str(value))
            accepted = (request[start:end],)
            found.append(Example(question, request, start, end, accepted, "seal", holds=True))
    return found


def _wanted(
    request: str, called: list[str], tools: dict[str, Any], names: list[str], chance: Random
) -> list[Example]:
    pairs = [(name, True) for name in dict.fromkeys(called)]
    others = [name for name in chance.sample(names, 40) if name not in called]
    field = {tools[name]["field"].partition("/")[0] for name in called}
    near = [name for name in others if tools[name]["field"].partition("/")[0] in field]
    pairs += [(name, False) for name in dict.fromkeys([*near[:1], *others[:1]])]
    return [
        Example(
            asks_function(name, tools[name]["api_description"]), request, group="seal",
            is_claim=True, holds=is_wanted,
        )
        for name, is_wanted in pairs
    ]  # fmt: skip


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
