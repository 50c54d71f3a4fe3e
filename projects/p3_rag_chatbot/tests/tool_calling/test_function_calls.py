"""Calls are judged by the leaderboard's rules."""

from typing import Any

import pytest
from p3_rag_chatbot.evaluating.function_calls import (
    CallCase,
    Called,
    WantedCall,
    calls_match,
)
from p3_rag_chatbot.openai_contracts import FunctionSpec, Tool

PARAMETERS = {
    "type": "dict",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "price": {"type": "float"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "where": {"type": "dict"},
    },
    "required": ["city"],
}
TOOL = Tool(type="function", function=FunctionSpec(name="look_up", parameters=PARAMETERS))
WANTED = WantedCall(
    "look up",
    {
        "city": ["St. Louis, MO"],
        "days": ["", 3],
        "price": ["", 2.0],
        "tags": ["", ["a", "b"]],
        "where": ["", {"zip": ["1", "2"], "street": ["", "x"]}],
    },
)


@pytest.mark.parametrize(
    ("arguments", "is_right"),
    [
        ({"city": "st louis mo"}, True),
        ({"city": "St. Louis, MO", "days": 3, "price": 2}, True),
        ({"city": "St. Louis, MO", "tags": ["A", "b"], "where": {"zip": "2"}}, True),
        ({"city": "St. Louis"}, False),
        ({"days": 3}, False),  # a required one is missing
        ({"city": "St. Louis, MO", "days": "3"}, False),  # of another type
        ({"city": "St. Louis, MO", "days": True}, False),
        ({"city": "St. Louis, MO", "tags": ["b", "a"]}, False),  # in another order
        ({"city": "St. Louis, MO", "where": {"street": "x"}}, False),
        ({"city": "St. Louis, MO", "more": 1}, False),  # made up
    ],
)
def test_a_call_is_right_or_not(arguments: dict[str, Any], is_right: bool) -> None:
    case = CallCase("1", (), (TOOL,), (WANTED,))
    assert calls_match(case, [Called("look_up", arguments)]) is is_right


def test_several_calls_match_in_any_order_and_none_may_be_left_over() -> None:
    other = WantedCall("look up", {"city": ["Rome"]})
    case = CallCase("1", (), (TOOL,), (WANTED, other))
    rome, louis = Called("look_up", {"city": "Rome"}), Called("look_up", {"city": "St. Louis, MO"})
    assert calls_match(case, [rome, louis])
    assert not calls_match(case, [rome])
    assert not calls_match(case, [rome, louis, rome])
