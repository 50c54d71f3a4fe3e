"""The bytes that a table reader gets: always UTF-8, with progress told and quotes counted.

`Watched` hands a file on as it is, transcoded where it must be. `Rewritten` goes through every
record in Python: slower, for files with garbage in them or a layout that a fast reader does not
know. `records` is that walk by itself, with the number of each record's first line.
"""

import codecs
import csv
import io
from collections.abc import Callable, Generator
from pathlib import Path

from p0_foundations.reading.decisions import SPACES
from p0_foundations.reading.layout import Layout

MAX_RECORD_LINES = 100
"""A quotation that is not closed within so many lines never will be."""
OPEN_QUOTE = 'opens a quotation (") that is never closed'
_UTF8 = frozenset({"utf-8", "utf8", "ascii", "us-ascii"})
_WIDE = ("utf-16", "utf-32", "utf_16", "utf_32")
Progress = Callable[[float], None]
Misfit = Callable[[int, str], None]


class Watched:
    """A file as UTF-8 bytes, read piece by piece."""

    def __init__(self, path: Path, encoding: str, progress: Progress) -> None:
        is_utf8 = encoding.lower() in _UTF8
        self._decoder = None if is_utf8 else codecs.getincrementaldecoder(encoding)()
        self._file = path.open("rb")
        self._size = max(path.stat().st_size, 1)
        self._progress = progress
        self.n_quotes = 0

    def read(self, n_bytes: int = -1) -> bytes:
        """Return the next bytes, about `n_bytes` of them; none at the end."""
        while raw := self._file.read(n_bytes):
            self._progress(self._file.tell() / self._size)
            data = raw if self._decoder is None else self._decoder.decode(raw).encode("utf-8")
            self.n_quotes += data.count(b'"')
            if data:
                return data
        if self._decoder is not None:
            self._decoder.decode(b"", final=True)
        return b""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._file.closed

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Rewritten:
    """The good records of a file as plain comma-separated UTF-8, without what is above them."""

    def __init__(
        self, path: Path, encoding: str, layout: Layout, misfit: Misfit, progress: Progress
    ) -> None:
        self._records = records(path, encoding, layout, misfit, progress)
        self._layout = layout
        self._left = b""
        self.closed = False

    def read(self, n_bytes: int = -1) -> bytes:
        """Return the next bytes, at most `n_bytes` of them; none at the end."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        while len(self._left) + text.tell() < n_bytes:
            record = next(self._records, None)
            if record is None:
                break
            writer.writerow(fields(record[1], self._layout.separator))
        data = self._left + text.getvalue().encode("utf-8")
        self._left = data[n_bytes:]
        return data[:n_bytes]

    def close(self) -> None:
        """Forget the file."""
        self._records.close()
        self.closed = True


def records(
    path: Path, encoding: str, layout: Layout, misfit: Misfit, progress: Progress
) -> Generator[tuple[int, str]]:
    """Yield each record under the header with its line; garbage lines go to `misfit`."""
    errors = "replace" if encoding.lower().startswith(_WIDE) else "surrogateescape"
    size = max(path.stat().st_size, 1)
    with (
        path.open("rb") as raw,
        io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="") as file,
    ):
        lines = _Lines(file)
        n_skipped = 0
        while record := lines.record(layout.separator):
            line, text = record
            if line % 4096 == 0:
                progress(raw.tell() / size)
            if line <= layout.skip_lines or not text.strip():
                continue
            if layout.has_header and n_skipped == 0:
                n_skipped = 1
                continue
            if not _is_sound(text, errors):
                misfit(line, f"is not {encoding.upper()} text")
            elif text.count('"') % 2 and _is_open(text, layout.separator):
                misfit(line, OPEN_QUOTE)
            else:
                yield line, text


class _Lines:
    """Lines of a file joined into records; an endless quotation gives its lines back."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file = file
        self._waiting: list[str] = []
        self._line = 0

    def record(self, separator: str) -> tuple[int, str] | None:
        text = self._next()
        if not text:
            return None
        self._line += 1
        first = self._line
        if '"' not in text or separator == SPACES or not _is_open(text, separator):
            return first, text
        more: list[str] = []
        while len(more) < MAX_RECORD_LINES and (line := self._next()):
            more.append(line)
            if '"' in line and not _is_open("".join((text, *more)), separator):
                self._line += len(more)
                return first, "".join((text, *more))
        self._waiting = more + self._waiting
        return first, text

    def _next(self) -> str:
        return self._waiting.pop(0) if self._waiting else self._file.readline()


def fields(record: str, separator: str) -> list[str]:
    """Split one record into its fields."""
    if separator == SPACES:
        return next(csv.reader([" ".join(record.split())], delimiter=" "), [])
    lines = record.splitlines(keepends=True)
    return next(csv.reader(lines, delimiter=separator, skipinitialspace=True), [])


def _is_open(text: str, separator: str) -> bool:
    """Say whether a quotation is still open at the end of a text."""
    if separator == SPACES:
        return False
    lines = [*text.splitlines(keepends=True), "\n"]
    reader = csv.reader(iter(lines), delimiter=separator, skipinitialspace=True)
    next(reader, None)
    return reader.line_num == len(lines)


def _is_sound(text: str, errors: str) -> bool:
    if errors == "replace":
        return "\ufffd" not in text
    return text.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in text)
