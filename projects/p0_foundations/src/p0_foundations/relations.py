"""Relations between columns: associations of pairs, and how well one column alone gives the target.

Works on a bounded sample of rows and a bounded number of columns; the profile says so. Sources:
bias-corrected Cramér's V, Bergsma (2013), "A bias-correction for Cramér's V and Tschuprow's T";
correlation ratio (eta), Fisher (1925).
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from p0_foundations.contracts import Association, Kind, Predictor

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Measure = Literal["gini", "accuracy_gain", "r2"]

MAX_COLUMNS = 30
MAX_LEVELS = 50
N_FOLDS = 4
N_BINS = 20
SUSPECT_POWER = 0.97
LONE_POWER = 0.85
"""A lone column this strong is suspect when no other reaches half of it."""
MAX_CLASSES = 20
MIN_ROWS = 40


def associations(frame: pd.DataFrame, kinds: dict[str, Kind]) -> tuple[Association, ...]:
    """Measure every pair among the first numbers and categories, strongest first."""
    numbers = [name for name, kind in kinds.items() if kind is Kind.NUMBER][:MAX_COLUMNS]
    labels = [name for name, kind in kinds.items() if kind in {Kind.CATEGORY, Kind.BOOLEAN}]
    codes = {name: _codes(frame[name]) for name in labels[:MAX_COLUMNS]}
    found = [*_between_numbers(frame[numbers])]
    for a, b in combinations(codes, 2):
        found += _kept(
            Association(a=a, b=b, measure="cramers_v", value=_cramer(codes[a], codes[b]))
        )
    for a, levels in codes.items():
        for b in numbers:
            eta = _correlation_ratio(levels, frame[b].to_numpy(np.float64))
            found += _kept(Association(a=a, b=b, measure="correlation_ratio", value=eta))
    return tuple(sorted(found, key=lambda one: -abs(one.value)))


def _kept(one: Association) -> list[Association]:
    return [one] if np.isfinite(one.value) else []


def _between_numbers(frame: pd.DataFrame) -> Iterable[Association]:
    if frame.shape[1] < 2 or len(frame) < 3:
        return
    finite = frame.replace([np.inf, -np.inf], np.nan).astype("float64")
    with np.errstate(all="ignore"):
        pearson = finite.corr().to_numpy()
        spearman = finite.rank().corr().to_numpy()
    for i, j in combinations(range(frame.shape[1]), 2):
        a, b = str(frame.columns[i]), str(frame.columns[j])
        yield from _kept(Association(a=a, b=b, measure="pearson", value=pearson[i, j]))
        yield from _kept(Association(a=a, b=b, measure="spearman", value=spearman[i, j]))


def _codes(series: pd.Series) -> Codes:
    codes = np.asarray(pd.factorize(series)[0], dtype=np.int64)
    return np.where(codes >= MAX_LEVELS, MAX_LEVELS, codes)


def _cramer(a: Codes, b: Codes) -> float:
    both = (a >= 0) & (b >= 0)
    n = int(both.sum())
    if n < 2:
        return float("nan")
    table = pd.crosstab(a[both], b[both]).to_numpy()
    rows, columns = table.shape
    if min(rows, columns) < 2:
        return float("nan")
    chi2 = float(stats.chi2_contingency(table, correction=False).statistic)
    phi2 = max(0.0, chi2 / n - (rows - 1) * (columns - 1) / (n - 1))
    rows_c, columns_c = (k - (k - 1) ** 2 / (n - 1) for k in (rows, columns))
    smaller = min(rows_c - 1, columns_c - 1)
    return min(1.0, float(np.sqrt(phi2 / smaller))) if smaller > 0 else float("nan")


def _correlation_ratio(codes: Codes, values: Floats) -> float:
    both = (codes >= 0) & np.isfinite(values)
    codes, values = codes[both], values[both]
    if len(values) < 2 or values.min() == values.max():
        return float("nan")
    sums, n = np.bincount(codes, values), np.bincount(codes)
    means = sums[n > 0] / n[n > 0]
    between = float((n[n > 0] * (means - values.mean()) ** 2).sum())
    total = float(((values - values.mean()) ** 2).sum())
    return float(np.sqrt(np.clip(between / total, 0, 1)))


def predictors(
    frame: pd.DataFrame, kinds: dict[str, Kind], target: str, *, seed: int = 0
) -> tuple[Predictor, ...]:
    """Rate each column by what it alone tells of the target, on rows it was not fitted on.

    A column is cut into bins or levels; each gets the target's mean (or most frequent class) of the
    other folds. Power is Gini (2·AUC - 1) for two classes, the gain in accuracy over the most
    frequent class for more, R² for numbers; never below 0.
    """
    known = frame[frame[target].notna()]
    if len(known) < MIN_ROWS:
        return ()
    folds = np.random.default_rng(seed).integers(0, N_FOLDS, len(known))
    y = known[target]
    is_number = kinds.get(target) is Kind.NUMBER and y.nunique() > MAX_CLASSES
    truth: Floats | Codes = (
        y.to_numpy(np.float64) if is_number else np.asarray(pd.factorize(y)[0], dtype=np.int64)
    )
    usable = {Kind.NUMBER, Kind.CATEGORY, Kind.BOOLEAN, Kind.TEXT}
    rated = [
        (name, _power(_levels(known[name], kinds[name]), truth, folds, is_number=is_number))
        for name in frame.columns
        if name != target and kinds[name] in usable
    ]
    measure: Measure = "r2" if is_number else "gini" if y.nunique() == 2 else "accuracy_gain"
    powers = sorted((power for _, power in rated), reverse=True)
    second = powers[1] if len(powers) > 1 else 0.0
    found = [
        Predictor(
            column=str(name),
            power=power,
            measure=measure,
            is_suspect=power >= SUSPECT_POWER
            or (power >= LONE_POWER and power == powers[0] and second < power / 2),
        )
        for name, power in rated
    ]
    return tuple(sorted(found, key=lambda one: -one.power))


def _levels(series: pd.Series, kind: Kind) -> Codes:
    if kind is not Kind.NUMBER:
        return np.asarray(pd.factorize(series)[0], dtype=np.int64) + 1
    values = series.to_numpy(np.float64)
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.zeros(len(values), dtype=np.int64)
    edges = np.unique(np.quantile(finite, np.linspace(0, 1, N_BINS + 1)[1:-1]))
    codes = np.searchsorted(edges, values, side="right") + 1
    return np.where(np.isnan(values), 0, codes).astype(np.int64)


def _power(levels: Codes, truth: Floats | Codes, folds: Codes, *, is_number: bool) -> float:
    n_classes = 0 if is_number else int(truth.max()) + 1
    if not is_number and n_classes < 2:
        return 0.0
    n_levels = int(levels.max()) + 1
    guesses = np.zeros(len(truth), dtype=np.float64)
    for fold in range(N_FOLDS):
        rest, held = folds != fold, folds == fold
        if n_classes > 2:
            table = np.zeros((n_levels, n_classes))
            np.add.at(table, (levels[rest], truth[rest]), 1)
            guesses[held] = table.argmax(axis=1)[levels[held]]
        else:
            sums = np.bincount(levels[rest], truth[rest].astype(np.float64), n_levels)
            n = np.bincount(levels[rest], minlength=n_levels)
            prior = float(truth[rest].mean())
            guesses[held] = ((sums + prior) / (n + 1))[levels[held]]
    return max(0.0, _score(guesses, truth, is_number=is_number, n_classes=n_classes))


def _score(guesses: Floats, truth: Floats | Codes, *, is_number: bool, n_classes: int) -> float:
    if is_number:
        total = float(((truth - truth.mean()) ** 2).sum())
        return 1 - float(((truth - guesses) ** 2).sum()) / total if total > 0 else 0.0
    if n_classes > 2:
        most = float(np.bincount(truth.astype(np.int64)).max()) / len(truth)
        return (float((guesses == truth).mean()) - most) / (1 - most) if most < 1 else 0.0
    ranks = stats.rankdata(guesses)
    n_pos = int(truth.sum())
    n_neg = len(truth) - n_pos
    auc = (float(ranks[truth == 1].sum()) - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)
    return 2 * auc - 1
