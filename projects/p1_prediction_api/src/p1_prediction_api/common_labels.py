"""Labels as columns: one for each label that is common enough to learn from.

A rare label is treated as one that was never seen: its columns are all 0. So a text column of any
number of labels can be used, and what is rare is decided inside the fold.
"""

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

MAX_LEVELS = 100
MIN_ROWS_PER_LEVEL = 5
"""A label of fewer rows teaches next to nothing, and costs a column in every tree."""


class CommonLabels(TransformerMixin, BaseEstimator):
    """One column of 0 and 1 for each common label of each column of text."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Find the common labels; a column without any keeps its commonest."""
        del y
        self.categories_ = [_common(X[name]) for name in X.columns]
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float32]:
        """Return the columns, shape (n, n_labels)."""
        parts = [
            pd.Index(known).get_indexer(pd.Index(X[name]))[:, None] == np.arange(len(known))
            for name, known in zip(X.columns, self.categories_, strict=True)
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)


def _common(column: pd.Series) -> NDArray[np.object_]:
    counts = column.value_counts()
    kept = counts[counts >= MIN_ROWS_PER_LEVEL].index[:MAX_LEVELS]
    return np.array(sorted(kept if len(kept) else counts.index[:1]), dtype=object)
