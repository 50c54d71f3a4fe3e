"""Rows in, tensors out: validation made from a model's signature, by name of row and field.

Values outside the range seen in training are answered with a warning, not refused: the range is
what the model knows, not what the world allows. Knows no HTTP.
"""

import difflib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import numpy as np
from common.errors import FieldError
from common.service.problems import MAX_FIELD_NAME, field_error
from numpy.typing import NDArray
from pydantic import (
    AllowInfNan,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    Strict,
    TypeAdapter,
    ValidationError,
    create_model,
)

from p1_prediction_api.contracts import MISSING, Feature, Signature
from p1_prediction_api.encoding import LARGEST_NUMBER, days_of, iso_of
from p1_prediction_api.errors import RowError, TooManyRowsError
from p1_prediction_api.missing import MissingSpelled

Tensor = NDArray[Any]
MAX_ERRORS = 20
MAX_LISTED = 50
MAX_SPELLED = 5
Number = Annotated[
    float, Strict(), AllowInfNan(False), Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)
]
Label = Annotated[str, Strict(), Field(max_length=1000)]


def _is_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - pydantic tells of this kind only
            "accepted: an ISO 8601 date such as 2026-03-01, or date and time"
        )
    return value


Moment = Annotated[datetime, BeforeValidator(_is_text)]
KINDS = {"number": Number, "category": Label, "date": Moment}


class RowReader:
    """Validates rows against a signature and lays them out as the model's input tensors."""

    def __init__(self, signature: Signature, *, max_rows: int) -> None:
        self.signature = signature
        self.row_model = row_model(signature)
        self._rows = TypeAdapter(list[self.row_model])  # type: ignore[name-defined] - made above
        self._max_rows = max_rows
        self.missing = MissingSpelled(signature)
        self._known = {f.name: frozenset(f.categories) for f in signature.features}

    def read(self, rows: object) -> dict[str, Tensor]:
        """Return one tensor a feature, shape (n_rows, 1); raises `RowError`, `TooManyRowsError`."""
        if not isinstance(rows, list):
            message = "is missing" if rows is None else "is not a list"
            raise RowError([FieldError(field="rows", message=message, accepted="a list of rows")])
        if not rows:
            raise RowError([FieldError(field="rows", message="is empty", accepted="a row or more")])
        if len(rows) > self._max_rows:
            raise TooManyRowsError(len(rows), self._max_rows)
        try:
            valid = self._rows.validate_python(rows)
        except ValidationError as error:
            raise self._row_error(error) from None
        values = [row.__dict__ for row in valid]
        features = enumerate(self.signature.features)
        tensors = {f.name: _tensor(f, [row[f"f{k}"] for row in values]) for k, f in features}
        return self.missing.taken_out(tensors)

    def warnings(self, tensors: dict[str, Tensor]) -> list[list[str]]:
        """Say for each row which values are unlike anything seen in training."""
        n_rows = len(next(iter(tensors.values())))
        found: list[list[str]] = [[] for _ in range(n_rows)]
        for feature in self.signature.features:
            column = tensors[feature.name].reshape(-1)
            for row in self._strange(feature, column):
                found[int(row)].append(_describe(feature, column[row]))
        return found

    def _strange(self, feature: Feature, column: Tensor) -> Sequence[int]:
        if feature.kind != "category":
            low, high = np.float32(feature.low or 0.0), np.float32(feature.high or 0.0)
            return [int(k) for k in np.flatnonzero((column < low) | (column > high))]
        known = self._known[feature.name]
        return [k for k, value in enumerate(column) if value != MISSING and value not in known]

    def _row_error(self, error: ValidationError) -> RowError:
        items = error.errors(include_url=False, include_input=False)
        fields = []
        for item in items[:MAX_ERRORS]:
            told = field_error({**item, "loc": ("rows", *item["loc"])})
            if item["type"] == "extra_forbidden":
                told = self._with_nearest(told, str(item["loc"][-1])[:MAX_FIELD_NAME])
            fields.append(told)
        return RowError(fields, n_more=max(0, len(items) - MAX_ERRORS))

    def _with_nearest(self, told: FieldError, name: str) -> FieldError:
        near = difflib.get_close_matches(name, list(self._known), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        accepted = "the fields that GET /v1/model names"
        return told.model_copy(update={"message": told.message + hint, "accepted": accepted})


def row_model(signature: Signature) -> type[BaseModel]:
    """Make the pydantic model of one row: real field names, ranges and an example as its docs."""
    fields: dict[str, Any] = {}
    for k, feature in enumerate(signature.features):
        kind: Any = KINDS[feature.kind]
        if feature.may_be_missing:
            kind = kind | None
        default = None if feature.may_be_missing else ...
        described = Field(
            default,
            alias=feature.name,
            description=_doc(feature),
            json_schema_extra=_extra(feature),
        )
        fields[f"f{k}"] = (kind, described)
    example: dict[str, JsonValue] = {f.name: f.example for f in signature.features}
    config = ConfigDict(extra="forbid", json_schema_extra={"example": example})
    made: type[BaseModel] = create_model("Row", __config__=config, **fields)
    return made


def _extra(feature: Feature) -> dict[str, JsonValue]:
    extra: dict[str, JsonValue] = {"title": feature.name, "examples": [feature.example]}
    if feature.unit:
        extra["unit"] = feature.unit
    if feature.kind == "category" and len(feature.categories) <= MAX_LISTED:
        extra["x-known"] = list(feature.categories)
    return extra


def _doc(feature: Feature) -> str:
    unit = f" {feature.unit}" if feature.unit else ""
    spelled = "".join(f" or {one!r}" for one in feature.missing_spellings[:MAX_SPELLED])
    missing = f"; null{spelled} when missing" if feature.may_be_missing else ""
    if feature.kind != "category":
        return f"Seen in training: {_range(feature)}{unit}{missing}."
    return f"Seen in training: {', '.join(feature.categories[:30])}{missing}."


def _range(feature: Feature) -> str:
    low, high = feature.low or 0.0, feature.high or 0.0
    if feature.kind == "date":
        return f"{iso_of(low)} to {iso_of(high)}"
    return f"{low:g} to {high:g}"


def _tensor(feature: Feature, values: list[Any]) -> Tensor:
    if feature.kind == "date":
        values = [None if value is None else days_of(value) for value in values]
    if feature.kind != "category":
        numbers = [np.nan if value is None else value for value in values]
        with np.errstate(over="ignore"):
            return np.array(numbers, dtype=np.float64).astype(np.float32).reshape(-1, 1)
    labels = [MISSING if value is None else value for value in values]
    return np.array(labels, dtype=object).reshape(-1, 1)


def _describe(feature: Feature, value: object) -> str:
    if feature.kind == "date":
        value = iso_of(float(value))  # type: ignore[arg-type] - the tensor of a date holds days
        return f"{feature.name} = {value} is outside what training saw ({_range(feature)})"
    if feature.kind == "number":
        unit = f" {feature.unit}" if feature.unit else ""
        return f"{feature.name} = {value:g} is outside what training saw ({_range(feature)}{unit})"
    return f"{feature.name} = {value!r} was not seen in training"
