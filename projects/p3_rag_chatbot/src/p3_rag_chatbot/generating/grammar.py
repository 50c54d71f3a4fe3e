"""A JSON schema as a grammar that llama.cpp holds an answer to, by LLGuidance that is part of it.

What the grammar cannot express is refused with its place. What may go on for ever is bounded: a
small model fills an unbounded string, number or list until its tokens are spent. Bounds only narrow
a schema: what fits the bounded one fits the one that was sent. Keywords that assert nothing are
left out. Schema: JSON Schema 2020-12; grammar: github.com/guidance-ai/llguidance, json_schema.md.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from p3_rag_chatbot.errors import SchemaError
from p3_rag_chatbot.openai_contracts import ResponseFormat

Schema = Mapping[str, Any]

ROOT = "response_format.json_schema.schema"
MAX_SCHEMA_CHARACTERS = 64_000
MAX_STRING, MAX_ITEMS = 512, 64
"""Longest text and list where the schema names no bound."""
MAX_NUMBER, SMALLEST_STEP = 10**15, 1e-6
MAX_PATTERN, MAX_REPEATS = 500, 4096
"""Longest pattern, and most repetitions it may count: beyond, a token takes a second to choose."""

SUBSCHEMA = frozenset({"additionalProperties", "additionalItems", "items"})
SUBSCHEMAS = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})
NAMED_SUBSCHEMAS = frozenset({"properties", "patternProperties", "$defs", "definitions"})
PLAIN = frozenset(
    {
        "type", "enum", "const", "required", "minProperties", "maxProperties", "minItems",
        "maxItems", "minLength", "maxLength", "pattern", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "$ref",
    }
)  # fmt: skip
REFUSED = frozenset(
    {
        "not", "if", "then", "else", "contains", "propertyNames", "dependentRequired",
        "dependentSchemas", "dependencies", "unevaluatedItems", "unevaluatedProperties",
        "$dynamicRef", "$recursiveRef",
    }
)  # fmt: skip
FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"}
)
GUIDANCE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_COUNT = re.compile(r"\{(\d+)(?:,(\d*))?\}")


def answer_schema(wanted: ResponseFormat | None) -> Schema | None:
    """Return the schema that an answer has to fit; None where any text will do."""
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return {"type": "object"}
    if wanted.json_schema is None:
        raise SchemaError("response_format.json_schema", "is missing")
    return wanted.json_schema.schema_


def checked(schema: Schema) -> Schema:
    """Return the schema when it is one; `SchemaError` names the place where it is not."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only where a schema is sent

    if len(json.dumps(schema)) > MAX_SCHEMA_CHARACTERS:
        raise SchemaError(ROOT, f"has more than {MAX_SCHEMA_CHARACTERS:,} characters")
    errors = Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema)
    wrong = next(iter(errors), None)
    if wrong is not None:
        raise SchemaError(_at(ROOT, *wrong.absolute_path), wrong.message[:200])
    return schema


def grammar(schema: Schema) -> str:
    """Write the grammar of a checked schema; `SchemaError` for what it cannot express."""
    bounded = {**_bounded(schema, ROOT), "x-guidance": GUIDANCE}
    return f"%llguidance {{}}\nstart: %json {json.dumps(bounded)}"


def patterns(schema: Any, path: str = ROOT) -> Iterator[tuple[str, str]]:
    """List every pattern of a schema with its place."""
    parts = schema.items() if isinstance(schema, dict) else enumerate(schema)
    for name, part in parts:
        if name == "pattern" and isinstance(part, str):
            yield _at(path, "pattern"), part
        if isinstance(part, Mapping) or (isinstance(part, Sequence) and not isinstance(part, str)):
            yield from patterns(part, _at(path, name))


def _bounded(schema: Any, path: str, *, is_merged: bool = False) -> Any:
    """Bound a schema and what is in it; `is_merged`: others add properties to the same object."""
    if not isinstance(schema, Mapping):
        return schema
    kept: dict[str, Any] = {}
    for name, value in schema.items():
        place = _at(path, name)
        _check(name, value, place)
        if name in PLAIN or (name == "format" and value in FORMATS):
            kept[name] = value
        elif name in SUBSCHEMA:
            kept[name] = _bounded(value, place)
        elif name in SUBSCHEMAS:
            merged = name == "allOf" or "properties" in schema
            kept[name] = [
                _bounded(one, _at(place, k), is_merged=merged) for k, one in enumerate(value)
            ]
        elif name in NAMED_SUBSCHEMAS:
            kept[name] = {one: _bounded(part, _at(place, one)) for one, part in value.items()}
    return _with_bounds(
        kept, is_merged=is_merged or bool({"allOf", "anyOf", "oneOf", "$ref"} & {*kept})
    )


def _check(name: str, value: Any, place: str) -> None:
    if name in REFUSED or (name == "uniqueItems" and value):
        raise SchemaError(place, f"{name} cannot be expressed as a grammar; leave it out")
    if name == "$ref" and not str(value).startswith("#"):
        raise SchemaError(
            place, "only references inside the schema, such as #/$defs/part, are read"
        )
    if name == "pattern":
        counts = [int(high or low) for low, high in _COUNT.findall(value)]
        if len(value) > MAX_PATTERN or math.prod(max(1, one) for one in counts) > MAX_REPEATS:
            raise SchemaError(place, "the pattern is too long or repeats too often")


def _with_bounds(kept: dict[str, Any], *, is_merged: bool) -> dict[str, Any]:
    if "enum" in kept or "const" in kept:
        return kept
    kinds = kept.get("type")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds or ())
    if "string" in kinds and "format" not in kept:
        kept.setdefault("maxLength", max(MAX_STRING, kept.get("minLength", 0)))
    if "array" in kinds:
        kept.setdefault("maxItems", max(MAX_ITEMS, kept.get("minItems", 0)))
    if {"number", "integer"} & kinds:
        _bound_number(kept, is_whole="number" not in kinds)
    open_ended = {"additionalProperties", "patternProperties"} & set(kept)
    if kept.get("properties") and not open_ended and not is_merged:
        known = {*kept["properties"]}
        kept["additionalProperties"] = bool({*kept.get("required", ())} - known)
    return kept


def _bound_number(kept: dict[str, Any], *, is_whole: bool) -> None:
    low = kept.get("minimum", kept.get("exclusiveMinimum", -math.inf))
    high = kept.get("maximum", kept.get("exclusiveMaximum", math.inf))
    if low == -math.inf and high > -MAX_NUMBER:
        kept["minimum"] = -MAX_NUMBER
    if high == math.inf and low < MAX_NUMBER:
        kept["maximum"] = MAX_NUMBER
    if not is_whole:
        kept.setdefault("multipleOf", SMALLEST_STEP)


def _at(path: str, *names: object) -> str:
    return ".".join((path, *(str(name) for name in names)))
