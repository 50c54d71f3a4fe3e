"""The forms a table of answers can have, as pieces that are added to a file, and its end.

What was added stays readable however the work ends: text is text, and a Parquet file, which is
nothing before its footer, is a stream of Arrow batches until it is finished.
"""

import os
from pathlib import Path
from typing import Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from p1_prediction_api.errors import TrainingError


class Form(Protocol):
    """How a table is written."""

    def encode(self, frame: pd.DataFrame, file: Path) -> bytes:
        """Return what is added for these rows to a file that holds those before."""

    def finished(self, file: Path) -> Path:
        """Return a file, beside, that holds all of it in its last form and is on the disk."""


class Text:
    """Delimited text or JSON lines."""

    def __init__(self, suffix: str) -> None:
        self._suffix = suffix

    def encode(self, frame: pd.DataFrame, file: Path) -> bytes:
        """Return lines, below the names of the columns where there are none yet."""
        if self._suffix == ".jsonl":
            text = frame.to_json(orient="records", lines=True, date_format="iso")
            return text.encode() if len(frame) else b""
        separator = "\t" if self._suffix == ".tsv" else ","
        header = file.stat().st_size == 0
        return str(frame.to_csv(index=False, sep=separator, header=header)).encode()

    def finished(self, file: Path) -> Path:
        """Return the file itself."""
        return file


class Parquet:
    """Parquet; the first rows decide the types of the columns."""

    def encode(self, frame: pd.DataFrame, file: Path) -> bytes:
        """Return a batch of an Arrow stream, below its schema where there is none yet."""
        schema = None
        if is_begun := file.stat().st_size > 0:
            with pa.OSFile(str(file)) as opened, pa.ipc.open_stream(opened) as stream:
                schema = stream.schema
        try:
            table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
        except pa.ArrowException as error:
            raise TrainingError(
                f"a column changes its type on the way ({error}); write .csv instead"
            ) from error
        messages = [] if is_begun else [table.schema.serialize()]
        messages += [batch.serialize() for batch in table.to_batches()]
        return b"".join(one.to_pybytes() for one in messages)

    def finished(self, file: Path) -> Path:
        """Write the stream's batches as groups of rows."""
        whole = file.with_name(f"{file.name}.parquet")
        with (
            pa.OSFile(str(file)) as opened,
            pa.ipc.open_stream(opened) as stream,
            pq.ParquetWriter(whole, stream.schema) as writer,
        ):
            for batch in stream:
                writer.write_batch(batch)
        with whole.open("rb+") as done:
            os.fsync(done.fileno())
        return whole


def form_of(out: Path) -> Form:
    """Return the form that a file's ending asks for; `TrainingError` when there is none."""
    suffix = out.suffix.lower()
    if suffix == ".parquet":
        return Parquet()
    if suffix in {".csv", ".tsv", ".jsonl"}:
        return Text(suffix)
    raise TrainingError(f"{out.name}: accepted endings are .csv, .tsv, .parquet, .jsonl")
