"""The work behind `predict-table`: read, predict, write, set aside, go on where it was stopped."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.errors import FieldError
from p0_foundations import ColumnSchema, Pieces, TableSchema, open_pieces

from p1_prediction_api.contracts import Signature
from p1_prediction_api.errors import RowError, TrainingError
from p1_prediction_api.loaded import LoadedModel
from p1_prediction_api.table_output import Unfinished, go_on
from p1_prediction_api.table_prediction import check_columns, predict_pieces

Report = Callable[[str, float], None]
KINDS = {"number": "number", "category": "text"}
"""As what a model's inputs are read; a date is found in whatever form it has."""


@dataclass(frozen=True)
class Answered:
    """How a table was answered."""

    n_answered: int
    n_set_aside: int = 0
    set_aside: Path | None = None
    first_problem: str = ""


@dataclass(frozen=True)
class Asked:
    """A file to answer: what is in it, by its content, and the way through it."""

    path: Path
    sha256: str
    stamp: tuple[int, int]
    pieces: Pieces

    def refuse_changed(self) -> None:
        """Raise `TrainingError` when the file is no longer the one that was opened."""
        if _stamp(self.path) != self.stamp:
            raise TrainingError(f"{self.path} was changed while it was read; run it again")


def ask(
    path: Path, schema: TableSchema, signature: Signature, report: Report, *, is_strict: bool
) -> Asked:
    """Look through a file, whose columns are read as a schema says, else as the model needs them.

    A cell that the model cannot read keeps its text, so that its row can be set aside with it.
    """
    report("reading the table", 0.0)
    try:
        stamp = _stamp(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror}") from error
    pieces = open_pieces(
        path,
        schema=_as_needed(schema, signature),
        keep_unread=[one.name for one in signature.features if one.kind != "category"],
        is_strict=False,
        progress=lambda share: report("reading the table", share),
    )
    if is_strict:
        schema.refuse_unknown([*pieces.names, *pieces.reading.left_out])
    return Asked(path, digest, stamp, pieces)


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _as_needed(schema: TableSchema, signature: Signature) -> TableSchema:
    columns = dict(schema.columns)
    for one in signature.features:
        said = columns.get(one.name, ColumnSchema())
        if not said.kind and one.kind in KINDS:
            columns[one.name] = said.model_copy(update={"kind": KINDS[one.kind]})
    return schema.model_copy(update={"columns": columns})


def answer_table(
    loaded: LoadedModel, asked: Asked, out: Path, report: Report, tell: Callable[[str], None]
) -> Answered:
    """Write the answered rows to `out`, the others beside it with what is wrong with each.

    Neither file is there unless all of it is. Work that was stopped is gone on with when the table,
    the way it is read and the model are the same. Raises `RowError` when not one row can be
    answered, and `TrainingError`.
    """
    check_columns(loaded, asked.pieces.names)
    with go_on(out, _order(loaded, asked)) as (work, differs):
        if differs:
            tell(f"{' and '.join(differs)} changed since this was stopped: it begins again")
        if n_read := work.reached.n_read:
            tell(f"going on after row {n_read:,}, where this was stopped")
        try:
            _answer(loaded, asked.pieces, work, report)
        except KeyboardInterrupt:
            n_read = work.reached.n_read
            tell(f"stopped after {n_read:,} rows; the same command goes on from there")
            raise
        asked.refuse_changed()
        done = work.reached
        if done.n_set_aside and not done.n_answered:
            work.discard()
            row, _, problem = done.first_problem.partition(", ")
            raise RowError([FieldError(field=row, message=problem)], n_more=done.n_set_aside - 1)
        beside = work.finish()
    return Answered(done.n_answered, done.n_set_aside, beside, done.first_problem)


def _order(loaded: LoadedModel, asked: Asked) -> dict[str, str]:
    version, read = loaded.version, asked.pieces
    told = read.reading.model_dump_json() + read.schema.model_dump_json()
    return {
        "the table": asked.sha256,
        "how it is read": hashlib.sha256(told.encode()).hexdigest(),
        "the model": f"{version.model} {version.version} {version.created_at.isoformat()}",
    }


def _answer(loaded: LoadedModel, pieces: Pieces, work: Unfinished, report: Report) -> None:
    n_rows = max(1, pieces.reading.n_rows)
    n_read = work.reached.n_read
    for frame in pieces.frames(skip=n_read):
        for piece in predict_pieces(loaded, [frame], n_before=n_read):
            work.write(piece.answered, piece.set_aside)
        n_read += len(frame)
        work.commit(n_read)
        report(f"predicting, {n_read:,} rows", min(1.0, n_read / n_rows))
