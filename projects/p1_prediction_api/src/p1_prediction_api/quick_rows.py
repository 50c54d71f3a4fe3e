"""JSON bytes to rows to columns, for the quick path.

One compiled decoder reads and checks a body; rows are packed at once into the bytes of float32 and
of column numbers, so that the rows of many requests become one matrix without a loop over values.
It accepts exactly what `rows.py` accepts: what it cannot read is read again there, which names what
is wrong. Read next: `quick.py`.
"""

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from p1_prediction_api.contracts import MISSING, Feature, Signature
from p1_prediction_api.encoding import (
    DATE_PARTS,
    LARGEST_NUMBER,
    Encoder,
    date_parts,
    days_of,
)
from p1_prediction_api.missing import missing_labels, missing_numbers

Matrix = NDArray[np.float32]
Codes = NDArray[np.int64]
Tensor = NDArray[Any]
Row = tuple[Any, ...]
"""A row's values in the order of the encoder's features; None is missing."""
UNKNOWN = -1
MAX_LABEL = 1000
NAN = float("nan")
_DATE = SchemaValidator(core_schema.datetime_schema())
_UNPLAIN_NAME = re.compile(r'["\\\x00-\x1f]').search


@dataclass(slots=True)  # a frozen one takes four times as long to make
class QuickRows:
    """Rows of one request, packed."""

    n_rows: int
    numbers: bytes
    """Row by row the numbers and then the dates (days since 1970) as float32; NaN is missing."""
    labels: list[bytes]
    """A label each: the column number of every row as int64, `UNKNOWN` for a level never seen."""
    has_strangers: bool
    """Whether a label is unknown."""
    wants_text: bool = True

    def __len__(self) -> int:
        return self.n_rows


class QuickReader:
    """Reads bodies of `{"rows": [...]}`, and tensors, for one model."""

    def __init__(self, signature: Signature, encoder: Encoder, *, max_rows: int) -> None:
        self._encoder = encoder
        n_numbers = len(encoder.numbers)
        self._n_first = n_numbers + len(encoder.dates)
        self._dates = range(n_numbers, self._n_first)
        by_name = {feature.name: feature for feature in signature.features}
        features = [by_name[name] for name in encoder.features]
        self._decode = row_decoder(features, max_rows)
        firsts = features[: self._n_first]
        self._is_plain = not self._dates and not any(one.may_be_missing for one in firsts)
        self._pack = struct.Struct(f"{self._n_first}f").pack
        self._n_columns = len(encoder.owners())
        self._codes = _codes(encoder, by_name)
        told = enumerate(missing_numbers(by_name[name]) for name in encoder.numbers)
        self._told_missing = [(k, numbers) for k, numbers in told if len(numbers)]
        self._low = np.array([feature.low for feature in firsts], np.float32)
        self._high = np.array([feature.high for feature in firsts], np.float32)

    def read(self, body: bytes) -> QuickRows | None:
        """Return the rows, or None for a body that `rows.py` has to look at."""
        n = self._n_first
        try:
            rows = self._decode(body)
            if self._is_plain:
                numbers = b"".join([self._pack(*row[:n]) for row in rows])
            else:
                numbers = b"".join([self._pack(*self._filled(row[:n])) for row in rows])
        except ValueError:
            return None
        if not self._codes:
            return QuickRows(len(rows), numbers, [], has_strangers=False)
        return self._with_labels(
            len(rows), numbers, list(zip(*[row[n:] for row in rows], strict=True))
        )

    def pack(self, tensors: Mapping[str, Tensor]) -> QuickRows:
        """Take rows given as one tensor a feature, of shape (n, 1)."""
        encoder = self._encoder
        n_rows = len(next(iter(tensors.values())))
        firsts = [tensors[name] for name in (*encoder.numbers, *encoder.dates)]
        numbers = np.concatenate(firsts, axis=1).astype(np.float32).tobytes() if firsts else b""
        columns = [tensors[name].reshape(-1).tolist() for name in encoder.levels]
        rows = self._with_labels(n_rows, numbers, columns)
        rows.wants_text = False
        return rows

    def _filled(self, values: Row) -> list[float]:
        """Say missing numbers and dates as NaN, and the others' days."""
        found = [NAN if value is None else value for value in values]
        for k in self._dates:
            if values[k] is not None:
                found[k] = days_of(_DATE.validate_python(values[k]))
        return found

    def _with_labels(
        self, n_rows: int, numbers: bytes, columns: Sequence[Sequence[str | None]]
    ) -> QuickRows:
        try:
            labels = [
                b"".join(map(codes.__getitem__, column))
                for codes, column in zip(self._codes, columns, strict=True)
            ]
        except KeyError:
            unknown = _packed(UNKNOWN)
            labels = [
                b"".join([codes.get(value, unknown) for value in column])
                for codes, column in zip(self._codes, columns, strict=True)
            ]
            return QuickRows(n_rows, numbers, labels, has_strangers=True)
        return QuickRows(n_rows, numbers, labels, has_strangers=False)

    def columns(self, items: Sequence[QuickRows]) -> "Columns":
        """Lay out the rows of several requests as one matrix of encoded columns."""
        n_rows = sum([item.n_rows for item in items])
        n_numbers, n_first = len(self._encoder.numbers), self._n_first
        packed = b"".join([item.numbers for item in items])
        firsts = np.frombuffer(packed, np.float32).reshape(n_rows, n_first)
        if self._told_missing:
            firsts = self._without_told(firsts)
        matrix = np.zeros((n_rows, self._n_columns), np.float32)
        matrix[:, :n_numbers] = firsts[:, :n_numbers]
        for k in self._dates:
            start = n_numbers + (k - n_numbers) * len(DATE_PARTS)
            matrix[:, start : start + len(DATE_PARTS)] = date_parts(firsts[:, k])
        n_labels = len(self._codes)
        packed = b"".join([item.labels[k] for k in range(n_labels) for item in items])
        codes = np.frombuffer(packed, np.int64).reshape(n_labels, n_rows)
        places = codes + np.arange(0, matrix.size, self._n_columns)
        has_strangers = any(item.has_strangers for item in items)
        matrix.put(places[codes != UNKNOWN] if has_strangers else places, 1)
        return Columns(matrix, codes, self._strange(firsts, codes, has_strangers=has_strangers))

    def _without_told(self, firsts: Matrix) -> Matrix:
        """Return the numbers and dates, those that mean missing as NaN."""
        found = firsts.copy()
        for k, numbers in self._told_missing:
            found[np.isin(found[:, k], numbers), k] = NAN
        return found

    def _strange(
        self, firsts: Matrix, codes: Codes, *, has_strangers: bool
    ) -> NDArray[np.bool_] | None:
        """Say of each row whether it has a value unlike training; None when none has."""
        is_outside = (firsts < self._low) | (firsts > self._high)
        if not has_strangers and not np.count_nonzero(is_outside):
            return None
        return np.asarray(is_outside.any(axis=1) | (codes == UNKNOWN).any(axis=0))


@dataclass(slots=True)
class Columns:
    """Encoded rows."""

    matrix: Matrix
    codes: Codes
    """Which column of each label's is 1, shape (n_labels, n); `UNKNOWN` for none."""
    is_strange: NDArray[np.bool_] | None
    """Of each row, whether it has a value unlike training; None when no row has."""


def _codes(encoder: Encoder, by_name: Mapping[str, Feature]) -> list[dict[str | None, bytes]]:
    """Return of each label the column number of every level, packed."""
    offset = len(encoder.numbers) + len(DATE_PARTS) * len(encoder.dates)
    found: list[dict[str | None, bytes]] = []
    for name, known in encoder.levels.items():
        codes: dict[str | None, bytes] = {
            level: _packed(offset + k) for k, level in enumerate(known)
        }
        if MISSING in codes:
            codes[None] = codes[MISSING]
            for spelled in missing_labels(by_name[name]):
                codes.setdefault(spelled, codes[MISSING])
        found.append(codes)
        offset += len(known)
    return found


def _packed(code: int) -> bytes:
    return struct.pack("q", code)


# ------------------------------------------------------------------------------------- decoders
def row_decoder(features: Sequence[Feature], max_rows: int) -> Callable[[bytes], list[Row]]:
    """Return what reads and checks a body; it raises a `ValueError` for any other."""
    if any(_UNPLAIN_NAME(feature.name) for feature in features):
        return careful_decoder(features, max_rows)
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for k, feature in enumerate(features):
        kind: Any = Annotated[str, msgspec.Meta(max_length=MAX_LABEL)]
        if feature.kind == "number":
            kind = Annotated[float, msgspec.Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
        elif feature.kind == "date":
            kind = str
        fields.append((f"f{k}", kind | None, None) if feature.may_be_missing else (f"f{k}", kind))
    names = {f"f{k}": feature.name for k, feature in enumerate(features)}
    row = msgspec.defstruct(
        "Row", fields, rename=names, forbid_unknown_fields=True, gc=False, kw_only=True
    )
    rows = Annotated[list[row], msgspec.Meta(min_length=1, max_length=max_rows)]  # type: ignore[valid-type] - made above
    body = msgspec.defstruct("Body", [("rows", rows)], forbid_unknown_fields=True)
    decode, values = msgspec.json.Decoder(body).decode, msgspec.structs.astuple

    def rows_of(content: bytes) -> list[Row]:
        (found,) = values(decode(content))
        return list(map(values, found))

    return rows_of


def careful_decoder(features: Sequence[Feature], max_rows: int) -> Callable[[bytes], list[Row]]:
    """Do the same more slowly, whatever characters are in the names."""
    fields = {feature.name: _field(feature) for feature in features}
    row = core_schema.typed_dict_schema(fields, extra_behavior="forbid")
    rows = core_schema.list_schema(row, min_length=1, max_length=max_rows)
    whole = {"rows": core_schema.typed_dict_field(rows)}
    validator = SchemaValidator(core_schema.typed_dict_schema(whole, extra_behavior="forbid"))
    names = [feature.name for feature in features]
    return lambda content: [
        tuple([row[name] for name in names]) for row in validator.validate_json(content)["rows"]
    ]


def _field(feature: Feature) -> core_schema.TypedDictField:
    kind: CoreSchema
    if feature.kind == "number":
        kind = core_schema.float_schema(
            strict=True, allow_inf_nan=False, ge=-LARGEST_NUMBER, le=LARGEST_NUMBER
        )
    else:
        max_length = MAX_LABEL if feature.kind == "category" else None
        kind = core_schema.str_schema(strict=True, max_length=max_length)
    if feature.may_be_missing:
        kind = core_schema.with_default_schema(core_schema.nullable_schema(kind), default=None)
    return core_schema.typed_dict_field(kind, required=not feature.may_be_missing)
