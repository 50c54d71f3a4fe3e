"""`profile_frame`: a DataFrame in, a `Profile` out.

Columns are described one after the other on every row; relations, predictors of a target and
nothing else use a seeded sample of rows, and say so. Nothing of the table is changed or kept.
Read next: `columns.py`, `relations.py`, `predictors.py`, `findings.py`.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from functools import cache
from importlib.metadata import version

import numpy as np
import pandas as pd

from p0_foundations.cleaning import MAX_TEXT, as_text, clean
from p0_foundations.columns import profile_column
from p0_foundations.contracts import (
    ColumnProfile,
    Finding,
    Kind,
    Limits,
    Overview,
    Profile,
    Reproduction,
    SampleRows,
)
from p0_foundations.errors import UnknownColumnError
from p0_foundations.figures import Gaps
from p0_foundations.findings import (
    column_findings,
    ranked,
    reading_findings,
    relation_findings,
    renaming_findings,
    table_findings,
    target_findings,
    verdict,
)
from p0_foundations.gaps import GapTally
from p0_foundations.predictors import rate_predictors
from p0_foundations.reading.decisions import ColumnReading, Reading, ValueCount
from p0_foundations.relations import relate
from p0_foundations.sampling import SampledColumn, sample_column, sample_rows
from p0_foundations.shape_findings import shape_findings

MAX_KEPT_NUMBERS = 262_144
"""Order statistics kept of a whole table: wide tables keep fewer of each column."""
MIN_KNOTS = 32


def profile_frame(
    df: pd.DataFrame,
    *,
    target: str | None = None,
    limits: Limits | None = None,
    reading: Reading | None = None,
    n_shown_rows: int = 0,
) -> Profile:
    """Describe a table: types, missing values, distributions, relations, leaks, warnings.

    `target` is the column that a model shall predict; with it, columns that give it away are
    marked. `reading` is how the table was read, when it came from a file: what was spelled missing,
    set aside or only sampled there is told here. `n_shown_rows` keeps that many first, last and
    repeated rows in the profile, which else holds none. Raises `UnknownColumnError` when there is
    no such column. Costs about one sort per number column and one count per text column; a copy of
    one column at a time in memory.
    """
    names, renamed = _unique_names(df.columns)
    if target is not None and target not in names:
        raise UnknownColumnError(target, names)
    limits = _narrowed(limits or Limits(), len(names))
    columns, sampled, gaps = _describe(df, names, limits)
    if reading is not None:
        columns = [_as_read(column, reading.column(column.name)) for column in columns]
    by_name = dict(zip(names, sampled, strict=True))
    related = _target_first(sampled, target)
    pairs = relate(related, n_most=limits.related_columns)
    rated = rate_predictors(sampled, by_name[target], seed=limits.seed) if target else ()
    is_repeat = _repeats(df)
    n_duplicates = int(is_repeat.sum())
    findings: list[Finding] = [
        *renaming_findings(reading.renamed if reading else renamed),
        *reading_findings(reading),
        *table_findings(len(df), len(names), n_duplicates),
        *column_findings(columns),
        *shape_findings(columns),
        *relation_findings(pairs),
    ]
    if target is not None:
        findings += target_findings(columns[names.index(target)], rated)
    return Profile(
        verdict=verdict(len(df), len(names), ranked(findings)),
        n_rows=len(df),
        n_columns=len(names),
        n_duplicate_rows=n_duplicates,
        n_sampled=limits.relation_rows if len(df) > limits.relation_rows else None,
        target=target,
        findings=ranked(findings),
        columns=tuple(columns),
        associations=pairs,
        predictors=rated,
        overview=_overview(columns),
        gaps=gaps,
        reproduction=Reproduction(made_by=_made_by(), limits=limits),
        sample=_sample(df, is_repeat, n_shown_rows) if n_shown_rows > 0 else None,
        reading=reading,
    )


def _overview(columns: Sequence[ColumnProfile]) -> Overview:
    kinds = Counter(column.kind.value for column in columns)
    return Overview(
        n_cells_missing=sum(column.n_missing for column in columns),
        n_columns_with_missing=sum(column.n_missing > 0 for column in columns),
        n_columns_empty=sum(column.kind is Kind.EMPTY for column in columns),
        memory_bytes=sum(column.memory_bytes or 0 for column in columns),
        kinds=tuple(ValueCount(value=kind, n=n) for kind, n in kinds.most_common()),
    )


@cache
def _made_by() -> str:
    return f"p0-foundations {version('ai-roadmap-p0-foundations')}, pandas {pd.__version__}"


def _as_read(column: ColumnProfile, read: ColumnReading | None) -> ColumnProfile:
    """Add to a column what was seen of it only while it was read."""
    if read is None:
        return column
    return column.model_copy(
        update={
            "missing_spellings": column.missing_spellings or read.missing_spellings,
            "n_unparsed": column.n_unparsed or read.n_unread,
            "types": column.types or read.types,
        }
    )


def _describe(
    df: pd.DataFrame, names: Sequence[str], limits: Limits
) -> tuple[list[ColumnProfile], list[SampledColumn], Gaps | None]:
    rows = sample_rows(len(df), limits.relation_rows, limits.seed)
    columns: list[ColumnProfile] = []
    sampled: list[SampledColumn] = []
    tally = GapTally(len(df), n_most=limits.related_columns)
    for k, name in enumerate(names):
        series = df.iloc[:, k].reset_index(drop=True)
        cleaned = clean(series)
        column = profile_column(name, str(series.dtype), cleaned, limits).model_copy(
            update={"memory_bytes": int(series.memory_usage(index=False, deep=True))}
        )
        columns.append(column)
        sampled.append(sample_column(column, cleaned, rows))
        if column.n_missing:
            tally.add(name, cleaned.values.isna().to_numpy(dtype=np.bool_))
    return columns, sampled, tally.gaps()


def _narrowed(limits: Limits, n_columns: int) -> Limits:
    knots = min(limits.knots, max(MIN_KNOTS, MAX_KEPT_NUMBERS // max(n_columns, 1)))
    return limits.model_copy(update={"knots": knots})


def _target_first(sampled: Sequence[SampledColumn], target: str | None) -> list[SampledColumn]:
    return sorted(sampled, key=lambda column: column.name != target)


def _unique_names(labels: pd.Index) -> tuple[list[str], list[str]]:
    """Write column labels as text; a repeated one gets a number. Returns all, and the renamed."""
    names: list[str] = []
    renamed: list[str] = []
    taken = {_written(label) for label in labels}
    for label in labels:
        name = _written(label)
        if name in names:
            n = 2
            while f"{name} ({n})" in taken:
                n += 1
            name = f"{name} ({n})"
            taken.add(name)
            renamed.append(name)
        names.append(name)
    return names, renamed


def _written(label: Hashable) -> str:
    if isinstance(label, tuple):
        return " / ".join(as_text(part) for part in label)
    return as_text(label)


def _sample(df: pd.DataFrame, is_repeat: np.ndarray, n: int) -> SampleRows:
    return SampleRows(
        first=_as_texts(df.head(n)),
        last=_as_texts(df.tail(n)),
        repeated=_as_texts(df[is_repeat].head(n)),
    )


def _as_texts(df: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    columns = [
        ["" if gap else as_text(cell)[:MAX_TEXT] for cell, gap in zip(one, one.isna(), strict=True)]
        for _, one in df.items()
    ]
    return tuple(zip(*columns, strict=True))


def _repeats(df: pd.DataFrame) -> np.ndarray:
    """Mark the rows that repeat an earlier one, by 64-bit hashes of all their cells."""
    if df.shape[1] == 0 or len(df) < 2:
        return np.zeros(len(df), dtype=np.bool_)
    mixed = np.zeros(len(df), dtype=np.uint64)
    for k in range(df.shape[1]):
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + _hashes(df.iloc[:, k])
        mixed ^= mixed >> np.uint64(29)
    return pd.Series(mixed).duplicated().to_numpy()


def _hashes(series: pd.Series) -> np.ndarray:
    try:
        return pd.util.hash_pandas_object(series, index=False).to_numpy(dtype=np.uint64)
    except (TypeError, ValueError):
        texts = series.map(as_text, na_action="ignore").astype("str")
        return pd.util.hash_pandas_object(texts, index=False).to_numpy(dtype=np.uint64)
