"""A model that answers as it is told: well, wrapped, wrongly, and not at all."""

import json

ORDER = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "n": {"type": "integer", "minimum": 1, "maximum": 9},
        "kind": {"enum": ["day", "week"]},
        "items": {"type": "array", "items": {"type": "object", "required": ["price"],
                  "properties": {"price": {"type": "number"}}}},
    },
    "required": ["city", "n"],
    "additionalProperties": False,
}  # fmt: skip
GOOD = {"city": "Oslo {north}", "n": 3}


def said(*answers):
    asked = []

    def model(messages):
        asked.append([(one["role"], one["content"]) for one in messages])
        assert len(asked) <= len(answers), f"the model was asked {len(asked)} times"
        return answers[len(asked) - 1]

    return model, asked


def takes(module, name, answer, wanted=None):
    model, asked = said(answer)
    got = module.ask(model, ORDER, "Where?")
    assert got == (GOOD if wanted is None else wanted), f"{name}: {got}"
    roles = [role for role, _ in asked[0]]
    assert roles == ["system", "user"], f"{name}: the first messages are {roles}"
    assert json.dumps(ORDER) in asked[0][0][1], "the system message does not hold the schema"
    assert asked[0][1][1] == "Where?", "the question was changed"


def repaired(module, name, bad, *places):
    text = bad if isinstance(bad, str) else json.dumps(bad)
    model, asked = said(text, json.dumps(GOOD))
    assert module.ask(model, ORDER, "Where?") == GOOD, f"{name}: not repaired"
    assert len(asked) == 2, f"{name}: was taken, or filled in"
    assert asked[1][:2] == asked[0], f"{name}: the repair forgot the question or the schema"
    assert asked[1][2] == ("assistant", text), f"{name}: the repair does not show the answer"
    role, complaint = asked[1][3]
    assert role == "user", f"{name}: the complaint comes from {role}"
    missing = [place for place in places if place not in complaint]
    assert not missing, f"{name}: the complaint does not name {missing}: {complaint!r}"


def gives_up(module, repairs):
    bad = '{"city": 1}'
    model, asked = said(*[bad] * (repairs + 1))
    raised = None
    try:
        module.ask(model, ORDER, "Where?", repairs=repairs)
    except module.AnswerError as error:
        raised = error
    assert raised is not None, f"{bad} was taken after {repairs} repairs"
    assert len(asked) == repairs + 1, f"{repairs} repairs: asked {len(asked)} times"
    assert raised.answer == bad, "AnswerError.answer is the last answer"
    assert len(raised.errors) == 2, f"two things are wrong, errors has {raised.errors}"


def check(module):
    plain = json.dumps(GOOD)
    takes(module, "plain", plain)
    takes(module, "in a fence", f"```json\n{plain}\n```")
    takes(module, "after words", f"Sure {{here}} it is: {plain} {{}} Anything else?")
    takes(module, "3.0 for 3", plain.replace("3}", "3.0}"))
    repaired(module, "nothing", "I cannot do that.", "JSON")
    repaired(module, "stopped in the middle", plain[:-4], "JSON")
    repaired(module, "a missing field", {"city": "Oslo"}, "n")
    repaired(module, "a text for a number", {"city": "Oslo", "n": "3"}, "n")
    repaired(module, "true for a number", {"city": "Oslo", "n": True}, "n")
    repaired(module, "too many", {"city": "Oslo", "n": 10}, "n", "9")
    repaired(module, "two errors", {"kind": "year", "n": 0, "city": ""}, "kind", "n")
    repaired(module, "a stranger", {**GOOD, "colour": 1}, "colour")
    items = [{"price": 1}, {"price": 2.5}, {"price": "x"}, {}]
    repaired(module, "deep", {**GOOD, "items": items}, "items[2].price", "items[3].price")
    for repairs in (0, 1, 3):
        gives_up(module, repairs)
    model, asked = said("{}")
    try:
        module.ask(model, {"type": "object", "properties": {"a": {"pattern": "x"}}}, "?")
    except ValueError:
        assert not asked, "the model was asked with a schema that is not understood"
        return
    raise AssertionError("`pattern` was taken and not held")
