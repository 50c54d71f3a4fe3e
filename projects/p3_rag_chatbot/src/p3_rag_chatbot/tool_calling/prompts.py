"""The prompt that a generator fills arguments from, and the form of its answer.

The `tools` adapter learns it (`training/tool_examples.py`); an `ArgumentFiller` over the generator,
held to the function's schema by the grammar, asks with it.
"""

import json
from collections.abc import Mapping, Sequence

from p3_rag_chatbot.tool_calling.schemas import Function

TOOLS = (
    "Call the functions that the user asks for. Answer with a JSON list of "
    '{"name": …, "arguments": {…}}; leave out what the user does not say; [] when none fits.'
)
MAX_TOLD = 120
"""Characters of a description that are shown."""


def signature(function: Function) -> str:
    """Write a function in a line and each parameter in one; `?` marks what may be left out."""
    lines = [f"{function.name}: {function.description[:MAX_TOLD]}"]
    for one in function.parameters:
        mark = "" if one.is_required else "?"
        choices = f" of {json.dumps(one.choices[:12])}" if one.choices else ""
        lines.append(f"  {one.name}{mark} ({one.kind}{choices}): {one.description[:MAX_TOLD]}")
    return "\n".join(lines)


def system_prompt(functions: Sequence[Function]) -> str:
    """Write the system turn: what is asked, and what may be called."""
    return "\n".join([TOOLS, *(signature(one) for one in functions)])


def written_calls(calls: Sequence[tuple[str, Mapping[str, object]]]) -> str:
    """Write calls as the answer has them."""
    found = [{"name": name, "arguments": dict(arguments)} for name, arguments in calls]
    return json.dumps(found, ensure_ascii=False)
