"""Read a table from a file a person brought: CSV, TSV or Parquet, with errors they can act on.

What is not a table (a picture named .csv, an empty file, a broken archive) is refused by name. The
separator and the encoding are found from the beginning of the file. Knows no HTTP.
"""

import csv
from pathlib import Path

import pandas as pd

from p0_foundations.errors import TableError, TableTooLargeError

SEPARATORS = ",;\t|"
PROBE_BYTES = 64 * 1024
TEXT_ENDINGS = frozenset({".csv", ".tsv", ".txt", ".data", ""})
PARQUET_ENDINGS = frozenset({".parquet", ".pq"})
ENCODINGS = ("utf-8-sig", "cp1252")


def read_table(
    path: Path, *, max_columns: int = 5_000, max_rows: int | None = None, name: str = ""
) -> pd.DataFrame:
    """Read the table in `path`; `name` is what the person calls it, when the path is not that.

    Cells keep their spelling: "NA" and the like stay text, so that a profile can tell of them; an
    empty cell is missing. `max_rows` reads the first rows only. Raises `TableError`.
    """
    shown = name or path.name
    ending = Path(shown).suffix.lower()
    if not path.is_file():
        raise TableError(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise TableError(f"{shown} is empty")
    if ending in PARQUET_ENDINGS:
        frame = _read_parquet(path, shown)
    elif ending in TEXT_ENDINGS:
        frame = _read_text(path, shown, max_rows)
    else:
        raise TableError(f"{shown} is no table this reads; accepted: .csv, .tsv, .txt, .parquet")
    if frame.shape[1] > max_columns:
        raise TableTooLargeError(
            f"{shown} has {frame.shape[1]:,} columns; at most {max_columns:,} are accepted"
        )
    return frame


def _read_parquet(path: Path, shown: str) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except ImportError as error:
        raise TableError(f"{shown} is Parquet, which needs pyarrow: install pyarrow") from error
    except Exception as error:
        raise TableError(f"{shown} is not valid Parquet: {_first_line(error)}") from error


def _read_text(path: Path, shown: str, max_rows: int | None) -> pd.DataFrame:
    with path.open("rb") as file:
        probe = file.read(PROBE_BYTES)
    if b"\0" in probe or probe.startswith((b"\x89PNG", b"PK\x03\x04", b"%PDF", b"\xff\xd8")):
        raise TableError(f"{shown} is a binary file, not text with separators")
    encoding = _encoding(probe)
    separator = _separator(probe.decode(encoding, "replace"))
    try:
        return pd.read_csv(
            path,
            sep=separator,
            encoding=encoding,
            encoding_errors="replace",
            keep_default_na=False,
            na_values=[""],
            nrows=max_rows,
            low_memory=False,
            skipinitialspace=True,
        )
    except pd.errors.EmptyDataError as error:
        raise TableError(f"{shown} holds no columns") from error
    except pd.errors.ParserError as error:
        raise TableError(f"{shown} cannot be split into columns: {_first_line(error)}") from error
    except (ValueError, OverflowError) as error:
        raise TableError(f"{shown} cannot be read: {_first_line(error)}") from error


def _encoding(probe: bytes) -> str:
    if probe.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ENCODINGS:
        try:
            probe[: len(probe) - 4 if len(probe) == PROBE_BYTES else None].decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _separator(text: str) -> str:
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    try:
        return csv.Sniffer().sniff("\n".join(lines), SEPARATORS).delimiter
    except csv.Error:
        first = lines[0] if lines else ""
        return max(SEPARATORS, key=first.count)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
