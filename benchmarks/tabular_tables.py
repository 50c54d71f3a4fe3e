"""The public tables of `tabular.py`, the hold-outs, and how a competent person prepares a peer.

Files are looked for in `tabular/` below the folder that `ROADMAP_DATASETS` names. Ours is given
what pandas reads; the peer is given what a person would hand to scikit-learn's boosted trees: ids
and free text taken out by hand, text columns as native categories, dates as numbers.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

Rows = NDArray[np.int64]
ADULT = (
    *("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation"),
    *("relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week"),
    *("native-country", "income"),
)
GERMAN = (*(f"a{k}" for k in range(1, 21)), "credit")
TEST_SHARE = 0.2
HOLDOUTS = ((3_000, 4), (10_000, 3), (10**9, 2))
"""So many hold-outs for a table of fewer rows than so many."""


@dataclass(frozen=True)
class Table:
    """A table, what is predicted of it, and what a person would take out by hand."""

    name: str
    file: str
    target: str
    useless: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    """Parts of the target; taken out for everyone."""
    time: str = ""
    header: tuple[str, ...] = ()

    def read(self) -> pd.DataFrame:
        """Read the table as pandas does, without the leaks."""
        path = Path(os.environ["ROADMAP_DATASETS"]) / "tabular" / self.file
        names = list(self.header) or None
        frame = pd.read_csv(path, names=names, skipinitialspace=True, encoding="utf-8-sig")
        return frame.drop(columns=list(self.leaks))

    def holdouts(self, frame: pd.DataFrame) -> Iterator[tuple[Rows, Rows]]:
        """Yield rows to learn from and to test on: seeded, or a growing past and what follows.

        The fewer rows, the more hold-outs: a small one tells little.
        """
        rows = np.arange(len(frame))
        n = next(count for most, count in HOLDOUTS if len(rows) < most)
        for k in range(n):
            if self.time:
                end = len(rows) - round((n - k - 1) * TEST_SHARE / n * len(rows))
                start = end - round(TEST_SHARE * len(rows))
                yield rows[:start], rows[start:end]
                continue
            y = frame[self.target]
            strata = y if y.nunique() == 2 else None
            train, test = train_test_split(
                rows, test_size=TEST_SHARE, random_state=k, stratify=strata
            )
            yield train, test


TABLES = (
    Table("titanic", "titanic.csv", "Survived", useless=("PassengerId", "Name", "Ticket")),
    Table("german_credit", "german_credit.csv", "credit", header=GERMAN),
    Table("telco_churn", "telco_churn.csv", "Churn", useless=("customerID",)),
    Table(
        "bike_hour_2011",
        "bike_hour_2011.csv",
        "count",
        leaks=("casual", "registered"),
        time="instant",
        useless=("dateday", "instant"),
    ),
    Table("credit_default", "credit_default.csv", "default"),
    Table("california_housing", "california_housing.csv", "median_house_value"),
    Table("adult", "adult.data", "income", header=ADULT),
    Table("ames_housing", "ames_housing.csv", "SalePrice", useless=("Order", "PID")),
)


def for_peer(table: Table, frame: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[Any]]:
    """Return columns for scikit-learn and the target as numbers; classes in sorted order."""
    y = frame[table.target]
    X = frame.drop(columns=[table.target, *table.useless])
    for name in X.columns:
        if pd.api.types.is_numeric_dtype(X[name]):
            continue
        text = X[name].replace("?", np.nan).astype("string").str.strip().replace("", pd.NA)
        number = pd.to_numeric(text, errors="coerce")
        is_number = number.notna().sum() == text.notna().sum()
        X[name] = (
            number
            if is_number
            else text.astype(object).where(text.notna(), np.nan).astype("category")
        )
    if y.nunique() == 2:
        return X, np.asarray(pd.factorize(y.astype(str), sort=True)[0])
    return X, y.to_numpy(np.float64)
