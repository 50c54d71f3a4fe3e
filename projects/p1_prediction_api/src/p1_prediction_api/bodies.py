"""Request bodies as JSON objects of known members; what is wrong with one is named."""

from collections.abc import Set

from common.errors import FieldError
from common.service.problems import MALFORMED, RefusedError
from pydantic import JsonValue
from pydantic_core import from_json

from p1_prediction_api.errors import RowError


def parse_body(content: bytes, known: Set[str]) -> dict[str, JsonValue]:
    """Read an object whose members are among `known`; raises `RefusedError` or `RowError`."""
    try:
        body: JsonValue = from_json(content)
    except ValueError as error:
        raise RefusedError(MALFORMED, f"The body is not valid JSON: {error}.") from error
    if not isinstance(body, dict):
        field = FieldError(field="body", message="is not an object", accepted='{"rows": [...]}')
        raise RowError([field])
    if unknown := sorted(set(body) - known):
        accepted = ", ".join(sorted(known))
        raise RowError(
            [
                FieldError(field=name, message="is unknown", accepted=accepted)
                for name in unknown[:5]
            ]
        )
    return body
