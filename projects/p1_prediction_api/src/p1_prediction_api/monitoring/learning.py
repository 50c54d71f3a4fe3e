"""The reference of a model about to be published: bins of the training part, answers, strangeness.

The answers are those of the twin of what will serve, on the held-out rows, from which it did not
learn: on rows a model learned from it is surer than it will be again, and out-of-fold answers are
other models'. NumPy alone. Read next: `reference.py`, `strangeness.py`.
"""

import numpy as np
from numpy.typing import NDArray

from p1_prediction_api.contracts import MISSING, Feature, Signature
from p1_prediction_api.encoding import DATE_PARTS, Encoder
from p1_prediction_api.monitoring.counting import said_classes, watched_number
from p1_prediction_api.monitoring.reference import (
    FeatureReference,
    PredictionReference,
    Reference,
    bin_of,
)
from p1_prediction_api.monitoring.strangeness import Matrix, fit_strangeness

MAX_BINS = 10
MIN_ROWS_PER_BIN = 50
MAX_LABELS = 20


def learn_reference(
    signature: Signature,
    encoder: Encoder,
    train: Matrix,
    held_out: Matrix,
    answers: NDArray[np.float32],
) -> Reference:
    """Describe encoded rows: the training part, and the held-out ones with their `answers`."""
    by_name = {feature.name: feature for feature in signature.features}
    features = [
        _number(by_name[name], train[:, column], held_out[:, column])
        for name, column in _number_columns(encoder)
    ]
    start = len(encoder.numbers) + len(DATE_PARTS) * len(encoder.dates)
    for name, levels in encoder.levels.items():
        part = slice(start, start + len(levels))
        start = part.stop
        features.append(_category(name, levels, train[:, part], held_out[:, part]))
    return Reference(
        n_train=len(train),
        n_held_out=len(held_out),
        features=tuple(features),
        prediction=_prediction(signature, answers),
        strangeness=fit_strangeness(encoder, train, held_out),
    )


def _number_columns(encoder: Encoder) -> list[tuple[str, int]]:
    n = len(encoder.numbers)
    dates = ((name, n + k * len(DATE_PARTS)) for k, name in enumerate(encoder.dates))
    return [*((name, k) for k, name in enumerate(encoder.numbers)), *dates]


def _number(feature: Feature, train: Matrix, held_out: Matrix) -> FeatureReference:
    present = train[~np.isnan(train)]
    edges = _edges(present)
    is_strange = (held_out < np.float32(feature.low)) | (held_out > np.float32(feature.high))
    return FeatureReference(
        name=feature.name,
        kind="date" if feature.kind == "date" else "number",
        edges=edges,
        counts=_counts(bin_of(edges, present), len(edges) + 1),
        low=feature.low,
        high=feature.high,
        n_missing=len(train) - len(present),
        n_unseen=int(is_strange.sum()),
    )


def _category(
    name: str, levels: tuple[str, ...], train: Matrix, held_out: Matrix
) -> FeatureReference:
    """Count levels by their columns; the rarer ones beyond `MAX_LABELS` share a bin."""
    totals = {level: int(n) for level, n in zip(levels, train.sum(axis=0), strict=True)}
    n_missing = totals.pop(MISSING, 0)
    by_size = sorted(totals, key=lambda level: (-totals[level], level))
    labels, others = by_size[:MAX_LABELS], by_size[MAX_LABELS:]
    return FeatureReference(
        name=name,
        kind="category",
        labels=tuple(labels),
        counts=(*(totals[level] for level in labels), sum(totals[level] for level in others)),
        n_missing=n_missing,
        n_unseen=int((~held_out.any(axis=1)).sum()),
    )


def _prediction(signature: Signature, answers: NDArray[np.float32]) -> PredictionReference:
    said = said_classes(signature, answers)
    n_classes = len(signature.classes)
    class_counts = _counts(said, n_classes) if n_classes else ()
    of = signature.target
    if n_classes:
        of = signature.positive or signature.classes[int(np.argmax(class_counts))]
    numbers = watched_number(signature, of, answers)
    edges = _edges(numbers)
    return PredictionReference(
        of=of,
        edges=edges,
        counts=_counts(bin_of(edges, numbers), len(edges) + 1),
        classes=signature.classes,
        class_counts=class_counts,
    )


def _edges(values: NDArray[np.float32]) -> tuple[float, ...]:
    """Return edges of bins that hold about as many values each; none of them is empty.

    An edge lies halfway to the next value that occurs, so that the last digit of a float moves no
    value into another bin.
    """
    n_bins = int(np.clip(len(values) // MIN_ROWS_PER_BIN, 2, MAX_BINS))
    ordered = np.unique(values).astype(np.float64)
    shares = np.linspace(0, 1, n_bins + 1)[1:-1]
    quantiles = np.unique(np.quantile(values, shares, method="lower"))
    at = np.searchsorted(ordered, quantiles)
    at = at[at < len(ordered) - 1]
    return tuple(((ordered[at] + ordered[at + 1]) / 2).tolist())


def _counts(which: NDArray[np.int64], n_bins: int) -> tuple[int, ...]:
    return tuple(np.bincount(which, minlength=n_bins).tolist())
