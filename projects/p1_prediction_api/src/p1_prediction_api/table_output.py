"""A table written piece by piece, that never looks complete before it is.

Pieces go to a file beside the wanted one; only when all of them are written, and are on the disk,
does it take the wanted name. Whatever ends the work before (an error, Ctrl-C, kill -9) leaves an
earlier file of that name as it was. Needs pandas; knows no model.
"""

import contextlib
import os
from collections.abc import Callable, Generator
from pathlib import Path

import pandas as pd

from p1_prediction_api.errors import TrainingError

Write = Callable[[pd.DataFrame], None]
SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl")


def check_output(out: Path) -> None:
    """Refuse a path that cannot be written, before any work is done."""
    if out.suffix.lower() not in SUFFIXES:
        raise TrainingError(f"{out.name}: accepted endings are {', '.join(SUFFIXES)}")
    if not out.parent.is_dir():
        raise TrainingError(f"there is no folder {out.parent}")
    if out.is_dir():
        raise TrainingError(f"{out} is a folder; name a file")


@contextlib.contextmanager
def written_whole(out: Path) -> Generator[Write]:
    """Yield what takes the pieces; leaving without an error gives the file its name.

    Raises `TrainingError` when it cannot be written.
    """
    check_output(out)
    unfinished = out.with_name(f"{out.name}.unfinished")
    try:
        with _writer(unfinished, out.suffix.lower()) as write:
            yield write
        with unfinished.open("rb+") as done:
            os.fsync(done.fileno())
        unfinished.replace(out)
    except OSError as error:
        raise TrainingError(f"{out} cannot be written: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def _writer(path: Path, suffix: str) -> Generator[Write]:
    if suffix == ".parquet":
        with _parquet(path) as write:
            yield write
        return
    with path.open("w", encoding="utf-8", newline="") as file:

        def write_text(frame: pd.DataFrame) -> None:
            if suffix == ".jsonl":
                file.write(frame.to_json(orient="records", lines=True) if len(frame) else "")
                return
            separator = "\t" if suffix == ".tsv" else ","
            frame.to_csv(file, index=False, sep=separator, header=file.tell() == 0)

        yield write_text


@contextlib.contextmanager
def _parquet(path: Path) -> Generator[Write]:
    """Write pieces as row groups; the first one decides the types of the columns."""
    import pyarrow as pa  # noqa: PLC0415 - only for Parquet
    import pyarrow.parquet as pq  # noqa: PLC0415 - only for Parquet

    opened: list[pq.ParquetWriter] = []

    def write(frame: pd.DataFrame) -> None:
        schema = opened[0].schema if opened else None
        try:
            table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
        except pa.ArrowException as error:
            raise TrainingError(
                f"{path.name}: a column changes its type on the way ({error}); write .csv instead"
            ) from error
        if not opened:
            opened.append(pq.ParquetWriter(path, table.schema))
        opened[0].write_table(table)

    try:
        yield write
    finally:
        for one in opened:
            one.close()
