"""From a row's values to the columns that a model's weights and trees speak of; NumPy alone.

The same steps stand in scikit-learn's pipeline (`candidates.py`) and in the ONNX graph
(`export.py`); the parity proof holds the three together. Dates are days since 1970-01-01 (UTC) as
float32: exact to about three minutes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[Any]
COLUMNS = "columns"
"""The one input of the graph that takes encoded rows."""
TREE_SCORES = "tree_scores"
"""The input of the graph that takes what the trees add up to."""
LARGEST_NUMBER = 1e30
"""Beyond it sums of float32 overflow, and a model would answer with no number at all."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DATE_PARTS = ("days", "weekday", "hour", "season")
DAYS_A_WEEK = np.float32(7)
DAYS_A_YEAR = np.float32(365.2425)
THURSDAY = np.float32(3)
"""1970-01-01, when Monday is 0."""
HOURS = np.float32(24)


def output_name(wanted: str, features: Collection[str]) -> str:
    """Return the name of a graph's output: `wanted`, unless a feature is called that."""
    while wanted in features:
        wanted += "_"
    return wanted


def days_of(moment: datetime) -> float:
    """Return days since 1970; a moment without a zone is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) / timedelta(days=1)


def iso_of(days: float) -> str:
    """Spell days since 1970 in ISO 8601: a date, with the time when it is not midnight."""
    moment = EPOCH + timedelta(days=days)
    if moment.time() == time.min:
        return moment.date().isoformat()
    return moment.replace(tzinfo=None).isoformat(timespec="minutes")


def date_parts(days: Tensor) -> NDArray[np.float32]:
    """Return days since 1970, weekday from Monday (0), hour and day of the year: shape (n, 4)."""
    days = np.asarray(days, dtype=np.float32).reshape(-1, 1)
    with np.errstate(invalid="ignore"):  # an infinite day has no weekday
        whole = np.floor(days)
        from_monday = whole + THURSDAY
        weekday = from_monday - np.floor(from_monday / DAYS_A_WEEK) * DAYS_A_WEEK
        season = days - np.floor(days / DAYS_A_YEAR) * DAYS_A_YEAR
        return np.concatenate([days, weekday, (days - whole) * HOURS, season], axis=1)


def recurring_parts(days: Tensor, *, has_season: bool) -> NDArray[np.float32]:
    """Return the parts of a date that come back, the others as 0; the season where it did."""
    parts = date_parts(days)
    parts[:, DATE_PARTS.index("days")] = 0
    if not has_season:
        parts[:, DATE_PARTS.index("season")] = 0
    return parts


@dataclass(frozen=True)
class Encoder:
    """Which columns a row becomes: numbers, then the parts of dates, then one column a level."""

    numbers: tuple[str, ...]
    dates: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]

    @property
    def features(self) -> tuple[str, ...]:
        """Name the features in the order of their columns."""
        return (*self.numbers, *self.dates, *self.levels)

    def owners(self) -> NDArray[np.int32]:
        """Return for each column the position in `features` of the feature it belongs to."""
        n_numbers, n_dates = len(self.numbers), len(self.dates)
        owners = list(range(n_numbers))
        owners += [n_numbers + k for k in range(n_dates) for _ in DATE_PARTS]
        for k, known in enumerate(self.levels.values()):
            owners += [n_numbers + n_dates + k] * len(known)
        return np.array(owners, dtype=np.int32)

    def encode(self, tensors: Mapping[str, Tensor]) -> NDArray[np.float32]:
        """Return the columns of rows given as one tensor a feature: shape (n, n_columns)."""
        n_rows = len(next(iter(tensors.values())))
        parts: list[Tensor] = [
            np.asarray(tensors[name], np.float32).reshape(-1, 1) for name in self.numbers
        ]
        parts += [date_parts(tensors[name]) for name in self.dates]
        for name, known in self.levels.items():
            parts.append(tensors[name].reshape(-1, 1) == np.array([known], dtype=object))
        empty = np.zeros((n_rows, 0), np.float32)
        return np.concatenate([empty, *parts], axis=1).astype(np.float32, copy=False)

    def codes(self, columns: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return which column of each label's is 1 in encoded rows; -1 for none: (n_labels, n)."""
        first = len(self.numbers) + len(DATE_PARTS) * len(self.dates)
        found = np.full((len(self.levels), len(columns)), -1, np.int64)
        for k, known in enumerate(self.levels.values()):
            row, place = np.nonzero(columns[:, first : first + len(known)])
            found[k, row] = first + place
            first += len(known)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; `from_dict` takes them back."""
        levels = [[name, list(known)] for name, known in self.levels.items()]
        return {"numbers": list(self.numbers), "dates": list(self.dates), "levels": levels}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> "Encoder":
        """Read what `to_dict` made."""
        levels = {name: tuple(known) for name, known in found["levels"]}
        return cls(tuple(found["numbers"]), tuple(found["dates"]), levels)
