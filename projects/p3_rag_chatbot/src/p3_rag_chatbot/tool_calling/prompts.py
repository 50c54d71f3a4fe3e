"""The prompt that a generator fills arguments from, and the form of its answer.

The function is chosen before (`choosing.py`), so that the prompt shows one, as short as it goes.
The `tools` adapter learns it (`training/tool_examples.py`); `generated.py` asks with it.
"""

import json
from collections.abc import Mapping, Sequence

from p3_rag_chatbot.tool_calling.schemas import Parameter

FILL = (
    "Fill in the arguments of the function with what the user says, as JSON. "
    "Leave out what is not said."
)
MAX_TOLD = 120
"""Characters of a description that are shown."""
MAX_CHOICES_TOLD = 12


def system_prompt(name: str, description: str, parameters: Sequence[Parameter]) -> str:
    """Write the system turn: the function in a line, and each parameter that is asked for."""
    function = f"{name}: {_cut(description)}".rstrip(": ")
    return "\n".join([FILL, function, *(_told(one) for one in parameters)])


def written_arguments(
    arguments: Mapping[str, object], parameters: Sequence[Parameter]
) -> dict[str, object]:
    """Return arguments in the order of the parameters, as a grammar has them."""
    return {one.name: arguments[one.name] for one in parameters if one.name in arguments}


def written(arguments: Mapping[str, object]) -> str:
    """Write arguments as the answer has them."""
    return json.dumps(arguments, ensure_ascii=False)


def _told(parameter: Parameter) -> str:
    """Write a parameter in a line; `?` marks what may be left out."""
    mark = "" if parameter.is_required else "?"
    kind: str = parameter.kind
    if parameter.items is not None:
        kind = f"list of {parameter.items.kind}"
    if parameter.choices:
        kind = f"one of {json.dumps(parameter.choices[:MAX_CHOICES_TOLD], ensure_ascii=False)}"
    return f"  {parameter.name}{mark} ({kind}): {_cut(parameter.description)}".rstrip(": ")


def _cut(text: str) -> str:
    return " ".join(text.split())[:MAX_TOLD]
