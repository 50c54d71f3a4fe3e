"""Honest splits: rows to learn from and rows the search never sees.

Stratified for classes; whole groups on one side when a group column is named; the latest rows held
out when a time column is. Cross-validation inside the training part follows the same rule.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

from p1_prediction_api.contracts import Task

Indices = NDArray[np.int64]
TEST_SHARE = 0.2
N_FOLDS = 5


@dataclass(frozen=True)
class Split:
    """Row numbers to learn from and to test on, and how they were chosen, in words."""

    train: Indices
    test: Indices
    how: str
    groups: NDArray[Any] | None = None
    is_by_time: bool = False

    def folds(self, y: NDArray[Any], task: Task, seed: int) -> Iterator[tuple[Indices, Indices]]:
        """Yield pairs of positions within `train`: to fit on, to score on."""
        n_rows = len(self.train)
        if self.is_by_time:
            yield from TimeSeriesSplit(N_FOLDS).split(np.zeros(n_rows))
        elif self.groups is not None:
            yield from GroupKFold(N_FOLDS).split(np.zeros(n_rows), groups=self.groups[self.train])
        elif task == "classification":
            folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
            yield from folds.split(np.zeros(n_rows), y[self.train])
        else:
            yield from KFold(N_FOLDS, shuffle=True, random_state=seed).split(np.zeros(n_rows))


def split_rows(
    y: NDArray[Any],
    task: Task,
    *,
    seed: int,
    groups: pd.Series | None = None,
    time: pd.Series | None = None,
) -> Split:
    """Hold out a fifth of the rows."""
    rows = np.arange(len(y), dtype=np.int64)
    if time is not None:
        order = rows[np.argsort(time.to_numpy(), kind="stable")]
        cut = round(len(order) * (1 - TEST_SHARE))
        return Split(order[:cut], order[cut:], f"the latest fifth by {time.name}", is_by_time=True)
    if groups is not None:
        codes = pd.factorize(groups)[0]
        chooser = GroupShuffleSplit(1, test_size=TEST_SHARE, random_state=seed)
        train, test = next(chooser.split(rows, groups=codes))
        return Split(train, test, f"a fifth of the groups of {groups.name}", groups=codes)
    strata = y if task == "classification" else None
    train, test = train_test_split(rows, test_size=TEST_SHARE, random_state=seed, stratify=strata)
    how = "a random fifth, every class in proportion" if strata is not None else "a random fifth"
    return Split(np.asarray(train), np.asarray(test), how)
