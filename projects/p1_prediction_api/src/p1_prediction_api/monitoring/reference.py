"""What training looked like, as far as watching needs it: published with the model.

A few kilobytes of JSON: bins with their counts, the answers on rows never learned from, and what a
row usually looks like. Read by the service, written by `learning.py`. NumPy alone.
"""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from p1_prediction_api.encoding import Encoder
from p1_prediction_api.errors import ModelContentError
from p1_prediction_api.monitoring.change import Integers
from p1_prediction_api.monitoring.strangeness import Strangeness

MONITORING_FILE = "monitoring.json"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class FeatureReference(_Value):
    """One input in the training part: `counts` by bin, of the rows that have a value."""

    name: str
    kind: Literal["number", "category", "date"]
    edges: tuple[float, ...] = Field(
        default=(), description="Upper edges of all bins but the last; of dates, days since 1970."
    )
    labels: tuple[str, ...] = Field(
        default=(), description="The commonest labels; one more bin holds the other known ones."
    )
    counts: tuple[int, ...]
    low: float | None = None
    high: float | None = None
    n_missing: int
    n_unseen: int = Field(
        description="Of the held-out rows, those out of range or of labels training never saw."
    )


class PredictionReference(_Value):
    """The answers on held-out rows, which the model never learned from."""

    of: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    classes: tuple[str, ...] = ()
    class_counts: tuple[int, ...] = Field(default=(), description="How often each was said.")


class Reference(_Value):
    """What is expected of new rows and of their answers."""

    n_train: int
    n_held_out: int
    features: tuple[FeatureReference, ...] = Field(description="In the order of the encoder's.")
    prediction: PredictionReference
    strangeness: Strangeness

    @cached_property
    def digest(self) -> str:
        """Name this reference: counts of another one do not add up with its own."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    @cached_property
    def layout(self) -> "Layout":
        """Where in one vector of counts each count stands."""
        return Layout(self)


class Layout:
    """One vector of counts: of each feature its bins, missing, unseen; answers by bin; classes."""

    def __init__(self, reference: Reference) -> None:
        self._starts: list[int] = []
        start = 0
        self._n_bins = [len(feature.counts) for feature in reference.features]
        for n_bins in self._n_bins:
            self._starts.append(start)
            start += n_bins + 2
        self._prediction = slice(start, start + len(reference.prediction.counts))
        start = self._prediction.stop
        self._classes = slice(start, start + len(reference.prediction.class_counts))
        self.size = self._classes.stop

    def bins(self, cells: Integers, k: int) -> Integers:
        """Return the view of feature `k`'s bins."""
        return cells[self._starts[k] : self._starts[k] + self._n_bins[k]]

    def missing(self, k: int) -> int:
        """Return where feature `k`'s missing values are counted."""
        return self._starts[k] + self._n_bins[k]

    def unseen(self, k: int) -> int:
        """Return where values unlike training are counted: labels, or numbers (in a bin too)."""
        return self._starts[k] + self._n_bins[k] + 1

    def prediction(self, cells: Integers) -> Integers:
        """Return the view of the answers' bins."""
        return cells[self._prediction]

    def classes(self, cells: Integers) -> Integers:
        """Return the view of how often each class was said."""
        return cells[self._classes]


def read_reference(folder: Path, encoder: Encoder) -> Reference | None:
    """Read a version's reference; None when it was published without, `ModelContentError` else."""
    path = folder / MONITORING_FILE
    try:
        found = Reference.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise ModelContentError(f"{MONITORING_FILE} cannot be read: {reason}") from error
    if tuple(feature.name for feature in found.features) != encoder.features:
        raise ModelContentError(f"{MONITORING_FILE} is of another model: its features differ")
    return found


def bin_of(edges: tuple[float, ...], values: np.ndarray) -> Integers:
    """Return the bin of each value: bin k reaches up to and including edge k."""
    return np.searchsorted(np.asarray(edges, dtype=np.float64), values, side="left")
