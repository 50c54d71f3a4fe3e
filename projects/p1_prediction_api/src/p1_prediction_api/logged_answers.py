"""Logged answers as arrays: what was said of each row, and with which probabilities.

Two forms are in the log: the predictions of `/v1/predict`, and tensors by name (V2). Knows no
database. Read next: `live_scores.py`, `shadow_comparison.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from p1_prediction_api.contracts import Signature
from p1_prediction_api.encoding import output_name

UNKNOWN = -1
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """Answers to n rows of one model."""

    values: Floats
    """Probabilities (n, classes), or numbers (n,)."""
    said: NDArray[np.int64]
    """Position of the class that was said, -1 for one that is not known; of numbers all 0."""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Sequence[int]) -> "Answers":
        """Return some of the rows."""
        return Answers(self.values[list(rows)], self.said[list(rows)])


def joined(parts: Sequence[Answers]) -> Answers:
    """Put answers one below the other; there must be at least one."""
    return Answers(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.said for part in parts]),
    )


class AnswerReader:
    """Reads the logged answers of models with one signature.

    `classes` is the order of the columns: the signature's own, or that of a model to compare with.
    """

    def __init__(self, signature: Signature, classes: Sequence[str] | None = None) -> None:
        names = [feature.name for feature in signature.features]
        self._own = signature.classes
        self._classes = tuple(signature.classes if classes is None else classes)
        self._places = {name: place for place, name in enumerate(self._classes)}
        self._tensors = {
            wanted: output_name(wanted, names)
            for wanted in ("label", "probabilities", "prediction")
        }

    def read(self, answer: str) -> Answers:
        """Read the answer to one request."""
        told: Any = from_json(answer)
        rows = self._of_tensors(told) if isinstance(told, dict) else told
        if not self._classes:
            numbers = np.array([row["prediction"] for row in rows], np.float64)
            return Answers(numbers, np.zeros(len(rows), np.int64))
        values = [[row["probabilities"].get(name, 0.0) for name in self._classes] for row in rows]
        said = [self._places.get(row["prediction"], UNKNOWN) for row in rows]
        return Answers(
            np.array(values, np.float64).reshape(len(rows), len(self._classes)),
            np.array(said, np.int64),
        )

    def _of_tensors(self, told: dict[str, Any]) -> list[dict[str, Any]]:
        if not self._own:
            return [{"prediction": one} for one in np.ravel(told[self._tensors["prediction"]])]
        labels, shares = (told[self._tensors[name]] for name in ("label", "probabilities"))
        return [
            {"prediction": label, "probabilities": dict(zip(self._own, row, strict=True))}
            for label, row in zip(labels, shares, strict=True)
        ]
