"""Predictions for a whole table, piece by piece: answered rows, and those that no answer fits.

Columns the model does not know are kept and not looked at. A row with a value that the model cannot
read is set aside with what is wrong, and ends nothing. Needs pandas; knows no HTTP and no command
line. Read next: `table_output.py`.
"""

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from common.errors import FieldError
from numpy.typing import NDArray

from p1_prediction_api.conformal import intervals, prediction_sets
from p1_prediction_api.contracts import MISSING, Feature
from p1_prediction_api.encoding import EPOCH, LARGEST_NUMBER
from p1_prediction_api.errors import RowError
from p1_prediction_api.loaded import LoadedModel
from p1_prediction_api.missing import missing_labels, missing_numbers

ROWS_AT_ONCE = 8192
MAX_NAMED = 5

Bad = NDArray[np.bool_]


@dataclass(frozen=True)
class Piece:
    """Some consecutive rows of a table."""

    answered: pd.DataFrame
    """The table's columns, then the answers: see `predict_pieces`."""
    set_aside: pd.DataFrame
    """`row` (from 1) and `problem`, then the table's columns."""


class Problems:
    """What is wrong with the rows of a piece, by row."""

    def __init__(self, n_rows: int) -> None:
        self._told: list[list[str]] = [[] for _ in range(n_rows)]

    def note(self, is_bad: Bad, message: Callable[[int], str]) -> None:
        """Say of each bad row what is wrong with it."""
        for k in np.flatnonzero(is_bad):
            self._told[int(k)].append(message(int(k)))

    @property
    def is_bad(self) -> Bad:
        """Say of each row whether something is wrong."""
        return np.array([bool(told) for told in self._told], np.bool_)

    def of_bad(self) -> list[str]:
        """Return what is wrong with each bad row, in order."""
        return ["; ".join(told) for told in self._told if told]


def predict_pieces(
    loaded: LoadedModel, frames: Iterable[pd.DataFrame], *, n_before: int = 0
) -> Iterator[Piece]:
    """Yield the rows of consecutive frames with columns of answers, a few thousand at a time.

    `prediction`, then of classes `probability of …` for each and `prediction set`, of numbers
    `low` and `high`. `n_before` rows stand before the first. A frame without rows gives a piece
    without rows. The frames must have the columns that `check_columns` asks for.
    """
    for frame in frames:
        for start in range(0, max(1, len(frame)), ROWS_AT_ONCE):
            yield _piece(loaded, frame.iloc[start : start + ROWS_AT_ONCE], n_before + start)
        n_before += len(frame)


def check_columns(loaded: LoadedModel, known: Collection[str]) -> None:
    """Raise `RowError` for a table that lacks a column the model needs; it has those `known`."""
    missing = [feature.name for feature in loaded.signature.features if feature.name not in known]
    fields = []
    for name in missing:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"the table has {near[0]!r}" if near else "see the model's signature"
        fields.append(FieldError(field=name, message="is no column of the table", accepted=hint))
    if fields:
        raise RowError(fields[:MAX_NAMED], n_more=max(0, len(fields) - MAX_NAMED))


def _piece(loaded: LoadedModel, piece: pd.DataFrame, start: int) -> Piece:
    problems = Problems(len(piece))
    features = loaded.signature.features
    tensors = {one.name: _tensor(one, piece[one.name], problems) for one in features}
    is_bad = problems.is_bad
    rows = np.flatnonzero(is_bad)
    aside = piece.iloc[rows].copy()
    for place, (name, values) in enumerate(
        (("row", rows + start + 1), ("problem", problems.of_bad()))
    ):
        aside.insert(place, _free(name, piece), values)
    good = piece.loc[~is_bad].infer_objects()  # without texts where numbers belong
    outputs = loaded.session.run_unchecked({name: t[~is_bad] for name, t in tensors.items()})
    answers = _answers(loaded, outputs, good.index)
    renamed = answers.rename(columns={name: _free(name, good) for name in answers.columns})
    return Piece(pd.concat([good, renamed], axis=1), aside)


def _free(name: str, frame: pd.DataFrame) -> str:
    """Return a name for a column beside those of the table."""
    while name in frame.columns:
        name = f"predicted {name}"
    return name


def _tensor(feature: Feature, column: pd.Series, problems: Problems) -> NDArray[np.generic]:
    if feature.kind == "category":
        text = column.astype("string")
        is_missing = (text.isna() | text.isin(missing_labels(feature))).to_numpy(bool)
        values = text.astype(object).where(~is_missing, MISSING).to_numpy(object)
    else:
        values, is_bad = _numbers(feature, column)
        name, kind = feature.name, feature.kind
        problems.note(is_bad, lambda k: f"{name}: {str(column.iloc[k])[:40]!r} is no {kind}")
        is_missing = np.isnan(values) & ~is_bad
    if not feature.may_be_missing:
        problems.note(is_missing, lambda _: f"{feature.name}: is missing")
    return values.reshape(-1, 1)


def _numbers(feature: Feature, column: pd.Series) -> tuple[NDArray[np.float32], Bad]:
    if feature.kind == "number":
        found = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    else:
        moments = pd.to_datetime(column, errors="coerce", utc=True, format="mixed")
        days = (moments - pd.Timestamp(EPOCH)) / pd.Timedelta(days=1)
        found = days.to_numpy(np.float64)
    is_blank = column.isna() | (column.astype("string").str.strip() == "").fillna(value=True)
    is_bad = np.isnan(found) | (np.abs(found) > LARGEST_NUMBER)
    with np.errstate(over="ignore"):
        values = found.astype(np.float32)
    values[np.isin(values, missing_numbers(feature))] = np.nan
    return values, is_bad & ~is_blank.to_numpy(bool)


def _answers(
    loaded: LoadedModel, outputs: dict[str, NDArray[np.generic]], index: pd.Index
) -> pd.DataFrame:
    uncertainty = loaded.card.uncertainty
    if loaded.signature.task == "regression":
        numbers = outputs[loaded.output("prediction")].astype(np.float64)
        found = pd.DataFrame({"prediction": numbers}, index=index)
        if uncertainty is not None:
            found["low"], found["high"] = intervals(numbers, uncertainty.bins)
        return found
    classes = loaded.signature.classes
    table = outputs[loaded.output("probabilities")].astype(np.float64)
    found = pd.DataFrame({"prediction": outputs[loaded.output("label")]}, index=index)
    for k, name in enumerate(classes):
        found[f"probability of {name}"] = table[:, k]
    if uncertainty is not None and uncertainty.set_threshold is not None:
        held = prediction_sets(table, uncertainty.set_threshold)
        found["prediction set"] = [
            " | ".join(c for c, is_in in zip(classes, row, strict=True) if is_in) for row in held
        ]
    return found
