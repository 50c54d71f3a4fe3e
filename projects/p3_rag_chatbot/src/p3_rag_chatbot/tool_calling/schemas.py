"""A function's JSON schema, read into typed parameters: what the rest of this package works with.

Schemas come from many hands. What can be understood is (`dict` and `float` as some write them, a
missing type, `anyOf` with null, a local `$ref`); keywords that ask for nothing here are passed
over; what is no schema of an object is a `SchemaError` with its place. Depth and counts are
bounded, so that a recursive schema ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from p3_rag_chatbot.errors import SchemaError
from p3_rag_chatbot.openai_contracts import FunctionSpec, Tool

Kind = Literal["string", "integer", "number", "boolean", "array", "object", "any"]

MAX_FUNCTIONS = 512
MAX_PARAMETERS = 200
MAX_CHOICES = 2_000
MAX_DEPTH = 5
MAX_DESCRIPTION = 1_500
"""Characters of a description that are read."""
_KINDS: dict[str, Kind] = {
    "string": "string", "str": "string", "char": "string", "integer": "integer", "int": "integer",
    "long": "integer", "number": "number", "float": "number", "double": "number",
    "boolean": "boolean", "bool": "boolean", "array": "array", "list": "array", "tuple": "array",
    "set": "array", "object": "object", "dict": "object", "hashmap": "object", "map": "object",
    "any": "any",
}  # fmt: skip
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter: its type, what it means, and what it may be."""

    name: str
    kind: Kind = "string"
    description: str = ""
    is_required: bool = False
    choices: tuple[str | int | float | bool, ...] = ()
    default: object = field(default=None, compare=False)
    has_default: bool = False
    is_nullable: bool = False
    format: str = ""
    items: "Parameter | None" = None
    properties: tuple["Parameter", ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Function:
    """A function that may be called."""

    name: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()

    @property
    def required(self) -> tuple[Parameter, ...]:
        """The parameters that a call may not leave out."""
        return tuple(one for one in self.parameters if one.is_required)


def read_functions(tools: Sequence[Tool]) -> tuple[Function, ...]:
    """Read every tool; raises `SchemaError` with the place of what is no schema."""
    if len(tools) > MAX_FUNCTIONS:
        raise SchemaError("tools", f"has {len(tools)} functions; accepted: at most {MAX_FUNCTIONS}")
    functions = tuple(
        read_function(tool.function, f"tools.{k}.function.parameters")
        for k, tool in enumerate(tools)
    )
    names = [one.name for one in functions]
    for k, name in enumerate(names):
        if name in names[:k]:
            raise SchemaError(f"tools.{k}.function.name", f"{name!r} is the name of another tool")
    return functions


def read_function(spec: FunctionSpec, path: str = "parameters") -> Function:
    """Read one function."""
    return Function(
        spec.name,
        spec.description[:MAX_DESCRIPTION],
        _Schemas(spec.parameters, path).properties_of(spec.parameters, path, depth=0),
    )


class _Schemas:
    """Reads the subschemas of one schema."""

    def __init__(self, root: Schema, path: str) -> None:
        self.root, self.n_left = root, MAX_PARAMETERS
        if root and _kind_of(root) not in ("object", "any"):
            raise SchemaError(path, "is not the schema of an object; accepted: type object")

    def properties_of(self, schema: Schema, path: str, *, depth: int) -> tuple[Parameter, ...]:
        """Read an object's properties, in their order."""
        properties = schema.get("properties")
        required = schema.get("required")
        if properties is None:
            return ()
        if not isinstance(properties, Mapping):
            raise SchemaError(f"{path}.properties", "is no object of schemas by name")
        if required is not None and not isinstance(required, (Sequence, bool)):
            raise SchemaError(f"{path}.required", "is no list of names")
        names = required if isinstance(required, Sequence) else ()
        self.n_left -= len(properties)
        if self.n_left < 0:
            raise SchemaError(path, f"has more than {MAX_PARAMETERS} parameters")
        return tuple(
            self._parameter(
                str(name), one, f"{path}.properties.{name}", is_required=name in names, depth=depth
            )
            for name, one in properties.items()
        )

    def _parameter(
        self, name: str, schema: object, path: str, *, is_required: bool, depth: int
    ) -> Parameter:
        if isinstance(schema, bool):
            return Parameter(name, "any", is_required=is_required)
        if not isinstance(schema, Mapping):
            raise SchemaError(path, "is no schema; accepted: an object such as {'type': 'string'}")
        schema, is_nullable = self._resolved(schema, path)
        kind = _kind_of(schema)
        inner = schema.get("items")
        return Parameter(
            name,
            kind,
            str(schema.get("description") or schema.get("title") or "")[:MAX_DESCRIPTION],
            is_required=is_required,
            choices=_choices(schema),
            default=schema.get("default"),
            has_default="default" in schema,
            is_nullable=is_nullable or ("default" in schema and schema["default"] is None),
            format=str(schema.get("format", "")),
            items=self._parameter(name, inner, f"{path}.items", is_required=True, depth=depth + 1)
            if kind == "array" and isinstance(inner, Mapping) and depth < MAX_DEPTH
            else None,
            properties=self.properties_of(schema, path, depth=depth + 1)
            if kind == "object" and depth < MAX_DEPTH
            else (),
            minimum=_number(schema.get("minimum")),
            maximum=_number(schema.get("maximum")),
        )

    def _resolved(self, schema: Schema, path: str) -> tuple[Schema, bool]:
        """Follow local references and take the first alternative that is not null."""
        is_nullable = False
        for _ in range(MAX_DEPTH):
            reference = schema.get("$ref")
            if isinstance(reference, str):
                found = self._at(reference, path)
                schema = {**found, **{key: one for key, one in schema.items() if key != "$ref"}}
                continue
            alternatives = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
            if not isinstance(alternatives, Sequence) or "type" in schema:
                break
            options = [one for one in alternatives if isinstance(one, Mapping)]
            others = [one for one in options if one.get("type") != "null"]
            is_nullable = is_nullable or len(others) < len(options)
            outer = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf", "allOf")}
            schema = {**(others[0] if others else {}), **outer}
        types = schema.get("type")
        listed = types if isinstance(types, list) else []
        return schema, is_nullable or "null" in listed

    def _at(self, reference: str, path: str) -> Schema:
        found: Any = self.root
        if not reference.startswith("#"):
            raise SchemaError(path, f"refers to {reference[:80]!r}; accepted: '#/$defs/…'")
        for part in reference.removeprefix("#").strip("/").split("/"):
            if part:
                found = found.get(part) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping):
            raise SchemaError(path, f"refers to {reference[:80]!r}, which is not there")
        return found


def _kind_of(schema: Schema) -> Kind:
    named = schema.get("type")
    if isinstance(named, list):
        named = next((one for one in named if one != "null"), None)
    if isinstance(named, str):
        return _KINDS.get(named.lower(), "any")
    if "properties" in schema:
        return "object"
    if "items" in schema:
        return "array"
    choices = _choices(schema)
    return "string" if choices and all(isinstance(one, str) for one in choices) else "any"


def _choices(schema: Schema) -> tuple[str | int | float | bool, ...]:
    listed = schema.get("enum")
    if listed is None and "const" in schema:
        listed = [schema["const"]]
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return ()
    return tuple(one for one in listed[:MAX_CHOICES] if isinstance(one, str | int | float | bool))


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None
