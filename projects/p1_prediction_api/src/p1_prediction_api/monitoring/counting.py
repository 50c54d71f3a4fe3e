"""Rows and answers become counts that add up: over batches, over time, over replicas.

One flat vector of counts a version, laid out by its reference. Knows no database and no clock.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from p1_prediction_api.contracts import MISSING, Signature
from p1_prediction_api.encoding import DATE_PARTS, Encoder
from p1_prediction_api.monitoring.change import Integers
from p1_prediction_api.monitoring.reference import FeatureReference, Reference, bin_of
from p1_prediction_api.monitoring.strangeness import Matrix

TOTALS = ("n_rows", "n_requests", "n_refused", "n_looked_at", "n_strange", "sum_of_answers")


def said_classes(signature: Signature, answers: NDArray[Any]) -> Integers:
    """Return the position of the class said of each row; empty for numbers."""
    if signature.task == "regression":
        return np.zeros(0, np.int64)
    if not signature.positive:
        return answers.argmax(axis=1)
    positive = signature.classes.index(signature.positive)
    is_said = answers[:, positive] >= np.float32(signature.threshold)
    return np.where(is_said, positive, 1 - positive)


def watched_number(signature: Signature, of: str, answers: NDArray[Any]) -> NDArray[Any]:
    """Return the number whose distribution is watched: the prediction, or the probability."""
    if signature.task == "regression":
        return answers.reshape(-1)
    return answers[:, signature.classes.index(of)]


@dataclass
class Counts:
    """What was seen; without a reference `cells` is empty.

    Of `n_rows` answered, `n_looked_at` were counted in `cells`: under a load that leaves no time to
    count every row, a random sample.
    """

    n_rows: int = 0
    n_requests: int = 0
    n_refused: int = 0
    n_looked_at: int = 0
    n_strange: int = 0
    sum_of_answers: float = 0.0
    cells: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, other: "Counts") -> None:
        """Add what was seen elsewhere, of the same reference."""
        for name in TOTALS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if len(other.cells):
            self.cells = self.cells + other.cells if len(self.cells) else other.cells

    @property
    def is_empty(self) -> bool:
        """Whether nothing was seen."""
        return not (self.n_requests or self.n_refused)

    def to_json(self, digest: str) -> str:
        """Write the counts, and whose they are."""
        stored = {name: getattr(self, name) for name in TOTALS}
        return json.dumps({**stored, "cells": self.cells.tolist(), "reference": digest})

    @classmethod
    def from_json(cls, text: str) -> tuple[str, Self]:
        """Read what `to_json` wrote: the digest of their reference, and the counts."""
        found = json.loads(text)
        digest, cells = found.pop("reference"), np.array(found.pop("cells"), dtype=np.int64)
        return digest, cls(cells=cells, **found)


class Counter:
    """Counts encoded rows and their answers against one version's reference."""

    def __init__(self, signature: Signature, encoder: Encoder, reference: Reference) -> None:
        self._signature = signature
        self._reference = reference
        self._layout = reference.layout
        n = len(encoder.numbers)
        self._columns = [*range(n), *(n + k * len(DATE_PARTS) for k in range(len(encoder.dates)))]
        start = n + len(DATE_PARTS) * len(encoder.dates)
        self._blocks: list[tuple[slice, Integers]] = []
        for feature, levels in zip(
            reference.features[len(self._columns) :], encoder.levels.values(), strict=True
        ):
            block = slice(start, start + len(levels))
            start = block.stop
            self._blocks.append((block, _bins_of_levels(feature, levels)))

    def count(self, rows: Matrix, answers: NDArray[Any]) -> Counts:
        """Count rows, and of each answer what is watched; the caller fills in the requests."""
        cells = np.zeros(self._layout.size, np.int64)
        for k, column in enumerate(self._columns):
            self._count_numbers(cells, k, rows[:, column])
        for k, (block, bins) in enumerate(self._blocks, len(self._columns)):
            self._count_labels(cells, k, rows[:, block], bins)
        expected = self._reference.prediction
        numbers = watched_number(self._signature, expected.of, answers)
        _tally(self._layout.prediction(cells), bin_of(expected.edges, numbers))
        _tally(self._layout.classes(cells), said_classes(self._signature, answers))
        return Counts(
            n_rows=len(rows),
            n_looked_at=len(rows),
            n_strange=int(self._reference.strangeness.is_strange(rows).sum()),
            sum_of_answers=float(np.nan_to_num(numbers, posinf=0, neginf=0).sum(dtype=np.float64)),
            cells=cells,
        )

    def _count_numbers(self, cells: Integers, k: int, values: Matrix) -> None:
        feature, view = self._reference.features[k], self._layout.bins(cells, k)
        is_missing = np.isnan(values)
        present = values[~is_missing]
        _tally(view, bin_of(feature.edges, present))
        low, high = np.float32(feature.low or 0.0), np.float32(feature.high or 0.0)
        cells[self._layout.missing(k)] = is_missing.sum()
        cells[self._layout.unseen(k)] = ((present < low) | (present > high)).sum()

    def _count_labels(self, cells: Integers, k: int, block: Matrix, bins: Integers) -> None:
        is_known = block.any(axis=1)
        which = bins[block[is_known].argmax(axis=1)]
        n_bins = len(self._reference.features[k].counts)
        found = np.bincount(which, minlength=n_bins + 1)
        self._layout.bins(cells, k)[:] = found[:n_bins]
        cells[self._layout.missing(k)] = found[n_bins]
        cells[self._layout.unseen(k)] = (~is_known).sum()


def _tally(view: Integers, which: Integers) -> None:
    view += np.bincount(which, minlength=len(view))


def _bins_of_levels(feature: FeatureReference, levels: tuple[str, ...]) -> Integers:
    """Return the bin of each level: its own, that of the others, or after them missing."""
    own: Mapping[str, int] = {label: k for k, label in enumerate(feature.labels)}
    others, missing = len(feature.labels), len(feature.counts)
    return np.array([missing if level == MISSING else own.get(level, others) for level in levels])
