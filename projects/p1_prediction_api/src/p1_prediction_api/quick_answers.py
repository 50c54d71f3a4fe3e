"""Answers to JSON text, for the quick path: put together from parts encoded when a model is loaded.

What differs from row to row is a handful of texts; the parts of all rows lie in one list, a fixed
number a row, and one `join` makes the answer. Knows no model. Read next: `quick.py`.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from p1_prediction_api.conformal import intervals, prediction_sets
from p1_prediction_api.contracts import ModelCard, Signature

SEVEN_DIGITS = np.float64(1e7)
UNKNOWN = -1
NO_WARNINGS = "[]},"


class QuickWriter:
    """Puts answers together as JSON, as `contracts.Predictions` would be written."""

    def __init__(self, signature: Signature, card: ModelCard) -> None:
        self._signature = signature
        self._uncertainty = card.uncertainty
        names = [json.dumps(name, ensure_ascii=False) for name in signature.classes]
        self._threshold = float(np.float32(signature.threshold))  # as the graph compares
        self._heads = [f'{{"prediction":{name},"probabilities":{{{names[0]}:' for name in names]
        self._between = [f",{name}:" for name in names[1:]]
        self._tail = _tail_text(names)
        self._positive = (
            signature.classes.index(signature.positive) if signature.positive else UNKNOWN
        )
        self.n_parts = 2 * len(names) + 2 if names else 2
        """Texts that make up one row's answer; the last ends with a comma."""

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
        """Return `n_parts` texts a row, of probabilities (n, classes) or numbers (n,)."""
        parts = [""] * (self.n_parts * len(answers))
        if warnings is None:
            parts[self.n_parts - 1 :: self.n_parts] = [NO_WARNINGS] * len(answers)
        else:
            parts[self.n_parts - 1 :: self.n_parts] = [
                json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "},"
                for one in warnings
            ]
        if self._signature.task == "regression":
            parts[:: self.n_parts] = self._numbers(answers)
        else:
            self._write_classes(parts, answers, said)
        return parts

    def _numbers(self, answers: NDArray[Any]) -> list[str]:
        between = ["null"] * len(answers)
        if self._uncertainty is not None:
            low, high = intervals(answers.astype(np.float64), self._uncertainty.bins)
            ends = zip(low.tolist(), high.tolist(), strict=True)
            between = [f"[{seven(a)},{seven(b)}]" for a, b in ends]
        return [
            f'{{"prediction":{seven(number)},"probabilities":null,"prediction_set":null,'
            f'"interval":{interval},"warnings":'
            for number, interval in zip(answers.tolist(), between, strict=True)
        ]

    def _write_classes(self, parts: list[str], answers: NDArray[Any], said: list[int]) -> None:
        n_rows, n_classes = answers.shape
        heads, width = self._heads, self.n_parts
        # Exactly what `round(p, 7)` gives: a float32 times 1e7 is exact in a float64.
        shares = np.rint(answers * SEVEN_DIGITS) / SEVEN_DIGITS
        # One call spells the numbers of all rows: 0.04 µs each, where `repr` takes 0.25.
        spelled = to_json(shares.reshape(-1).tolist()).decode()[1:-1].split(",")
        parts[::width] = [heads[k] for k in said]
        for k in range(n_classes):
            parts[2 * k + 1 :: width] = spelled[k::n_classes]
        for k, between in enumerate(self._between):
            parts[2 * k + 2 :: width] = [between] * n_rows
        parts[2 * n_classes :: width] = self._tails(answers)

    def _tails(self, answers: NDArray[Any]) -> list[str]:
        if self._uncertainty is None or self._uncertainty.set_threshold is None:
            return [self._tail(None)] * len(answers)
        held = prediction_sets(answers, self._uncertainty.set_threshold)
        n, raw = held.shape[1], held.tobytes()
        return [self._tail(raw[k : k + n]) for k in range(0, len(raw), n)]


def _tail_text(names: Sequence[str]) -> Callable[[bytes | None], str]:
    """Return what spells a set of classes and what follows it; the few that occur only once."""

    @lru_cache(maxsize=256)
    def spelled(is_in: bytes | None) -> str:
        held = "null" if is_in is None else f"[{','.join(compress(names, is_in))}]"
        return f'}},"prediction_set":{held},"interval":null,"warnings":'

    return spelled


def seven(number: float) -> float:
    """Round to the digits that a float32 holds."""
    return float(f"{number:.7g}")
