"""A delimited text into pieces of a table: fast, in bounded memory, garbage set aside and counted.

Columns that look like numbers or ISO dates in the first rows are read as such at once; when a later
cell is neither, everything is read again as text and `kinds.py` decides. A row of the wrong width
is set aside; so is a line that is not of the encoding, or that opens a quotation for ever.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from p0_foundations.reading.decisions import N_TOLD, SetAside
from p0_foundations.reading.layout import Layout
from p0_foundations.reading.reservoir import Reservoir
from p0_foundations.reading.sources import Progress, Rewritten, Watched, fields, records

BLOCK_BYTES = 4 * 1024 * 1024
MAX_SHARE_SET_ASIDE = 0.01
MIN_ROWS_FOR_ONE = 20
"""From so many rows on, one bad row is set aside even where it is more than the share."""
_WHOLE = re.compile(r"^-?(?:0|[1-9]\d{0,17})$")
_DECIMAL = re.compile(r"^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$")
_ISO = re.compile(r"^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?$")
_FIRST_KINDS = ((_WHOLE, pa.int64()), (_DECIMAL, pa.float64()), (_ISO, pa.timestamp("us")))
_GARBAGE = ("UTF8", "straddling", "out of sync")


@dataclass
class Misfits:
    """Rows that were set aside while reading: how many, and the first of them."""

    n: int = 0
    first: list[SetAside] = field(default_factory=list)

    def add(self, line: int, why: str) -> None:
        """Count one more."""
        self.n += 1
        if len(self.first) < N_TOLD:
            self.first.append(SetAside(line=line, why=why))

    def is_too_many(self, n_rows: int) -> bool:
        """Say whether so many of `n_rows` (these included) are no accident."""
        least = 1 if n_rows >= MIN_ROWS_FOR_ONE else 0
        return self.n > max(least, MAX_SHARE_SET_ASIDE * n_rows)


class _OtherKindError(Exception):
    """A column that looked like numbers or dates holds something else."""


class GarbageError(Exception):
    """Bytes that are not of the encoding, or a quotation that swallows what follows."""


@dataclass(frozen=True)
class TextFile:
    """A file, how it is laid out, and which of its columns a schema has read as text first."""

    path: Path
    encoding: str
    layout: Layout
    names: tuple[str, ...]
    as_text: frozenset[str]

    def read(
        self, reservoir: Callable[[], Reservoir], progress: Progress, *, is_rewritten: bool
    ) -> tuple[Reservoir, Misfits]:
        """Read all of it; raises `GarbageError` when only rewriting it line by line would help."""
        first = self._first_kinds()
        try:
            return self._pass(reservoir(), first, progress, is_rewritten=is_rewritten)
        except _OtherKindError:
            plain = dict.fromkeys(self.names, pa.string())
            return self._pass(reservoir(), plain, progress, is_rewritten=is_rewritten)

    def _pass(
        self,
        held: Reservoir,
        kinds: dict[str, pa.DataType],
        progress: Progress,
        *,
        is_rewritten: bool,
    ) -> tuple[Reservoir, Misfits]:
        misfits = Misfits()
        source = self._source(misfits, progress, is_rewritten=is_rewritten)
        n_uneven, has_swallowed = 0, False

        def set_aside(row: pacsv.InvalidRow) -> str:
            nonlocal n_uneven, has_swallowed
            n_uneven += 1
            has_swallowed |= "\n" in row.text.rstrip()
            return "skip"

        try:
            for piece in self._pieces(source, kinds, set_aside, is_rewritten=is_rewritten):
                held.add(piece)
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            if "Empty CSV file" not in str(error):
                raise _understood(error) from error
        if not held.n_seen:
            held.add(pa.table({name: pa.array([], pa.string()) for name in self.names}))
        if isinstance(source, Watched) and (source.n_quotes % 2 or has_swallowed):
            raise GarbageError  # a quotation may have swallowed what follows it
        if n_uneven:
            self._locate(misfits, n_uneven)
        return held, misfits

    def again(self, progress: Progress, *, is_rewritten: bool) -> Iterator[pa.Table]:
        """Go through the rows that `read` found once more, every cell as text."""
        source = self._source(Misfits(), progress, is_rewritten=is_rewritten)
        plain = dict.fromkeys(self.names, pa.string())
        return self._pieces(source, plain, lambda _row: "skip", is_rewritten=is_rewritten)

    def _source(
        self, misfits: Misfits, progress: Progress, *, is_rewritten: bool
    ) -> Watched | Rewritten:
        if is_rewritten:
            return Rewritten(self.path, self.encoding, self.layout, misfits.add, progress)
        return Watched(self.path, self.encoding, progress)

    def _pieces(
        self,
        source: Watched | Rewritten,
        kinds: dict[str, pa.DataType],
        set_aside: Callable[[pacsv.InvalidRow], str],
        *,
        is_rewritten: bool,
    ) -> Iterator[pa.Table]:
        try:
            with self._reader(source, kinds, set_aside, is_rewritten=is_rewritten) as reader:
                for batch in reader:
                    yield pa.Table.from_batches([batch])
        finally:
            source.close()

    def _reader(
        self,
        source: Watched | Rewritten,
        kinds: dict[str, pa.DataType],
        set_aside: Callable[[pacsv.InvalidRow], str],
        *,
        is_rewritten: bool,
    ) -> pacsv.CSVStreamingReader:
        layout = self.layout
        return pacsv.open_csv(
            pa.PythonFile(source, mode="r"),
            read_options=pacsv.ReadOptions(
                column_names=self.names,
                skip_rows=0 if is_rewritten else layout.skip_lines,
                skip_rows_after_names=int(layout.has_header and not is_rewritten),
                block_size=BLOCK_BYTES,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter="," if is_rewritten else layout.separator,
                newlines_in_values=True,
                invalid_row_handler=set_aside,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=kinds, strings_can_be_null=True, null_values=[""]
            ),
            memory_pool=pa.system_memory_pool(),  # Arrow's own took half as long again
        )

    def _first_kinds(self) -> dict[str, pa.DataType]:
        kinds = {}
        for k, name in enumerate(self.names):
            cells = [cell.strip() for cell in self.layout.column(k)]
            kinds[name] = pa.string() if name in self.as_text else _kind_of(cells)
        return kinds

    def _locate(self, misfits: Misfits, n_uneven: int) -> None:
        """Find the first uneven rows again, to name their lines."""
        n_named = 0
        for line, n_fields in self._uneven_records():
            misfits.add(line, f"has {n_fields:,} fields, not {len(self.names):,}")
            n_named += 1
            if n_named == min(n_uneven, N_TOLD):
                break
        misfits.n += n_uneven - n_named
        misfits.first.sort(key=lambda one: one.line)

    def _uneven_records(self) -> Iterator[tuple[int, int]]:
        separator, n_wanted = self.layout.separator, len(self.names)
        for line, text in records(self.path, self.encoding, self.layout, _ignore, _quiet):
            if '"' not in text and text.count(separator) == n_wanted - 1:
                continue
            found = fields(text, separator)
            if len(found) != n_wanted:
                yield line, len(found)

    def lines_of(self, ordinals: Sequence[int]) -> list[int]:
        """Return the lines of rows given by their number among the rows read, from 0."""
        wanted = sorted(ordinals)
        found: list[int] = []
        uneven = {line for line, _ in self._uneven_records()}
        walk = records(self.path, self.encoding, self.layout, _ignore, _quiet)
        even = (line for line, _ in walk if line not in uneven)
        for ordinal, line in enumerate(even):
            if len(found) == len(wanted):
                break
            if ordinal == wanted[len(found)]:
                found.append(line)
        return found


def _kind_of(cells: Sequence[str]) -> pa.DataType:
    present = [cell for cell in cells if cell]
    for pattern, kind in _FIRST_KINDS:
        if present and all(pattern.match(cell) for cell in present):
            return kind
    return pa.string()


def _understood(error: Exception) -> Exception:
    text = str(error)
    if isinstance(error, UnicodeDecodeError) or any(word in text for word in _GARBAGE):
        return GarbageError(text)
    return _OtherKindError(text) if "conversion error" in text else error


def _ignore(line: int, why: str) -> None:
    del line, why


def _quiet(share: float) -> None:
    del share
