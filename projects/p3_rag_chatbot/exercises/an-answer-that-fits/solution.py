"""JSON that fits a schema, with one repair."""

import json

KNOWN = {"type", "properties", "required", "additionalProperties", "items", "enum", "minimum",
         "maximum", "title", "description"}  # fmt: skip
RULES = "Answer with JSON alone, an instance of this schema:\n"


class AnswerError(Exception):
    """No answer fits; `errors` says why, `answer` is the last one."""

    def __init__(self, errors, answer):
        self.errors, self.answer = errors, answer
        super().__init__("; ".join(errors))


def ask(model, schema, question, repairs=1):
    """Return a value that fits the schema, after at most so many repairs."""
    _understood(schema)
    messages = [
        {"role": "system", "content": RULES + json.dumps(schema)},
        {"role": "user", "content": question},
    ]
    for attempt in range(repairs + 1):
        answer = model(list(messages))
        found = list(_values(answer))[:1]
        errors = list(_errors(found[0], schema, "")) if found else ["no JSON was found"]
        if not errors:
            return found[0]
        if attempt == repairs:
            raise AnswerError(errors, answer)
        complaint = "This does not fit. Answer again, with JSON alone:\n" + "\n".join(errors)
        messages += [
            {"role": "assistant", "content": answer},
            {"role": "user", "content": complaint},
        ]
    raise ValueError(f"repairs is {repairs}; at least 0 is wanted")


def _understood(schema):
    strange = set(schema) - KNOWN
    if strange or schema.get("additionalProperties", False) is not False:
        raise ValueError(f"not understood in a schema: {sorted(strange) or 'additionalProperties'}")
    for part in [*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])]:
        _understood(part)


def _values(text):
    """Yield what parses as JSON: the whole text, or objects and arrays from the first on."""
    try:
        yield json.loads(text)
    except ValueError:
        decoder = json.JSONDecoder()
        at = 0
        while at < len(text):
            if text[at] in "{[":
                try:
                    value, end = decoder.raw_decode(text, at)
                except ValueError:
                    at += 1
                    continue
                yield value
                at = end
            else:
                at += 1


def _errors(value, schema, place):
    here = place or "the answer"
    kind = schema.get("type")
    if kind and not _is_a(value, kind):
        yield f"{here}: {json.dumps(value)[:40]} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{here}: {json.dumps(value)[:40]} is none of {json.dumps(schema['enum'])}"
    if _is_a(value, "number"):
        if value < schema.get("minimum", value):
            yield f"{here}: {value} is less than {schema['minimum']}"
        if value > schema.get("maximum", value):
            yield f"{here}: {value} is more than {schema['maximum']}"
    if isinstance(value, list):
        for k, one in enumerate(value):
            yield from _errors(one, schema.get("items", {}), f"{place}[{k}]")
    if isinstance(value, dict):
        yield from _errors_of_members(value, schema, place)


def _errors_of_members(value, schema, place):
    known = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{_inside(place, name)}: is missing"
    for name, one in value.items():
        if name in known:
            yield from _errors(one, known[name], _inside(place, name))
        elif "additionalProperties" in schema:
            yield f"{_inside(place, name)}: is not wanted"


def _inside(place, name):
    return f"{place}.{name}" if place else name


def _is_a(value, kind):
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "null": value is None,
        "number": is_number,
        "integer": is_number and value == value // 1,
    }[kind]
