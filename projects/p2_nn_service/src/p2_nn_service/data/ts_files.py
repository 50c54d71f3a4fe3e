"""The `.ts` format of the UCR and UEA archives of labelled series (timeseriesclassification.com).

A header of lines that begin with `@`, comments with `#`, then a line an example: its channels
parted by colons, their values by commas, the label last; `?` is a missing value. Files with time
stamps, or with numbers to predict instead of labels, are refused.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from p2_nn_service.data.series_values import Example, Found, parse_example
from p2_nn_service.errors import DatasetError

_FLAGS = frozenset(("timestamps", "missing", "univariate", "equallength"))
_COUNTS = {"dimensions": "dimensions", "dimension": "dimensions", "serieslength": "serieslength"}
_YES_NO = {"true": True, "false": False}


@dataclass
class _Header:
    """What the lines before `@data` say."""

    name: str
    flags: dict[str, bool]
    counts: dict[str, int]
    classes: tuple[str, ...] = ()

    @property
    def n_channels(self) -> int | None:
        """Channels that are announced, if any number is."""
        return 1 if self.flags.get("univariate") else self.counts.get("dimensions")

    @property
    def n_steps(self) -> int | None:
        """Steps that every series is announced to have, if they are said to be equal."""
        return self.counts.get("serieslength") if self.flags.get("equallength") else None


def read_ts(path: Path, lines: Iterable[str]) -> Found:
    """Read the lines of a `.ts` file; `DatasetError` names the line at fault."""
    numbered = (
        (number, text)
        for number, line in enumerate(lines, start=1)
        if (text := line.strip()) and not text.startswith("#")
    )
    header = _read_header(path, numbered)
    known = frozenset(header.classes)
    examples: list[Example] = []
    n_channels = header.n_channels
    for number, text in numbered:
        example = _read_example(path, number, text, header, n_channels)
        if example.label not in known:
            raise DatasetError(
                f"{path}, line {number}: label {example.label[:40]!r} is none of those after "
                f"@classLabel: {', '.join(header.classes[:12])}"
            )
        n_channels = len(example.channels)
        examples.append(example)
    return Found(header.name, examples, header.classes)


def _read_header(path: Path, numbered: Iterator[tuple[int, str]]) -> _Header:
    header = _Header(path.stem, {}, {})
    number = 0
    for number, text in numbered:
        if not text.startswith("@"):
            raise DatasetError(f"{path}, line {number}: data before the line @data")
        key, _, rest = text[1:].partition(" ")
        if key.lower() == "data":
            if not header.classes:
                raise DatasetError(f"{path}, line {number}: no line @classLabel before @data")
            return header
        _read_header_line(header, f"{path}, line {number}: @{key}", key.lower(), rest.split())
    raise DatasetError(f"{path} ends at line {number} without a line @data")


def _read_header_line(header: _Header, place: str, key: str, words: list[str]) -> None:
    if key == "problemname" and words:
        header.name = words[0]
    elif key in _FLAGS:
        header.flags[key] = _yes_no(place, words)
        if key == "timestamps" and header.flags[key]:
            raise DatasetError(f"{place} true: series with time stamps are not read")
    elif key in _COUNTS:
        if len(words) != 1 or not words[0].isdecimal() or int(words[0]) < 1:
            raise DatasetError(f"{place} {' '.join(words)}: accepted: a whole number from 1")
        header.counts[_COUNTS[key]] = int(words[0])
    elif key == "classlabel":
        header.classes = _classes(place, words)
    elif key == "targetlabel":
        raise DatasetError(f"{place}: a number to predict; only classes are read")
    elif key != "problemname":
        raise DatasetError(f"{place}: no such line is known in a header")


def _classes(place: str, words: list[str]) -> tuple[str, ...]:
    if not _yes_no(place, words[:1]):
        raise DatasetError(f"{place} false: only labelled series are read")
    if len(words) == 1:
        raise DatasetError(f"{place} true: no class is named after it")
    return tuple(dict.fromkeys(words[1:]))


def _yes_no(place: str, words: list[str]) -> bool:
    if len(words) != 1 or words[0].lower() not in _YES_NO:
        raise DatasetError(f"{place} {' '.join(words)}: accepted: true or false")
    return _YES_NO[words[0].lower()]


def _read_example(
    path: Path, number: int, text: str, header: _Header, n_channels: int | None
) -> Example:
    if text.startswith("("):
        raise DatasetError(f"{path}, line {number}: series with time stamps are not read")
    *parts, label = (part.strip() for part in text.split(":"))
    if not parts:
        raise DatasetError(f"{path}, line {number}: no colon before a label")
    if n_channels is not None and len(parts) != n_channels:
        raise DatasetError(
            f"{path}, line {number}: {len(parts)} channels and a label, where {n_channels} "
            "channels are announced or came before"
        )
    values = [part.split(",") for part in parts]
    for steps in values:
        if header.n_steps is not None and len(steps) != header.n_steps:
            raise DatasetError(
                f"{path}, line {number}: {len(steps)} steps; the header says "
                f"@seriesLength {header.n_steps}"
            )
    return parse_example(values, label, path, number)
