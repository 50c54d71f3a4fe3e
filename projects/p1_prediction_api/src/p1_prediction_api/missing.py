"""What stands for a missing value in a column, beside null: as training found it spelled there.

A "?" that training took for missing is missing when it is asked about, too, and so is a number such
as -999 that a schema called missing. In another column the same text is a label like any other.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from p1_prediction_api.contracts import MISSING, Feature, Signature

Tensor = NDArray[Any]


def missing_labels(feature: Feature) -> frozenset[str]:
    """Return the texts that mean missing in a column of labels."""
    return frozenset(feature.missing_spellings if feature.kind == "category" else ())


def missing_numbers(feature: Feature) -> NDArray[np.float32]:
    """Return the numbers that mean missing in a column of numbers."""
    told = feature.missing_spellings if feature.kind == "number" else ()
    return np.array([float(one) for one in told], np.float32)


class MissingSpelled:
    """Takes what means missing out of tensors, one a feature."""

    def __init__(self, signature: Signature) -> None:
        features = signature.features
        self._labels = {f.name: found for f in features if (found := missing_labels(f))}
        self._numbers = {f.name: found for f in features if len(found := missing_numbers(f))}

    def taken_out(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the tensors with what is missing as the model knows it."""
        found = dict(tensors)
        for name, told in self._labels.items():
            is_told = np.array([value in told for value in found[name].ravel()], np.bool_)
            if is_told.any():
                found[name] = np.where(is_told.reshape(found[name].shape), MISSING, found[name])
        for name, numbers in self._numbers.items():
            is_told = np.isin(found[name], numbers)
            if is_told.any():
                found[name] = np.where(is_told, np.float32(np.nan), found[name])
        return found
