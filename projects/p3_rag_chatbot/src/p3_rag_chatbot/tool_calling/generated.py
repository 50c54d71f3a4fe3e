"""What rules and reader left open in a call, asked of the embedded generator.

The adapter `tools` has learned the prompt (`prompts.py`): one function, the parameters that are
asked for, and their values as JSON, what is not said left out. The answer is held to their types by
the grammar, and each value to the request (`following.py`). A generator that fails, or takes too
long, leaves open what was open.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from copy import deepcopy
from dataclasses import replace
from typing import Any

import anyio
import anyio.from_thread
import structlog
from common.errors import DomainError

from p3_rag_chatbot.openai_contracts import ChatRequest, JsonSchema, Message, ResponseFormat
from p3_rag_chatbot.ports import ChatModel
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.tool_calling.filling import Filled
from p3_rag_chatbot.tool_calling.finding import Said
from p3_rag_chatbot.tool_calling.following import followed
from p3_rag_chatbot.tool_calling.leaves import Leaf, hang, holds, is_open, leaves_of
from p3_rag_chatbot.tool_calling.prompts import system_prompt
from p3_rag_chatbot.tool_calling.schemas import Function, Parameter

log = structlog.get_logger()

TOOLS = "tools"
"""The adapter of the embedded model that fills arguments, where it is there."""
MAX_ASKED, MAX_TEXT, MAX_ITEMS = 1_500, 200, 12
"""Characters of a request that is asked about; longest text and list of an answer."""
MAX_ANSWER_TOKENS = 96


class GeneratorFinisher:
    """Finishes a call that lacks what it requires; asked in a worker thread of the event loop."""

    def __init__(self, model: ChatModel, *, timeout_s: float, adapter: str = TOOLS) -> None:
        self.model, self.timeout_s, self.adapter = model, timeout_s, adapter

    def finish(self, said: Said, function: Function, filled: Filled) -> Filled:
        """Fill what is missing and the request bears out; as by rules, nothing is used twice."""
        wanted = {
            ".".join(leaf.path): leaf
            for leaf in leaves_of(function)
            if leaf.parameter in filled.missing and is_open(filled.arguments, leaf.path)
        }
        if not wanted or len(said.text) > MAX_ASKED:
            return filled
        answer = self._answered(self._request(said, function, wanted))
        arguments, n_said = deepcopy(filled.arguments), filled.n_said
        missing = list(filled.missing)
        for name, leaf in wanted.items():
            value = followed(leaf.parameter, answer.get(name), said)
            if value is not None and not holds(arguments, value):
                hang(arguments, leaf.path, value)
                missing.remove(leaf.parameter)
                n_said += 1
        return Filled(arguments, tuple(missing), n_said)

    def _request(self, said: Said, function: Function, wanted: Mapping[str, Leaf]) -> ChatRequest:
        shown = [replace(leaf.parameter, name=name) for name, leaf in wanted.items()]
        system = system_prompt(function.name, function.description, shown)
        return ChatRequest(
            messages=(Message(role="system", content=system),
                      Message(role="user", content=said.text)),
            temperature=0.0,
            max_tokens=MAX_ANSWER_TOKENS,
            adapter=self.adapter,
            response_format=ResponseFormat(
                type="json_schema", json_schema=JsonSchema(schema=_schema_of_all(shown))
            ),
        )  # fmt: skip

    def _answered(self, request: ChatRequest) -> Mapping[str, Any]:
        """Return the arguments of an answer; none of one that failed or was cut."""
        try:
            answer = json.loads(anyio.from_thread.run(self._text, request))
        except (DomainError, TimeoutError, json.JSONDecodeError) as error:
            log.warning("arguments_not_generated", reason=str(error) or type(error).__name__)
            return {}
        return answer if isinstance(answer, dict) else {}

    async def _text(self, request: ChatRequest) -> str:
        with anyio.fail_after(self.timeout_s):
            async with aclosing(self.model.stream(request)) as pieces:
                return "".join([one.text async for one in pieces])


def finisher_of(
    model: ChatModel, adapters: Sequence[str], settings: Settings
) -> GeneratorFinisher | None:
    """Return the finisher over a generator with the adapter; None over another, or for 0 s."""
    if TOOLS not in adapters or not settings.argument_timeout_s:
        return None
    return GeneratorFinisher(model, timeout_s=settings.argument_timeout_s)


def _schema_of_all(parameters: Sequence[Parameter]) -> dict[str, Any]:
    properties = {one.name: _schema_of(one) for one in parameters}
    return {"type": "object", "properties": properties}


def _schema_of(parameter: Parameter) -> dict[str, Any]:
    """Return the schema of a value; grammar.py bounds what this leaves unbounded."""
    if parameter.choices:
        return {"enum": list(parameter.choices)}
    if parameter.kind == "array":
        items = _schema_of(parameter.items) if parameter.items else {"type": "string"}
        return {"type": "array", "items": items, "maxItems": MAX_ITEMS}
    if parameter.kind in ("integer", "number", "boolean", "object"):
        return {"type": parameter.kind}
    return {"type": "string", "maxLength": MAX_TEXT}
