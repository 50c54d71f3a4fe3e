"""CSV tables of labelled series, in one of two layouts that the header tells apart.

Wide, a row a series: a column `label`, the others its steps in order; `id` is passed over and empty
cells at the end make a shorter series.

    label,1,2,3
    walk,0.1,0.4,0.2

Long, a row a step: columns `id`, `step` and `label`, every other column a channel. Rows may stand
in any order; steps are ordered by their number.

    id,step,label,x,y
    7,0,walk,0.1,9.8

Names are read without regard to case; commas, semicolons and tabs part cells.
"""

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from p2_nn_service.data.series_values import (
    Example,
    Found,
    parse_example,
    sorted_classes,
)
from p2_nn_service.errors import DatasetError

_LABEL, _ID, _STEP = "label", "id", "step"
_LAYOUTS = "a column `label` and the steps, or `id`, `step`, `label` and the channels"
Rows = Iterator[tuple[int, list[str]]]


def read_table(path: Path, lines: Iterable[str]) -> Found:
    """Read the lines of a CSV table; `DatasetError` names the line and column at fault."""
    remaining = _texts(path, lines)
    first = next(remaining, "")
    mark = max(",;\t", key=first.count)
    try:
        reader = csv.reader(chain([first], remaining), delimiter=mark)
        names = [name.strip().lower() for name in next(reader, [])]
        _check_names(path, names)
        rows = _rows(path, names, reader)
        is_long = _ID in names and _STEP in names
        examples = list(_read_long(path, names, rows) if is_long else _read_wide(path, names, rows))
    except csv.Error as error:
        raise DatasetError(f"{path} cannot be read as CSV: {error}") from error
    return Found(path.stem, examples, sorted_classes(one.label for one in examples))


def _texts(path: Path, lines: Iterable[str]) -> Iterator[str]:
    """Pass lines on as long as they are text."""
    for number, line in enumerate(lines, start=1):
        if "\x00" in line:
            raise DatasetError(f"{path} cannot be read as CSV: line {number} holds NUL bytes")
        yield line


def _check_names(path: Path, names: Sequence[str]) -> None:
    if _LABEL not in names:
        shown = ", ".join(map(repr, names[:12])) or "nothing"
        raise DatasetError(f"{path}, line 1: no column `label` in {shown}; accepted: {_LAYOUTS}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DatasetError(f"{path}, line 1: the column {twice!r} stands twice")
    if set(names) <= {_LABEL, _ID, _STEP}:
        raise DatasetError(f"{path}, line 1: no column of values; accepted: {_LAYOUTS}")
    if _STEP in names and _ID not in names:
        raise DatasetError(
            f"{path}, line 1: a column `step` without a column `id` that tells series apart"
        )


def _rows(path: Path, names: Sequence[str], reader: Iterator[list[str]]) -> Rows:
    for number, cells in enumerate(reader, start=2):
        if not cells:
            continue
        if len(cells) > len(names):
            raise DatasetError(
                f"{path}, line {number}: {len(cells)} cells under {len(names)} columns"
            )
        yield number, cells + [""] * (len(names) - len(cells))


def _read_wide(path: Path, names: Sequence[str], rows: Rows) -> Iterator[Example]:
    label_at = names.index(_LABEL)
    steps_at = [k for k, name in enumerate(names) if name not in {_LABEL, _ID}]
    for number, cells in rows:
        label = _label(path, number, cells[label_at])
        values = [cells[k] for k in steps_at]
        yield parse_example([values], label, path, number)


def _read_long(path: Path, names: Sequence[str], rows: Rows) -> Iterator[Example]:
    label_at, id_at, step_at = (names.index(name) for name in (_LABEL, _ID, _STEP))
    channels_at = [k for k, name in enumerate(names) if name not in {_LABEL, _ID, _STEP}]
    labels: dict[str, str] = {}
    steps: defaultdict[str, dict[float, list[str]]] = defaultdict(dict)
    last: dict[str, int] = {}
    for number, cells in rows:
        key = cells[id_at].strip()
        label = _label(path, number, cells[label_at])
        if labels.setdefault(key, label) != label:
            raise DatasetError(
                f"{path}, line {number}: series {key!r} is labelled {label!r} here and "
                f"{labels[key]!r} before"
            )
        step = _step(path, number, cells[step_at])
        if step in steps[key]:
            raise DatasetError(
                f"{path}, line {number}: step {cells[step_at].strip()} of series {key!r} "
                "stands twice"
            )
        steps[key][step] = [cells[k] for k in channels_at]
        last[key] = number
    for key, by_step in steps.items():
        channels = zip(*(by_step[step] for step in sorted(by_step)), strict=True)
        yield parse_example(channels, labels[key], path, last[key])


def _label(path: Path, number: int, text: str) -> str:
    if not text.strip():
        raise DatasetError(f"{path}, line {number}: the label is empty")
    return text.strip()


def _step(path: Path, number: int, text: str) -> float:
    try:
        step = float(text)
    except ValueError:
        step = float("nan")
    if not math.isfinite(step):
        raise DatasetError(f"{path}, line {number}: step {text.strip()[:40]!r} is not a number")
    return step
