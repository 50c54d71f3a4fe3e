"""The work behind `predict-table`: predict, write, set aside what does not fit."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from common.errors import FieldError

from p1_prediction_api.errors import RowError
from p1_prediction_api.loaded import LoadedModel
from p1_prediction_api.table_output import written_whole
from p1_prediction_api.table_prediction import predict_pieces


@dataclass(frozen=True)
class Answered:
    """How a table was answered."""

    n_answered: int
    n_set_aside: int = 0
    set_aside: Path | None = None
    first_problem: str = ""


def answer_table(
    loaded: LoadedModel, frame: pd.DataFrame, out: Path, report: Callable[[float], None]
) -> Answered:
    """Write the answered rows to `out`, the others beside it with what is wrong with each.

    Nothing is written unless all of it is. Raises `RowError` when not one row can be answered.
    """
    n_answered, aside = 0, list[pd.DataFrame]()
    with written_whole(out) as write:
        for piece in predict_pieces(loaded, frame, report):
            write(piece.answered)
            n_answered += len(piece.answered)
            if len(piece.set_aside):
                aside.append(piece.set_aside)
        if not aside:
            return Answered(n_answered)
        refused = pd.concat(aside)
        row, problem = (str(value) for value in refused.iloc[0, :2])
        if not n_answered:
            told = FieldError(field=f"row {row}", message=problem)
            raise RowError([told], n_more=len(refused) - 1)
        beside = out.with_name(f"{out.stem}.set-aside.csv")
        with written_whole(beside) as write_aside:
            write_aside(refused)
    return Answered(n_answered, len(refused), beside, f"row {row}, {problem}")
