"""What readers of series share: one example as it was read, and text turned into its numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from p2_nn_service.errors import DatasetError

Channel = NDArray[np.float32]
_MISSING = frozenset(("", "?", "na", "null", "none"))  # and what Python reads as NaN
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Example:
    """One series: the values of each channel, and its label; `n_filled` of them were missing."""

    channels: tuple[Channel, ...]
    label: str
    n_filled: int = 0


@dataclass(frozen=True)
class Found:
    """What a reader found in a file; every label is one of `classes`."""

    name: str
    examples: Sequence[Example]
    classes: tuple[str, ...]

    def notes(self) -> tuple[str, ...]:
        """Say what was filled in."""
        n_filled = sum(one.n_filled for one in self.examples)
        if n_filled == 0:
            return ()
        return (f"{n_filled:,} missing values filled in a straight line between their neighbours",)


def parse_example(channels: Iterable[Sequence[str]], label: str, path: Path, line: int) -> Example:
    """Turn the text of each channel into an example; `DatasetError` names the line at fault."""
    read = [_channel(texts, path, line) for texts in channels]
    return Example(tuple(channel for channel, _ in read), label, sum(n for _, n in read))


def _channel(texts: Sequence[str], path: Path, line: int) -> tuple[Channel, int]:
    """Return a channel's numbers and how many of them were missing and filled.

    What is missing at the end makes a shorter series; what is missing before its first value
    repeats that, and between two values lies on the line that joins them.
    """
    values = np.fromiter((_number(text, path, line) for text in texts), np.float64, len(texts))
    steps = np.flatnonzero(~np.isnan(values))
    if len(steps) == 0:
        raise DatasetError(f"{path}, line {line}: a series without a single value")
    n_steps = int(steps[-1]) + 1
    n_missing = n_steps - len(steps)
    if n_missing:
        values = np.interp(np.arange(n_steps), steps, values[steps])
    return values[:n_steps].astype(np.float32), n_missing


def sorted_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """Return each label once: by value when all are numbers, else as text."""
    names = set(labels)
    try:
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(names))


def _number(text: str, path: Path, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        if text.strip().lower() in _MISSING:
            return float("nan")
        raise DatasetError(f"{path}, line {line}: {text.strip()[:40]!r} is not a number") from None
    if abs(value) > _LARGEST:
        raise DatasetError(f"{path}, line {line}: {text.strip()[:40]} is not a finite number")
    return value
