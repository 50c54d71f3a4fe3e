"""What the prediction API refuses, named for what went wrong."""

import difflib
from collections.abc import Iterable, Sequence

from common.errors import DomainError, FieldError


class PredictionError(DomainError):
    """Base of what serving refuses."""


class NoReportError(PredictionError):
    """The version that answers was published without a diagnosis."""


class RowError(PredictionError):
    """Rows do not fit the model's signature; `fields` names row and field."""

    def __init__(self, fields: Sequence[FieldError], n_more: int = 0) -> None:
        self.fields = tuple(fields)
        named = "; ".join(f"{one.field}: {one.message}" for one in self.fields[:3])
        more = max(0, len(self.fields) - 3) + n_more
        super().__init__(f"{named}{f' and {more} more' if more > 0 else ''}")


class TruthError(RowError):
    """Truths do not fit the model or its predictions; `fields` names each. None was stored."""


class OtherTableError(PredictionError):
    """A version was trained on another table than the one that answers."""


class TooManyRowsError(PredictionError):
    """One request holds more rows than are accepted."""

    def __init__(self, n_rows: int, limit: int) -> None:
        self.n_rows, self.limit = n_rows, limit
        super().__init__(
            f"{n_rows:,} rows in one request; at most {limit:,} are accepted (MAX_ROWS)"
        )


class ModelContentError(PredictionError):
    """A published version does not hold what this service serves."""


class TrainingError(DomainError):
    """Base of what training refuses."""


class UnknownTargetError(TrainingError):
    """The table has no such column."""

    def __init__(self, column: str, known: Iterable[str]) -> None:
        self.column = column
        near = difflib.get_close_matches(column, list(known), n=1, cutoff=0.0)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f"the table has no column {column!r}{hint}")


class UntrainableError(TrainingError):
    """The table cannot teach a model; the message says why and what would help."""


class ParityError(TrainingError):
    """The exported model does not give the trained model's answers; it is not published."""

    def __init__(self, row: int, trained: float, exported: float, tolerance: float) -> None:
        self.row, self.trained, self.exported = row, trained, exported
        super().__init__(
            f"the ONNX export differs from the trained model: row {row} gives {exported:.6g} "
            f"instead of {trained:.6g} (tolerance {tolerance:g}); it was not published"
        )
