"""Answers with their reasons: a row's prediction and what each of its values adds to it.

Of two classes the explained score is the log-odds of one of them: the positive one, or the one that
is asked for. Of more it is the class's score before the softmax less the mean over all classes:
what is added to every class alike changes no probability. Knows no HTTP. Read next:
`explaining.py`.
"""

import asyncio

import numpy as np
from common.errors import FieldError
from numpy.typing import NDArray

from p1_prediction_api.contracts import (
    MISSING,
    Explanation,
    Explanations,
    FeatureAttribution,
    Prediction,
)
from p1_prediction_api.encoding import iso_of
from p1_prediction_api.errors import RowError, TooManyRowsError
from p1_prediction_api.live import LiveModel
from p1_prediction_api.loaded import LoadedModel
from p1_prediction_api.trees import Attribution

Floats = NDArray[np.float64]


async def explain(live: LiveModel, rows: object, of: str | None, *, max_rows: int) -> Explanations:
    """Predict rows and take the answers apart; raises what predicting raises."""
    loaded, served = live.current, live.served
    if isinstance(rows, list) and len(rows) > max_rows:
        raise TooManyRowsError(len(rows), max_rows)
    classes = loaded.signature.classes
    if of is not None and of not in classes:
        known = ", ".join(classes) or "nothing: the model predicts a number"
        raise RowError([FieldError(field="of", message="is no class", accepted=known)])
    tensors = loaded.reader.read(rows)
    predictions = await loaded.answer(rows)
    found = await asyncio.to_thread(lambda: loaded.explainer.explain(tensors))
    explanations = [
        _explanation(loaded, tensors, k, predictions[k], one, of) for k, one in enumerate(found)
    ]
    return Explanations(model=served, explanations=explanations)


def _explanation(
    loaded: LoadedModel,
    tensors: dict[str, NDArray[np.generic]],
    row: int,
    prediction: Prediction,
    found: Attribution,
    of: str | None,
) -> Explanation:
    signature = loaded.signature
    said = of or signature.positive or str(prediction.prediction)
    base, columns = _of_class(found, signature.classes, said)
    parts = [
        FeatureAttribution(
            feature=name, value=_shown(loaded, name, tensors[name][row, 0]), attribution=float(part)
        )
        for name, part in zip(loaded.explainer.encoder.features, columns, strict=True)
    ]
    return Explanation(
        prediction=prediction,
        of=said if signature.classes else signature.target,
        scale="log-odds" if signature.classes else "target",
        base=base,
        score=base + float(columns.sum()),
        attributions=sorted(parts, key=lambda part: -abs(part.attribution)),
    )


def _of_class(found: Attribution, classes: tuple[str, ...], said: str) -> tuple[float, Floats]:
    """Choose the score of one class; the average of all is taken off where there are more."""
    if not classes:
        return float(found.base[0]), found.columns[:, 0]
    index = classes.index(said)
    if len(classes) == 2:
        sign = 1.0 if index == 1 else -1.0
        return sign * float(found.base[0]), sign * found.columns[:, 0]
    base = float(found.base[index] - found.base.mean())
    return base, found.columns[:, index] - found.columns.mean(axis=1)


def _shown(loaded: LoadedModel, name: str, value: object) -> float | str | None:
    if isinstance(value, str):
        return None if value == MISSING else value
    number = float(np.float32(value))  # type: ignore[arg-type] - a number or a date's days
    if np.isnan(number):
        return None
    kinds = {feature.name: feature.kind for feature in loaded.signature.features}
    return iso_of(number) if kinds[name] == "date" else float(f"{number:.7g}")
