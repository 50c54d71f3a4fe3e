"""JSON schemas as grammars: what is bounded, what is refused and where."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some
from jsonschema import Draft202012Validator
from p3_rag_chatbot.errors import SchemaError
from p3_rag_chatbot.generating.grammar import answer_schema, checked, grammar
from p3_rag_chatbot.openai_contracts import ResponseFormat


def bounded(schema: dict) -> dict:
    written = grammar(checked(schema))
    return json.loads(written.partition("%json ")[2])


def test_whatever_may_go_on_for_ever_gets_an_end() -> None:
    made = bounded(
        {
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "list": {"type": "array", "items": {"type": "integer"}},
                "share": {"type": "number", "minimum": 0},
            },
        }
    )
    assert made["additionalProperties"] is False
    parts = made["properties"]
    assert parts["text"]["maxLength"] == 512
    assert parts["list"]["maxItems"] == 64
    assert parts["list"]["items"] == {"type": "integer", "minimum": -(10**15), "maximum": 10**15}
    assert parts["share"] == {
        "type": "number", "minimum": 0, "maximum": 10**15, "multipleOf": 1e-6,
    }  # fmt: skip


def test_bounds_that_are_given_stay() -> None:
    schema = {"type": "string", "minLength": 900}
    assert bounded(schema)["maxLength"] == 900
    assert bounded({"type": "string", "maxLength": 3})["maxLength"] == 3
    assert bounded({"type": "array", "maxItems": 200})["maxItems"] == 200


def test_what_asserts_nothing_is_left_out() -> None:
    schema = {"type": "string", "format": "made-up", "title": "T", "x-mine": 1, "maxLength": 2}
    assert bounded(schema).keys() == {"type", "maxLength", "x-guidance"}


def test_parts_of_one_object_are_not_closed_against_each_other() -> None:
    parts = [
        {"type": "object", "properties": {name: {"type": "boolean"}}, "required": [name]}
        for name in "ab"
    ]
    made = bounded({"allOf": parts})
    assert all("additionalProperties" not in part for part in made["allOf"])


@pytest.mark.parametrize(
    ("schema", "place", "reason"),
    [
        ({"type": "strng"}, "type", "is not valid"),
        ({"properties": {"a": {"minLength": -1}}}, "properties.a.minLength", "less than"),
        ({"properties": {"a": {"not": {}}}}, "properties.a.not", "not cannot be expressed"),
        ({"anyOf": [{}, {"if": {}}]}, "anyOf.1.if", "if cannot"),
        ({"type": "array", "uniqueItems": True}, "uniqueItems", "cannot be expressed"),
        ({"$ref": "https://example.org/x"}, "$ref", "references inside the schema"),
        ({"pattern": "(a{500}){500}"}, "pattern", "repeats too often"),
        ({"pattern": "a" * 501}, "pattern", "too long"),
    ],
)
def test_a_schema_that_will_not_do_is_refused_where_it_is_wrong(schema, place, reason) -> None:
    with pytest.raises(SchemaError, match=reason) as caught:
        grammar(checked(schema))
    assert caught.value.path == f"response_format.json_schema.schema.{place}"


def test_a_schema_of_a_megabyte_is_refused() -> None:
    with pytest.raises(SchemaError, match="characters"):
        checked({"enum": ["x" * 1_000_000]})


def test_the_three_response_formats_say_what_an_answer_has_to_fit() -> None:
    assert answer_schema(None) is None
    assert answer_schema(ResponseFormat(type="text")) is None
    assert answer_schema(ResponseFormat(type="json_object")) == {"type": "object"}
    with pytest.raises(SchemaError, match="is missing"):
        answer_schema(ResponseFormat(type="json_schema"))


leaves = some.sampled_from(
    [
        {"type": "string"},
        {"type": "integer", "minimum": 3},
        {"type": "number", "exclusiveMaximum": 5},
        {"enum": ["a", None]},
        {"type": ["string", "null"]},
    ]
)
schemas = some.recursive(
    leaves,
    lambda inner: some.one_of(
        some.builds(lambda items: {"type": "array", "items": items}, inner),
        some.builds(
            lambda parts: {"type": "object", "properties": parts, "required": list(parts)},
            some.dictionaries(some.sampled_from("abc"), inner, max_size=3),
        ),
        some.builds(lambda parts: {"anyOf": parts}, some.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=6,
)
values = some.recursive(
    some.none() | some.integers(-9, 9) | some.text("abc", max_size=4),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.sampled_from("abcd"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(schemas, values)
def test_what_fits_the_bounded_schema_fits_the_one_that_was_sent(schema, value) -> None:
    made = bounded(schema)
    del made["x-guidance"]
    if Draft202012Validator(made).is_valid(value):
        assert Draft202012Validator(schema).is_valid(value)
