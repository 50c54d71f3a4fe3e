"""The API's documentation follows the model: real field names, ranges and an example.

FastAPI documents a route once; this one's body changes with each swap. The document is made anew
when the version that answers is another one.
"""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from p1_prediction_api.live import LiveModel

Document = dict[str, Any]


def follow_the_model(app: FastAPI, live: LiveModel) -> None:
    """Document `/v1/predict` and `/v1/explain` as the model that answers now is."""
    document_once: Callable[[], Document] = app.openapi

    def forget() -> None:
        app.openapi_schema = None

    def document() -> Document:
        if app.openapi_schema is None:
            _describe(document_once(), live)
        made: Document = app.openapi_schema or {}
        return made

    live.on_swap.append(forget)
    app.openapi = document  # type: ignore[method-assign] - FastAPI's documented way to extend it


def _describe(made: Document, live: LiveModel) -> None:
    row: Document = {"type": "object", "description": "No model is loaded yet."}
    example: Document = {"rows": [{}]}
    if live.is_ready():
        row = live.current.reader.row_model.model_json_schema(by_alias=True)
        example = {"rows": [row["example"]]}
    made.setdefault("components", {}).setdefault("schemas", {})["Row"] = row
    nothing: Document = {}
    for path, extra in (("/v1/predict", nothing), ("/v1/explain", {"of": _OF})):
        made["paths"][path]["post"]["requestBody"] = _body(extra, example)


def _body(extra: Document, example: Document) -> Document:
    rows = {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Row"}}
    schema = {
        "type": "object",
        "required": ["rows"],
        "additionalProperties": False,
        "properties": {"rows": rows, **extra},
    }
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


_OF: Document = {
    "type": ["string", "null"],
    "description": "The class whose score is explained; by default the positive or predicted one.",
}
