"""Read a table from a file that a person brought: CSV, TSV or Parquet, with errors to act on.

What is not a table (a picture named .csv, an empty file, a spreadsheet) is refused by what it is;
text in another encoding or with broken quoting is refused with the line, never read wrongly. Cells
keep their spelling: "NA" stays text, so that a profile can tell of it; only an empty cell is
missing. Knows no HTTP. Read next: `profiling.py`.
"""

import csv
import os
from io import StringIO
from pathlib import Path

import pandas as pd

from p0_foundations.errors import TableError, TableTooLargeError

SEPARATORS = (",", ";", "\t", "|")
HEAD_BYTES = 1024 * 1024
N_PROBED_ROWS = 30
MAX_COLUMNS = 5_000
MAX_ROWS = 5_000_000
_KNOWN_FILES = (
    (b"PK\x03\x04", "a spreadsheet or zip archive; save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV"),
    (b"\x1f\x8b", "gzip-compressed; unpack it first"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"SQLite format 3", "an SQLite database; export the table as CSV"),
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_table(
    path: str | os.PathLike[str],
    *,
    name: str = "",
    encoding: str = "",
    max_columns: int = MAX_COLUMNS,
    max_rows: int = MAX_ROWS,
) -> pd.DataFrame:
    """Read the table in `path`; `name` is what the person calls it, when the path is not that.

    Without `encoding` text is UTF-8, or UTF-16 with its mark. The separator is found among comma,
    semicolon, tab and bar. Raises `TableError`, `TableTooLargeError`.
    """
    file = Path(path)
    shown = name or file.name
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
    except FileNotFoundError:
        raise TableError(f"there is no file {shown}") from None
    except OSError as error:
        raise TableError(f"{shown} cannot be read: {error.strerror}") from error
    if not head.strip():
        raise TableError(f"{shown} is empty")
    if head.startswith(b"PAR1"):
        return _read_parquet(file, shown, max_columns, max_rows)
    encoding = encoding or ("utf-16" if head.startswith(_UTF16) else "utf-8-sig")
    _refuse_binary(head, shown, encoding)
    return _read_text(file, shown, encoding, max_columns=max_columns, max_rows=max_rows)


def _refuse_binary(head: bytes, shown: str, encoding: str) -> None:
    for start, what in _KNOWN_FILES:
        if head.startswith(start):
            raise TableError(f"{shown} is {what}, not a table of text")
    if b"\0" in head and not encoding.lower().startswith(("utf-16", "utf-32")):
        raise TableError(f"{shown} is a binary file; accepted: CSV, TSV or Parquet")


def _read_parquet(file: Path, shown: str, max_columns: int, max_rows: int) -> pd.DataFrame:
    import pyarrow as pa  # noqa: PLC0415 - only for Parquet
    import pyarrow.parquet as pq  # noqa: PLC0415 - only for Parquet

    try:
        with pq.ParquetFile(file) as opened:
            shape = opened.metadata.num_rows, opened.metadata.num_columns
            _refuse_too_large(shown, *shape, max_columns=max_columns, max_rows=max_rows)
            return opened.read().to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{shown} is not valid Parquet: {_first_line(error)}") from error


def _refuse_too_large(
    shown: str, n_rows: int, n_columns: int, *, max_columns: int, max_rows: int
) -> None:
    if n_columns > max_columns:
        raise TableTooLargeError(
            f"{shown} has {n_columns:,} columns; at most {max_columns:,} are accepted"
        )
    if n_rows > max_rows:
        raise TableTooLargeError(f"{shown} has more than {max_rows:,} rows; send a sample of it")


def _read_text(
    file: Path, shown: str, encoding: str, *, max_columns: int, max_rows: int
) -> pd.DataFrame:
    try:
        separator, header, n_first = _probe(file, encoding)
        if n_first > len(header):  # pandas would take the first fields for row names
            raise TableError(
                f"{shown}: the first row has {n_first} fields, the header {len(header)} names"
            )
        _refuse_too_large(shown, 0, len(header), max_columns=max_columns, max_rows=max_rows)
        frame = _parse(file, encoding, separator, max_rows + 1)
    except LookupError:
        raise TableError(f"there is no encoding {encoding!r}; such as utf-8, cp1252") from None
    except UnicodeError as error:
        raise TableError(_encoding_trouble(file, shown, encoding)) from error
    except pd.errors.EmptyDataError:
        raise TableError(f"{shown} is empty") from None
    except (pd.errors.ParserError, csv.Error) as error:
        raise TableError(
            f"{shown} cannot be split into columns: {_in_words(_first_line(error))}"
        ) from error
    except (ValueError, OverflowError) as error:
        raise TableError(f"{shown} cannot be read: {_first_line(error)}") from error
    _refuse_too_large(shown, *frame.shape, max_columns=max_columns, max_rows=max_rows)
    if len(header) == frame.shape[1]:  # pandas tells repeated names apart; a profile says so
        frame.columns = pd.Index(
            [own or given for own, given in zip(header, frame.columns, strict=True)]
        )
    return frame


def _parse(file: Path, encoding: str, separator: str, n_rows: int) -> pd.DataFrame:
    return pd.read_csv(
        file,
        sep=separator,
        encoding=encoding,
        nrows=n_rows,
        keep_default_na=False,
        na_values=[""],
        low_memory=False,
        skipinitialspace=True,
    )


def _probe(file: Path, encoding: str) -> tuple[str, list[str], int]:
    """Find the separator that splits the first rows most evenly.

    Returns it with the header's names and the number of fields in the first row.
    """
    with file.open(encoding=encoding, newline="") as opened:
        head = opened.read(HEAD_BYTES)
    best, best_score, header, n_first = ",", (False, 0), [""], 0
    for separator in SEPARATORS:
        reader = csv.reader(StringIO(head), delimiter=separator, skipinitialspace=True)
        rows: list[list[str]] = []
        try:
            for row in reader:
                if row:
                    rows.append(row)
                if len(rows) == N_PROBED_ROWS:
                    break
        except csv.Error:
            continue  # a field longer than the standard library takes: pandas will see to it
        widths = [len(row) for row in rows]
        score = (len(set(widths[:-1] or widths)) == 1 and widths[0] > 1, max(widths[:1], default=0))
        if score > best_score:
            best, best_score, header = separator, score, rows[0]
            n_first = widths[1] if len(widths) > 1 else 0
    return best, header, n_first


def _encoding_trouble(file: Path, shown: str, encoding: str) -> str:
    """Say on which line the text stops being what it was taken for."""
    plain = encoding.removesuffix("-sig")
    where = ""
    with file.open("rb") as opened:
        for n, raw in enumerate(opened, start=1):
            try:
                raw.decode(plain)
            except UnicodeError:
                where = f" (line {n:,})"
                break
    return (
        f"{shown} is not {plain.upper()} text{where}; save it as UTF-8 or name its encoding, "
        "such as cp1252"
    )


def _in_words(message: str) -> str:
    """Put the parser's own words into ours."""
    if "EOF inside string" in message:
        row = message.rpartition(" ")[2]
        return f'a quotation mark (") opened near row {row} is never closed'
    if "Expected" in message and "saw" in message:
        return message.partition("error: ")[2] or message
    return message


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
