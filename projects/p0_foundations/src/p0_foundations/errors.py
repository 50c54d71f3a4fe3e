"""What the lab refuses, named for what went wrong."""

import difflib
from collections.abc import Iterable

from common.errors import DomainError, FieldError


class FoundationsError(DomainError):
    """Base of the lab's own errors."""


class TableError(FoundationsError):
    """A file is not a table that can be read; the message names the file and the reason."""


class SchemaError(FoundationsError):
    """A schema file says what is not understood; the message names it and what is accepted."""


class TableTooLargeError(TableError):
    """A table has more bytes, rows or columns than is accepted."""


class UnknownColumnError(FoundationsError):
    """The table has no such column."""

    def __init__(self, column: str, known: Iterable[str]) -> None:
        self.column = column
        self.known = tuple(known)
        super().__init__(f"the table has no column {column!r}{nearest(column, self.known)}")


class ProfileFormatError(FoundationsError):
    """A stored profile cannot be read; the message names the first field that is wrong."""


class BusyError(FoundationsError):
    """All workers are taken and the line behind them is full; try again a little later."""


class TooManyTrainingsError(FoundationsError):
    """As many trainings are watched as the service runs at once; one must end first."""


class ShapeError(FoundationsError):
    """Arrays do not fit together; the message names the operation and both shapes."""


class GradientError(FoundationsError):
    """There is no gradient of what was asked; the message says why."""


class FormulaError(FoundationsError):
    """A typed-in formula cannot be read; `column` is where, from 1."""

    def __init__(self, message: str, *, text: str, column: int) -> None:
        self.text = text
        self.column = column
        said, _, accepted = message.partition("; accepted: ")
        where = f"column {column}: {said}"
        self.fields = (FieldError(field="formula", message=where, accepted=accepted),)
        super().__init__(f"column {column}: {message}")


class OptimisationError(FoundationsError):
    """A search cannot begin: an optimiser's setting, the start or the number of steps."""


class NumbersError(FoundationsError):
    """Numbers that a method is not defined for; the message says which and what is accepted."""


class ImagesError(FoundationsError):
    """Pictures that are not there or cannot be read; the message says where it looked."""


class NetworkError(FoundationsError):
    """A network that cannot be built or trained as asked, or whose training diverged."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the known name that is spelled most like this one."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f"; did you mean {near[0]!r}?" if near else ""
