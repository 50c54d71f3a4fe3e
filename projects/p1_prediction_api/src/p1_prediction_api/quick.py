"""The quick path of a prediction: JSON bytes to rows to columns to JSON text.

One compiled validator reads a body, the rows of many requests become one matrix, and answers are
put together from parts that were encoded when the model was loaded. It accepts exactly what
`rows.py` accepts: what it cannot read is read again there, which names what is wrong; so are rows
unlike training, which are answered with a warning. Knows no HTTP and no batcher.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from operator import itemgetter
from typing import Any

import numpy as np
from common.serving import OnnxModel
from numpy.typing import NDArray
from pydantic_core import CoreSchema, SchemaValidator, ValidationError, core_schema, to_json

from p1_prediction_api.conformal import intervals, prediction_sets
from p1_prediction_api.contracts import MISSING, Feature, ModelCard, Signature
from p1_prediction_api.encoding import (
    COLUMNS,
    DATE_PARTS,
    LARGEST_NUMBER,
    Encoder,
    date_parts,
    days_of,
)
from p1_prediction_api.missing import missing_labels, missing_numbers
from p1_prediction_api.monitoring.sightings import Sightings

Matrix = NDArray[np.float32]
UNKNOWN = -1
SEVEN_DIGITS = np.float64(1e7)
MAX_LABEL = 1000


@dataclass(slots=True)  # a frozen one takes four times as long to make
class QuickRows:
    """Rows of one request: numbers and dates as read, labels as column numbers."""

    numbers: list[tuple[Any, ...]]
    labels: list[list[int]]
    strange_labels: list[int]
    """Positions of the rows with a label that training did not see."""

    def __len__(self) -> int:
        return len(self.numbers)


class QuickReader:
    """Reads bodies of `{"rows": [...]}` for one model."""

    def __init__(self, signature: Signature, encoder: Encoder, *, max_rows: int) -> None:
        self._encoder = encoder
        self._dates = range(len(encoder.numbers), len(encoder.numbers) + len(encoder.dates))
        by_name = {feature.name: feature for feature in signature.features}
        self._validator = SchemaValidator(_body_schema(signature, max_rows))
        self._numbers = _picker([*encoder.numbers, *encoder.dates])
        self._labels = _picker(list(encoder.levels))
        self._n_columns = len(encoder.owners())
        offset = len(encoder.numbers) + len(DATE_PARTS) * len(encoder.dates)
        self._codes: list[dict[str | None, int]] = []
        for name, known in encoder.levels.items():
            codes: dict[str | None, int] = {level: offset + k for k, level in enumerate(known)}
            codes[None] = codes.get(MISSING, UNKNOWN)
            for spelled in missing_labels(by_name[name]):
                codes.setdefault(spelled, codes[None])
            self._codes.append(codes)
            offset += len(known)
        told = enumerate(missing_numbers(by_name[name]) for name in encoder.numbers)
        self._told_missing = [(k, numbers) for k, numbers in told if len(numbers)]
        limits = [by_name[name] for name in (*encoder.numbers, *encoder.dates)]
        self._low = np.array([feature.low for feature in limits], np.float32)
        self._high = np.array([feature.high for feature in limits], np.float32)

    def read(self, body: bytes) -> QuickRows | None:
        """Return the rows, or None for a body that `rows.py` has to look at."""
        try:
            rows = self._validator.validate_json(body)["rows"]
        except ValidationError:
            return None
        numbers = [self._numbers(row) for row in rows]
        if self._dates:
            numbers = [self._with_days(values) for values in numbers]
        strange: list[int] = []
        labels: list[list[int]] = []
        if self._codes:
            for k, row in enumerate(rows):
                values = self._labels(row)
                found = [
                    codes.get(value, UNKNOWN)
                    for codes, value in zip(self._codes, values, strict=True)
                ]
                if UNKNOWN in found:
                    strange.append(k)
                labels.append(found)
        return QuickRows(numbers, labels, strange)

    def _with_days(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        changed = list(values)
        for k in self._dates:
            changed[k] = None if changed[k] is None else days_of(changed[k])
        return tuple(changed)

    def columns(self, items: Sequence[QuickRows]) -> Matrix:
        """Lay out the rows of several requests as one matrix of encoded columns."""
        rows = [row for item in items for row in item.numbers]
        matrix = np.zeros((len(rows), self._n_columns), np.float32)
        n_numbers, n_dates = len(self._encoder.numbers), len(self._encoder.dates)
        if n_dates:
            values = np.array(rows, np.float32)  # None becomes NaN
            matrix[:, :n_numbers] = values[:, :n_numbers]
            for k in range(n_dates):
                start = n_numbers + k * len(DATE_PARTS)
                parts = date_parts(values[:, n_numbers + k])
                matrix[:, start : start + len(DATE_PARTS)] = parts
        elif n_numbers:
            matrix[:, :n_numbers] = rows  # None becomes NaN
        for k, numbers in self._told_missing:
            matrix[np.isin(matrix[:, k], numbers), k] = np.nan
        if self._codes:
            coded = [codes for item in items for codes in item.labels]
            width = self._n_columns
            ones = [
                k * width + code
                for k, codes in enumerate(coded)
                for code in codes
                if code != UNKNOWN
            ]
            matrix.put(ones, 1)
        return matrix

    def is_unlike_training(self, matrix: Matrix) -> list[bool]:
        """Say of each row whether a number or a date is outside what training saw."""
        n_numbers = len(self._encoder.numbers)
        days = n_numbers + np.arange(len(self._encoder.dates)) * len(DATE_PARTS)
        seen = matrix[:, :n_numbers]
        if len(days):
            seen = np.concatenate([seen, matrix[:, days]], axis=1)
        is_outside = (seen < self._low) | (seen > self._high)
        if not np.count_nonzero(is_outside):
            return [False] * len(matrix)
        by_row: list[bool] = np.asarray(is_outside.any(axis=1)).tolist()
        return by_row


def _picker(names: list[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    if names:
        only = names[0]
        return lambda row: (row[only],)
    return lambda _row: ()


def _body_schema(signature: Signature, max_rows: int) -> CoreSchema:
    fields = {feature.name: _field(feature) for feature in signature.features}
    row = core_schema.typed_dict_schema(fields, extra_behavior="forbid")
    rows = core_schema.list_schema(row, min_length=1, max_length=max_rows)
    whole = {"rows": core_schema.typed_dict_field(rows)}
    return core_schema.typed_dict_schema(whole, extra_behavior="forbid")


def _field(feature: Feature) -> core_schema.TypedDictField:
    kind: CoreSchema
    if feature.kind == "number":
        kind = core_schema.float_schema(
            strict=True, allow_inf_nan=False, ge=-LARGEST_NUMBER, le=LARGEST_NUMBER
        )
    elif feature.kind == "date":
        text = core_schema.str_schema(strict=True)
        kind = core_schema.chain_schema([text, core_schema.datetime_schema()])
    else:
        kind = core_schema.str_schema(strict=True, max_length=MAX_LABEL)
    if feature.may_be_missing:
        kind = core_schema.with_default_schema(core_schema.nullable_schema(kind), default=None)
    return core_schema.typed_dict_field(kind, required=not feature.may_be_missing)


class QuickWriter:
    """Puts answers together as JSON, as `contracts.Predictions` would be written."""

    def __init__(self, signature: Signature, card: ModelCard) -> None:
        self._signature = signature
        self._uncertainty = card.uncertainty
        self._names = [json.dumps(name, ensure_ascii=False) for name in signature.classes]
        self._threshold = float(np.float32(signature.threshold))  # as the graph compares
        self._row = _row_template(self._names)
        self._set = _set_text(self._names)
        self._positive = (
            signature.classes.index(signature.positive) if signature.positive else UNKNOWN
        )

    def said(self, answers: NDArray[Any]) -> list[int]:
        """Return the position of the class that is said of each row; empty for numbers."""
        if self._signature.task == "regression":
            return []
        if self._positive == UNKNOWN:
            return [int(k) for k in answers.argmax(axis=1)]
        positive, threshold = self._positive, self._threshold
        return [positive if p >= threshold else 1 - positive for p in answers[:, positive].tolist()]

    def write(
        self,
        answers: NDArray[Any],
        said: list[int],
        warnings: Sequence[Sequence[str]] | None = None,
    ) -> list[str]:
        """Return one JSON object a row, of probabilities (n, classes) or numbers (n,)."""
        told = ["[]"] * len(answers)
        if warnings is not None:
            told = [json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in warnings]
        if self._signature.task == "regression":
            return self._numbers(answers, told)
        return self._classes(answers, said, told)

    def _numbers(self, answers: NDArray[Any], told: list[str]) -> list[str]:
        between = ["null"] * len(answers)
        if self._uncertainty is not None:
            low, high = intervals(answers.astype(np.float64), self._uncertainty.bins)
            ends = zip(low.tolist(), high.tolist(), strict=True)
            between = [f"[{seven(a)},{seven(b)}]" for a, b in ends]
        return [
            f'{{"prediction":{seven(number)},"probabilities":null,"prediction_set":null,'
            f'"interval":{interval},"warnings":{warned}}}'
            for number, interval, warned in zip(answers.tolist(), between, told, strict=True)
        ]

    def _classes(self, answers: NDArray[Any], said: list[int], told: list[str]) -> list[str]:
        names = self._names
        sets: list[str] = ["null"] * len(answers)
        if self._uncertainty is not None and self._uncertainty.set_threshold is not None:
            held = prediction_sets(answers, self._uncertainty.set_threshold).tolist()
            sets = [self._set(tuple(row)) for row in held]
        # Exactly what `round(p, 7)` gives: a float32 times 1e7 is exact in a float64.
        shares = np.rint(answers * SEVEN_DIGITS) / SEVEN_DIGITS
        # One call spells the numbers of all rows: 0.04 µs each, where `repr` takes 0.25.
        spelled = to_json(shares.reshape(-1).tolist()).decode()[1:-1].split(",")
        rows = zip(*[iter(spelled)] * len(names), strict=True)
        return [
            self._row % (names[k], *row, plausible, warned)
            for k, row, plausible, warned in zip(said, rows, sets, told, strict=True)
        ]


def _row_template(names: Sequence[str]) -> str:
    """Return one row's answer, for its prediction, the shares of the classes, set and warnings."""
    shares = ",".join(f"{name.replace('%', '%%')}:%s" for name in names)
    return (
        f'{{"prediction":%s,"probabilities":{{{shares}}},'
        f'"prediction_set":%s,"interval":null,"warnings":%s}}'
    )


def _set_text(names: Sequence[str]) -> Callable[[tuple[bool, ...]], str]:
    """Return what spells a set of classes; the few sets that occur are spelled once."""

    @lru_cache(maxsize=256)
    def spelled(is_in: tuple[bool, ...]) -> str:
        return f"[{','.join(compress(names, is_in))}]"

    return spelled


@dataclass(slots=True)  # a frozen one takes four times as long to make
class QuickAnswer:
    """The answer to one request: some rows of a batch."""

    texts: list[str]
    rows: slice
    answers: NDArray[Any]
    """Of the whole batch."""
    said: list[int]
    """Position of the class that is said of each row; empty for numbers."""
    strange: list[int]
    """Positions of the rows with a value unlike training: `rows.py` says which."""

    @property
    def json(self) -> str:
        """The rows' answers, comma between."""
        return ",".join(self.texts)


class QuickModel:
    """A loaded model on the quick path."""

    def __init__(
        self,
        signature: Signature,
        card: ModelCard,
        encoder: Encoder,
        session: OnnxModel,
        *,
        max_rows: int,
    ) -> None:
        self._reader = QuickReader(signature, encoder, max_rows=max_rows)
        self._writer = QuickWriter(signature, card)
        self._session = session
        self.read = self._reader.read
        self.encoder = encoder
        self.sightings = Sightings()

    def with_warnings(self, answer: QuickAnswer, warnings: Sequence[Sequence[str]]) -> str:
        """Write the strange rows of an answer again, each with what is unlike training in it."""
        texts, k = list(answer.texts), answer.strange
        said = [answer.said[one] for one in k] if answer.said else []
        again = self._writer.write(answer.answers[answer.rows][k], said, warnings)
        for one, text in zip(k, again, strict=True):
            texts[one] = text
        return ",".join(texts)

    def run(self, items: Sequence[QuickRows]) -> list[QuickAnswer]:
        """Answer several requests at once."""
        columns = self._reader.columns(items)
        (answers,) = self._session.run_unchecked({COLUMNS: columns}).values()
        self.sightings.saw(columns, answers, len(items))
        said = self._writer.said(answers)
        texts = self._writer.write(answers, said)
        is_unlike = self._reader.is_unlike_training(columns)
        found: list[QuickAnswer] = []
        start = 0
        for item in items:
            rows = slice(start, start + len(item))
            start = rows.stop
            strange = item.strange_labels
            if True in is_unlike[rows]:
                unlike = [k for k, is_so in enumerate(is_unlike[rows]) if is_so]
                strange = sorted({*strange, *unlike})
            found.append(QuickAnswer(texts[rows], rows, answers, said[rows], strange))
        return found


def seven(number: float) -> float:
    """Round to the digits that a float32 holds."""
    return float(f"{number:.7g}")
