"""Arrays checked before they are measured: length, shape, missing and infinite values.

Every refusal is an `EvaluationError` that names the argument. Knows no metric.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from common.evaluation.estimates import EvaluationError

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


def numbers(name: str, values: ArrayLike, *, n: int | None = None, n_dimensions: int = 1) -> Floats:
    """Return finite numbers of the right shape, or say which one is wrong."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EvaluationError(f"{name} must be numbers: {error}") from error
    if array.ndim != n_dimensions:
        raise EvaluationError(f"{name} has {array.ndim} dimensions; accepted: {n_dimensions}")
    _check_length(name, len(array), n)
    bad = np.flatnonzero(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))
    if len(bad):
        raise EvaluationError(
            f"{name} holds {len(bad)} missing or infinite value(s), first at index {bad[0]}; "
            "accepted: finite numbers"
        )
    return array


def classes(name: str, values: ArrayLike, *, n: int | None = None) -> NDArray[np.generic]:
    """Return class labels (text, whole numbers or booleans), none of them missing."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise EvaluationError(f"{name} has {array.ndim} dimensions; accepted: one label an example")
    _check_length(name, len(array), n)
    missing = np.array([label is None or label != label for label in array.tolist()])  # noqa: PLR0124 - only NaN differs from itself
    if missing.any():
        raise EvaluationError(
            f"{name} holds {int(missing.sum())} missing label(s), first at index "
            f"{int(missing.argmax())}; accepted: a label for each example"
        )
    kinds = {type(label) for label in array.tolist()}
    if len(kinds) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise EvaluationError(f"{name} mixes labels of types {names}; accepted: one type")
    return array


def codes(name: str, values: NDArray[np.generic], labels: Sequence[object]) -> Integers:
    """Return each label's place in `labels`, or name the one that is unknown."""
    places = {label: place for place, label in enumerate(labels)}
    try:
        return np.array([places[label] for label in values.tolist()], dtype=np.int64)
    except KeyError as error:
        known = ", ".join(map(repr, list(labels)[:10]))
        raise EvaluationError(
            f"{name} holds the label {error.args[0]!r}; accepted: {known}"
        ) from error


def clusters(groups: ArrayLike | None, n: int) -> Integers | None:
    """Return each example's cluster as a number from 0, or None when there are no clusters."""
    if groups is None:
        return None
    _, numbered = np.unique(classes("groups", groups, n=n), return_inverse=True)
    if numbered.max() == 0:
        raise EvaluationError("groups holds one group; accepted: two or more to resample")
    return numbered.astype(np.int64)


def _check_length(name: str, length: int, n: int | None) -> None:
    if n is not None and length != n:
        raise EvaluationError(f"{name} has {length} examples; accepted: {n}, as the truth has")
    if length < 2:
        raise EvaluationError(f"{name} has {length} example(s); accepted: two or more")
