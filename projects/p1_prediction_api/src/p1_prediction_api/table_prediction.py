"""Predictions for a whole table: the columns of a frame in, the frame with answers out.

In pieces, so that memory stays bounded by the table itself and progress can be shown. Columns the
model does not know are kept and not looked at. Needs pandas; knows no HTTP and no command line.
"""

import difflib
from collections.abc import Callable

import numpy as np
import pandas as pd
from common.errors import FieldError
from numpy.typing import NDArray

from p1_prediction_api.conformal import intervals, prediction_sets
from p1_prediction_api.contracts import MISSING, Feature
from p1_prediction_api.encoding import EPOCH, LARGEST_NUMBER
from p1_prediction_api.errors import RowError
from p1_prediction_api.loaded import LoadedModel

ROWS_AT_ONCE = 8192
MAX_NAMED = 5


def predict_table(
    loaded: LoadedModel, frame: pd.DataFrame, report: Callable[[float], None]
) -> pd.DataFrame:
    """Return the frame with columns of answers; `RowError` names what does not fit.

    `prediction`, then of classes `probability of …` for each and `prediction set`, of numbers
    `low` and `high`. `report` is called with the share done, 0 to 1.
    """
    check_columns(loaded, frame)
    pieces = []
    for start in range(0, len(frame), ROWS_AT_ONCE):
        piece = frame.iloc[start : start + ROWS_AT_ONCE]
        tensors = {
            feature.name: _tensor(feature, piece[feature.name], start)
            for feature in loaded.signature.features
        }
        pieces.append(_answers(loaded, loaded.session.run_unchecked(tensors), piece.index))
        report(min(1.0, (start + ROWS_AT_ONCE) / len(frame)))
    answers = pd.concat(pieces) if pieces else pd.DataFrame(index=frame.index)
    taken = [name for name in answers.columns if name in frame.columns]
    return frame.join(answers.rename(columns={name: f"predicted {name}" for name in taken}))


def check_columns(loaded: LoadedModel, frame: pd.DataFrame) -> None:
    """Refuse a table that lacks a column the model needs."""
    known = [str(name) for name in frame.columns]
    missing = [feature.name for feature in loaded.signature.features if feature.name not in known]
    fields = []
    for name in missing:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"the table has {near[0]!r}" if near else "see the model's signature"
        fields.append(FieldError(field=name, message="is no column of the table", accepted=hint))
    if fields:
        raise RowError(fields[:MAX_NAMED], n_more=max(0, len(fields) - MAX_NAMED))


def _tensor(feature: Feature, column: pd.Series, start: int) -> NDArray[np.generic]:
    if feature.kind == "category":
        text = column.astype("string")
        is_missing = text.isna().to_numpy()
        values = text.astype(object).where(~is_missing, MISSING).to_numpy(object)
    else:
        values, is_bad = _numbers(feature, column)
        _refuse(
            feature, is_bad, start, lambda k: f"{str(column.iloc[k])[:40]!r} is no {feature.kind}"
        )
        is_missing = np.isnan(values)
    if not feature.may_be_missing:
        _refuse(feature, is_missing, start, lambda _: "is missing")
    return values.reshape(-1, 1)


def _numbers(feature: Feature, column: pd.Series) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    if feature.kind == "number":
        found = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    else:
        moments = pd.to_datetime(column, errors="coerce", utc=True, format="mixed")
        days = (moments - pd.Timestamp(EPOCH)) / pd.Timedelta(days=1)
        found = days.to_numpy(np.float64)
    is_blank = column.isna() | (column.astype("string").str.strip() == "").fillna(value=True)
    is_bad = np.isnan(found) | (np.abs(found) > LARGEST_NUMBER)
    with np.errstate(over="ignore"):
        return found.astype(np.float32), is_bad & ~is_blank.to_numpy(bool)


def _refuse(
    feature: Feature, is_bad: NDArray[np.bool_], start: int, message: Callable[[int], str]
) -> None:
    bad = np.flatnonzero(is_bad)
    if not len(bad):
        return
    first = int(bad[0])
    raise RowError(
        [
            FieldError(
                field=f"row {start + first + 1}, {feature.name}",
                message=message(first),
                accepted=f"a {feature.kind}{' or nothing' if feature.may_be_missing else ''}",
            )
        ],
        n_more=len(bad) - 1,
    )


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
