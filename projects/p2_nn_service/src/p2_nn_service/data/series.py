"""Labelled series as a data set, from a `.ts` file of the UCR and UEA archives or a CSV table.

Series of one set may differ in length: what a shorter one lacks at its end is NaN. A value that is
missing before a series' end is filled in a straight line between its neighbours, which is noted.
Knows no format: `ts_files.py` and `series_tables.py` read them. Read next: `series_values.py`.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from p2_nn_service.data.datasets import Dataset, check_classes
from p2_nn_service.data.series_tables import read_table
from p2_nn_service.data.series_values import Found
from p2_nn_service.data.ts_files import read_ts
from p2_nn_service.errors import DatasetError
from p2_nn_service.settings import Settings

_READERS: Mapping[str, Callable[[Path, Iterable[str]], Found]] = {
    ".ts": read_ts,
    ".csv": read_table,
}
SUFFIXES = frozenset(_READERS)


def read_series(path: Path, settings: Settings) -> Dataset:
    """Read a `.ts` file or a CSV table; `DatasetError` names the file and the line at fault."""
    try:
        _check_memory(path, path.stat().st_size, settings)
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            found = _READERS[path.suffix.lower()](path, file)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
    if not found.examples:
        raise DatasetError(f"{path} has no series")
    numbers = {name: k for k, name in enumerate(found.classes)}
    labels = np.array([numbers[one.label] for one in found.examples], dtype=np.int64)
    check_classes(str(path), found.classes, labels)
    lengths = [len(channel) for one in found.examples for channel in one.channels]
    shape = (len(labels), len(found.examples[0].channels), max(lengths))
    _check_memory(path, math.prod(shape) * 4, settings)
    inputs = np.full(shape, np.nan, dtype=np.float32)
    for row, one in zip(inputs, found.examples, strict=True):
        for steps, channel in zip(row, one.channels, strict=True):
            steps[: len(channel)] = channel
    notes = (
        f"{shape[1]} channel{'' if shape[1] == 1 else 's'} of {_span(lengths)} steps",
        *found.notes(),
    )
    return Dataset(found.name, inputs, labels, found.classes, notes=notes)


def _span(lengths: list[int]) -> str:
    low, high = min(lengths), max(lengths)
    return str(high) if low == high else f"{low} to {high}"


def _check_memory(path: Path, n_bytes: int, settings: Settings) -> None:
    if n_bytes > settings.max_dataset_bytes:
        raise DatasetError(
            f"{path} takes {n_bytes:,} bytes; the limit is {settings.max_dataset_bytes:,}: raise "
            "P2_MAX_DATASET_BYTES"
        )
