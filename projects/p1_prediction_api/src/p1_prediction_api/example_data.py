"""The data of the first start: breast-cancer biopsies, as scikit-learn carries them.

569 cell samples measured on images, 30 figures each (Street, Wolberg and Mangasarian, 1993). Only
training loads it.
"""

from typing import Any

import pandas as pd
from sklearn.datasets import load_breast_cancer

TARGET = "diagnosis"


def example_table() -> pd.DataFrame:
    """Return the table with a readable target."""
    bunch: Any = load_breast_cancer(as_frame=True)
    table: pd.DataFrame = bunch.frame.drop(columns="target")
    names = list(bunch.target_names)
    return table.assign(**{TARGET: [str(names[k]) for k in bunch.target]})
