"""A call's arguments finished by the real generator, from a worker thread, under its grammar."""

from datetime import date

import anyio.to_thread
import pytest
from p3_rag_chatbot.openai_contracts import FunctionSpec
from p3_rag_chatbot.tool_calling.filling import Filled
from p3_rag_chatbot.tool_calling.finding import Said
from p3_rag_chatbot.tool_calling.generated import GeneratorFinisher
from p3_rag_chatbot.tool_calling.schemas import read_function
from structlog.testing import capture_logs

pytestmark = pytest.mark.anyio
SAID = Said("Please book a table for 4 people at the Golden Lion", date(2026, 11, 25))
PROPERTIES = {
    "people": {"type": "integer", "description": "How many people."},
    "place": {"type": "string", "description": "Name of the restaurant."},
    "dishes": {"type": "array", "items": {"type": "string"}, "description": "What they eat."},
    "meal": {"type": "string", "enum": ["lunch", "dinner"]},
    "price": {"type": "number"},
    "guest": {
        "type": "object",
        "properties": {"is_known": {"type": "boolean"}, "card": {"type": "object"}},
        "required": ["is_known", "card"],
    },
}
FUNCTION = read_function(
    FunctionSpec(
        name="book_table",
        description="Book a table in a restaurant.",
        parameters={"type": "object", "properties": PROPERTIES, "required": list(PROPERTIES)},
    )
)


async def finished(model, filled: Filled, *, adapter: str) -> tuple[Filled, list[str]]:
    finisher = GeneratorFinisher(model, timeout_s=60, adapter=adapter)
    with capture_logs() as logs:
        found = await anyio.to_thread.run_sync(finisher.finish, SAID, FUNCTION, filled)
    return found, [str(one["reason"]) for one in logs if one["event"] == "arguments_not_generated"]


async def test_the_generator_answers_by_a_schema_of_every_type_and_only_what_is_said_stays(
    model,
) -> None:
    *plain, guest = FUNCTION.parameters
    before = Filled({}, (*plain, *guest.properties))
    found, troubles = await finished(model, before, adapter="grounded")
    assert troubles == []
    assert found.arguments.get("people", 4) == 4
    assert found.arguments.get("place", "Golden Lion") in SAID.text
    assert len(found.missing) + found.n_said == len(before.missing)


async def test_an_adapter_that_is_not_there_leaves_the_call_as_it_was(model) -> None:
    before = Filled({"people": 4}, FUNCTION.parameters[1:2], n_said=1)
    found, troubles = await finished(model, before, adapter="nobody")
    assert found == before
    assert troubles == ["adapter: is not an adapter"]
