"""Schemas of all kinds are read, or refused with their place; none hangs."""

from typing import Any

import pytest
from p3_rag_chatbot.errors import SchemaError
from p3_rag_chatbot.openai_contracts import FunctionSpec, Tool
from p3_rag_chatbot.tool_calling.schemas import read_function, read_functions


def spec(parameters: dict[str, Any], name: str = "f") -> FunctionSpec:
    return FunctionSpec(name=name, parameters=parameters)


def of(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_the_types_of_other_dialects_are_understood() -> None:
    parameters = {
        "type": "dict",
        "properties": {"a": {"type": "float"}, "b": {"type": "tuple"}, "c": {}, "d": True},
    }
    assert [one.kind for one in read_function(spec(parameters)).parameters] == [
        "number", "array", "any", "any",
    ]  # fmt: skip


def test_null_among_the_types_or_alternatives_makes_a_parameter_nullable() -> None:
    properties = {
        "a": {"type": ["string", "null"]},
        "b": {"anyOf": [{"type": "null"}, {"type": "integer"}]},
    }
    read = read_function(spec(of(properties))).parameters
    assert [(one.kind, one.is_nullable) for one in read] == [("string", True), ("integer", True)]


def test_a_recursive_reference_ends() -> None:
    node = of({"next": {"$ref": "#/$defs/node"}, "loop": {"$ref": "#/$defs/loop"}})
    parameters = of({"first": {"$ref": "#/$defs/node"}})
    parameters["$defs"] = {"node": node, "loop": {"$ref": "#/$defs/loop"}}
    assert read_function(spec(parameters)).parameters[0].kind == "object"


@pytest.mark.parametrize(
    ("parameters", "place"),
    [
        ({"type": "array"}, "parameters"),
        ({"type": "object", "properties": []}, "parameters.properties"),
        (of({"a": "string"}), "parameters.properties.a"),
        (of({"a": {"$ref": "#/$defs/gone"}}), "parameters.properties.a"),
        (of({"a": {"$ref": "http://example.org/x"}}), "parameters.properties.a"),
        ({"type": "object", "properties": {}, "required": 3}, "parameters.required"),
        (of({f"p{k}": {} for k in range(300)}), "parameters"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(
    parameters: dict[str, Any], place: str
) -> None:
    with pytest.raises(SchemaError) as refused:
        read_function(spec(parameters))
    assert refused.value.path == place


def test_two_tools_of_one_name_are_refused() -> None:
    tool = Tool(type="function", function=spec({}))
    with pytest.raises(SchemaError, match="name of another tool"):
        read_functions([tool, tool])
