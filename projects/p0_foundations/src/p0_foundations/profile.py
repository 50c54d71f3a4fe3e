"""`profile_frame`: a pandas table in, a `Profile` out.

Reads each column once (`columns.py`), relations on a bounded sample of rows (`relations.py`), and
puts into words what stands out (`findings.py`). Holds no state and prints nothing.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from p0_foundations.columns import profile_column
from p0_foundations.contracts import ColumnProfile, Kind, Profile
from p0_foundations.errors import UnknownColumnError
from p0_foundations.findings import find, verdict
from p0_foundations.relations import associations, predictors

Hashes = NDArray[np.uint64]

SAMPLE_ROWS = 50_000
MAX_RELATED_COLUMNS = 200
"""A wider table gets no associations: pairs grow with the square."""


def profile_frame(
    frame: pd.DataFrame, *, target: str | None = None, sample_rows: int = SAMPLE_ROWS
) -> Profile:
    """Describe a table: types, missingness, distributions, relations, and what to look at.

    `target` is the column to predict; with it, columns that alone give it away are named. Relations
    are computed on at most `sample_rows` rows, drawn with a fixed seed; `n_sampled` says so. Column
    names that repeat get a suffix `.1`, `.2`. Raises `UnknownColumnError` for a target that is not
    there. The frame is not changed.
    """
    table = frame.set_axis(_unique_names(frame.columns), axis=1)
    if target is not None and target not in table.columns:
        raise UnknownColumnError(target, table.columns)
    columns = tuple(profile_column(str(name), table[name]) for name in table.columns)
    kinds = {column.name: column.kind for column in columns}
    is_sampled = len(table) > sample_rows
    rows = table.sample(sample_rows, random_state=0) if is_sampled else table
    related = _as_profiled(rows, columns)
    is_wide = len(columns) > MAX_RELATED_COLUMNS
    pairs = () if is_wide else associations(related, kinds)
    rated = () if target is None else predictors(related, kinds, target)
    n_duplicates, twins = _n_duplicate_rows(table), _twins(table, columns)
    findings = find(
        columns,
        pairs,
        rated,
        n_rows=len(table),
        n_duplicate_rows=n_duplicates,
        twins=twins,
        target=target,
    )
    return Profile(
        n_rows=len(table),
        n_columns=len(columns),
        n_duplicate_rows=n_duplicates,
        n_sampled=sample_rows if is_sampled else None,
        target=target,
        columns=columns,
        associations=pairs,
        predictors=rated,
        findings=findings,
        verdict=verdict(len(table), len(columns), findings),
    )


def _unique_names(names: pd.Index) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for raw in names:
        name = str(raw)
        seen[name] = seen.get(name, -1) + 1
        unique.append(f"{name}.{seen[name]}" if seen[name] else name)
    return unique


def _as_profiled(rows: pd.DataFrame, columns: tuple[ColumnProfile, ...]) -> pd.DataFrame:
    """Return the sample with numbers as numbers and everything else as comparable labels."""
    related: dict[str, pd.Series] = {}
    for column in columns:
        series = rows[column.name]
        if column.kind is Kind.NUMBER:
            numbers = pd.to_numeric(series, errors="coerce").astype("float64")
            related[column.name] = numbers
        else:
            spelled = {one.value.strip("'\"") for one in column.missing_spellings}
            labels = series.astype("string")
            related[column.name] = labels.mask(labels.isin(spelled)).astype(object)
    return pd.DataFrame(related, index=rows.index)


def _n_duplicate_rows(table: pd.DataFrame) -> int:
    if table.empty:
        return 0
    return int(pd.Series(_row_hashes(table)).duplicated().sum())


def _row_hashes(table: pd.DataFrame) -> Hashes:
    total: Hashes = np.zeros(len(table), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for name in table.columns:
            total *= np.uint64(1_000_003)
            total += _cell_hashes(table[name])
    return total


def _cell_hashes(series: pd.Series) -> Hashes:
    try:
        hashed = pd.util.hash_pandas_object(series, index=False)
    except TypeError:  # lists, dicts and mixtures have no order and no hash: compared as text
        hashed = pd.util.hash_pandas_object(series.map(repr), index=False)
    return hashed.to_numpy(np.uint64)


def _twins(table: pd.DataFrame, columns: tuple[ColumnProfile, ...]) -> list[tuple[str, str]]:
    """Find pairs of columns that hold the same values, by hash; constant ones do not count."""
    by_content: dict[tuple[str, int, int], str] = {}
    twins = []
    for column in columns:
        if column.kind in {Kind.CONSTANT, Kind.EMPTY}:
            continue
        hashes = _cell_hashes(table[column.name])
        with np.errstate(over="ignore"):
            mixed = int((hashes * np.arange(1, len(hashes) + 1, dtype=np.uint64)).sum())
        key = (column.stored_as, column.n_unique, mixed)
        if key in by_content:
            twins.append((by_content[key], column.name))
        else:
            by_content[key] = column.name
    return twins
