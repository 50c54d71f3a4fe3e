"""A person's table made ready to learn from: target found, columns chosen, values as the model's.

Every decision is kept with its reason, so that a report can show it. Fits nothing: what is
learned from data (medians, levels, scales) is learned inside the folds, by `candidates.py`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from p0_foundations import Profile, Reading, profile_frame

from p1_prediction_api.common_labels import MAX_LEVELS, MIN_ROWS_PER_LEVEL
from p1_prediction_api.contracts import MISSING, Feature, Signature, Task
from p1_prediction_api.encoding import iso_of
from p1_prediction_api.errors import UnknownTargetError, UntrainableError

SAME_ORDER = 0.99
"""Rank correlation with the time of rows from which a date says the same."""
N_DAYS_OF_TWO_YEARS = 730
MIN_ROWS = 50
MIN_ROWS_PER_CLASS = 5
MAX_CLASSES = 30
MAX_NUMERIC_CLASSES = 10
"""Whole numbers of at most so many values are classes; more, or fractions, are a quantity."""
MAX_LISTED = 1000
"""Labels of a column that a signature lists; the commonest."""
MIN_COMMON_SHARE = 0.1
"""Share of rows whose label must be common (or missing) for text of many labels to be used."""
WARNED = frozenset(
    {"leak-suspect", "duplicate-rows", "sentinel", "unparsed", "mixed-types", "doubtful"}
)
"""Findings of the profile that can make a score dishonest."""
NUMERIC_KINDS = frozenset({"number", "code"})
DROPPED_KINDS = {
    "id": "identifies rows: a model would memorise it",
    "empty": "holds no value",
}
KIND_AS_TOLD = {"number": "number", "date": "datetime", "category": "category", "text": "text"}
"""What a column is when a schema says its kind, whatever it looks like."""


@dataclass(frozen=True)
class Prepared:
    """`X` holds float32 numbers, dates as days since 1970 (float32) and text labels.

    `y` holds class indices or numbers. `passing` are the dates that move on with the time by which
    rows are held out, and whether their seasons came back: see `by_time`.
    """

    X: pd.DataFrame
    y: NDArray[Any]
    task: Task
    target: str
    classes: tuple[str, ...]
    numbers: tuple[str, ...]
    dates: tuple[str, ...]
    labels: tuple[str, ...]
    profile: Profile
    dropped: dict[str, str]
    warnings: tuple[str, ...]
    fingerprint: str
    passing: Mapping[str, bool] = field(default_factory=dict)

    def by_time(self, time: pd.Series) -> "Prepared":
        """Return the same, to be split by `time`: one value for each row of `X`, in order.

        What comes later lies beyond every date seen, and trees would take it for the last days of
        training: of a date that moves with `time`, only what comes back is learned from.
        """
        ranks = pd.Series(time.rank().to_numpy())
        passing = {
            name: float(np.ptp(self.X[name].dropna())) >= N_DAYS_OF_TWO_YEARS
            for name in self.dates
            if abs(ranks.corr(self.X[name].rank())) >= SAME_ORDER
        }
        told = tuple(
            f"{name} passes with the time that rows are held out by: its later days were never "
            f"seen, so weekday, hour{' and season' if returns else ''} alone are learned from"
            for name, returns in passing.items()
        )
        return replace(self, passing=passing, warnings=(*self.warnings, *told))

    def signature(
        self, units: dict[str, str] | None = None, *, positive: str = "", threshold: float = 0.5
    ) -> Signature:
        """Describe the inputs as training saw them, and the output."""
        units = units or {}
        features = tuple(self._feature(name, units.get(name, "")) for name in self.X.columns)
        return Signature(
            task=self.task,
            target=self.target,
            unit=units.get(self.target, ""),
            features=features,
            classes=self.classes,
            positive=positive,
            threshold=threshold,
        )

    def _feature(self, name: str, unit: str) -> Feature:
        column = self.X[name]
        if name in self.dates:
            present = column.dropna()
            return Feature(
                name=name,
                kind="date",
                may_be_missing=bool(column.isna().any()),
                low=float(present.min()),
                high=float(present.max()),
                example=iso_of(float(np.floor(present.median()))),
            )
        if name in self.numbers:
            present = column.dropna()
            return Feature(
                name=name,
                kind="number",
                unit=unit,
                may_be_missing=bool(column.isna().any()),
                missing_spellings=self._spelled(name, is_missing=bool(column.isna().any())),
                low=float(present.min()),
                high=float(present.max()),
                example=float(f"{float(present.median()):.6g}"),
            )
        counts = column[column != MISSING].value_counts()
        return Feature(
            name=name,
            kind="category",
            unit=unit,
            may_be_missing=bool((column == MISSING).any()),
            missing_spellings=self._spelled(name, is_missing=bool((column == MISSING).any())),
            categories=tuple(str(level) for level in counts.index[:MAX_LISTED]),
            example=str(counts.index[0]),
        )

    def _spelled(self, name: str, *, is_missing: bool) -> tuple[str, ...]:
        """Return what was taken for missing in a column, with and without blanks around it."""
        if not is_missing:
            return ()
        told = [one.value.strip("'\"") for one in self.profile.column(name).missing_spellings]
        spelled = dict.fromkeys(one for text in told for one in (text, text.strip()))
        if name in self.numbers:
            return tuple(one for one in spelled if _is_number(one))
        return tuple(one for one in spelled if one != MISSING)


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def prepare(
    frame: pd.DataFrame,
    target: str,
    *,
    leave_out: tuple[str, ...] = (),
    reading: Reading | None = None,
) -> Prepared:
    """Choose what to learn from; raises `UnknownTargetError` or `UntrainableError`."""
    if target not in frame.columns:
        raise UnknownTargetError(target, (str(name) for name in frame.columns))
    profile = profile_frame(frame, target=target, reading=reading)
    kinds = _kinds(profile, reading)
    spelled = {
        column.name: [one.value.strip("'\"") for one in column.missing_spellings]
        for column in profile.columns
    }
    table = frame[known_target(frame, target, profile)].reset_index(drop=True)
    _refuse_target(profile, target, kinds[target], n_known=len(table))
    task, y, classes = _target(table[target], kinds[target], name=target)
    dropped = {
        column.name: DROPPED_KINDS.get(kinds[column.name], "holds one value only")
        for column in profile.columns
        if (kinds[column.name] in DROPPED_KINDS or column.is_constant) and column.name != target
    }
    dropped |= dict.fromkeys(_told_text(reading), "free text")
    dropped |= dict.fromkeys(leave_out, "names the group or the time of a row")
    kept = [name for name in frame.columns if name != target and name not in dropped]
    columns = _inputs(table[kept], kinds, spelled, dropped)
    if not columns:
        why = "; ".join(f"{name} {reason}" for name, reason in dropped.items())
        raise UntrainableError(f"no column is left to predict {target} from: {why or 'no other'}")
    found = [f.message for f in profile.findings if f.code in WARNED]
    X = pd.DataFrame(columns)
    numbers = tuple(name for name in columns if kinds[name] in NUMERIC_KINDS)
    dates = tuple(name for name in columns if kinds[name] == "datetime")
    return Prepared(
        X=X.replace([np.inf, -np.inf], np.nan) if numbers else X,
        y=y,
        task=task,
        target=target,
        classes=classes,
        numbers=numbers,
        dates=dates,
        labels=tuple(name for name in columns if name not in {*numbers, *dates}),
        profile=profile,
        dropped=dropped,
        warnings=tuple(found),
        fingerprint=_fingerprint(frame),
    )


def _inputs(
    table: pd.DataFrame,
    kinds: dict[str, str],
    spelled: dict[str, list[str]],
    dropped: dict[str, str],
) -> dict[str, pd.Series]:
    """Return each column as the model's values; adds to `dropped` the labels that are too rare."""
    columns: dict[str, pd.Series] = {}
    for name in table.columns:
        if kinds[name] in NUMERIC_KINDS:
            columns[name] = pd.to_numeric(table[name], errors="coerce").astype(np.float32)
        elif kinds[name] == "datetime":
            columns[name] = _days(table[name])
        else:
            column = _labels(table[name], spelled[name])
            if _is_mostly_rare(column):
                dropped[name] = (
                    f"free text: hardly one of its {column.nunique():,} labels is common"
                )
            else:
                columns[name] = column
    return columns


def _told_text(reading: Reading | None) -> list[str]:
    """Return the columns that a schema calls free text: they are left out, whatever they hold."""
    told = reading.columns if reading else ()
    return [column.name for column in told if column.is_told and column.kind == "text"]


def _kinds(profile: Profile, reading: Reading | None) -> dict[str, str]:
    """Take each column for what a schema says, else for what it looks like."""
    kinds = {column.name: column.kind.value for column in profile.columns}
    for column in reading.columns if reading else ():
        if column.is_told and kinds[column.name] != "empty":
            kinds[column.name] = KIND_AS_TOLD[column.kind]
    return kinds


def _refuse_target(profile: Profile, target: str, kind: str, *, n_known: int) -> None:
    """Refuse a target that cannot be predicted, with what would help."""
    if not n_known:
        raise UntrainableError(f"{target} holds no value in any of {profile.n_rows:,} rows")
    if kind == "id":
        raise UntrainableError(
            f"{target} names the rows: {profile.column(target).n_unique:,} distinct values in "
            f"{n_known:,} rows; choose a column whose values repeat, or say its kind in a schema"
        )
    if kind == "datetime":
        raise UntrainableError(
            f"{target} holds dates, which no model here predicts; make it a number, such as days "
            "until then"
        )


def known_target(frame: pd.DataFrame, target: str, profile: Profile) -> pd.Series:
    """Say of each row whether its target is known; the others teach nothing."""
    spelled = [one.value.strip("'\"") for one in profile.column(target).missing_spellings]
    return ~_missing(frame[target], spelled)


def _missing(series: pd.Series, spelled: list[str]) -> pd.Series:
    return series.isna() | series.astype("string").str.strip().isin([s.strip() for s in spelled])


def _days(series: pd.Series) -> pd.Series:
    moments = pd.to_datetime(series, errors="coerce", utc=True, format="mixed")
    since = moments - pd.Timestamp(0, tz="UTC")
    return (since / pd.Timedelta(days=1)).astype(np.float32)


def _labels(series: pd.Series, spelled: list[str]) -> pd.Series:
    text = series.astype("string").astype(object)
    return text.mask(_missing(series, spelled), MISSING).astype(object)


def _is_mostly_rare(column: pd.Series) -> bool:
    """Say whether a column's labels, too rare to learn from, are nearly all there is to it."""
    counts = column.value_counts()
    common = counts[counts >= MIN_ROWS_PER_LEVEL].head(MAX_LEVELS).sum()
    return bool(common < MIN_COMMON_SHARE * len(column))


def _target(
    series: pd.Series, kind: str, *, name: str
) -> tuple[Task, NDArray[Any], tuple[str, ...]]:
    if len(series) < MIN_ROWS:
        raise UntrainableError(
            f"{len(series)} rows have a known {name}; at least {MIN_ROWS} are needed"
        )
    n_distinct = series.nunique()
    if n_distinct < 2:
        raise UntrainableError(f"{name} holds one value only; there is nothing to predict")
    is_whole = kind in NUMERIC_KINDS and (pd.to_numeric(series, errors="coerce") % 1 == 0).all()
    if kind == "number" and not (is_whole and n_distinct <= MAX_NUMERIC_CLASSES):
        return "regression", pd.to_numeric(series).to_numpy(np.float64), ()
    if n_distinct > MAX_CLASSES:
        raise UntrainableError(
            f"{name} has {n_distinct:,} distinct labels; at most {MAX_CLASSES} classes are accepted"
        )
    labels = series.astype("string").str.strip()
    counts = labels.value_counts()
    if counts.min() < MIN_ROWS_PER_CLASS:
        rare = ", ".join(f"{c} ({n})" for c, n in counts.items() if n < MIN_ROWS_PER_CLASS)
        raise UntrainableError(
            f"too few rows of some classes of {name}: {rare}; "
            f"at least {MIN_ROWS_PER_CLASS} of each are needed"
        )
    classes = tuple(sorted(str(label) for label in counts.index))
    index = {label: k for k, label in enumerate(classes)}
    return "classification", labels.map(index).to_numpy(np.int64), classes


def _fingerprint(frame: pd.DataFrame) -> str:
    """Hash names and cells: the same table gives the same fingerprint."""
    digest = hashlib.sha256("\0".join(map(str, frame.columns)).encode())
    hashed = pd.util.hash_pandas_object(frame.astype("string"), index=False)
    digest.update(hashed.to_numpy().tobytes())
    return digest.hexdigest()[:32]
