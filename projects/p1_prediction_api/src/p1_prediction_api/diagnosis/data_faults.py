"""Faults of the data and the split: leakage, repeated rows, a shift between training and test.

Leakage: Kaufman et al., "Leakage in Data Mining" (TKDD 2012): what is too good must be explained.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from p1_prediction_api.contracts import Estimate
from p1_prediction_api.diagnosis.case import Case, Floats
from p1_prediction_api.diagnosis.contracts import (
    ColumnPower,
    ColumnShift,
    Duplicates,
    Leakage,
    Shift,
)

MAX_ROWS = 5000
MAX_COLUMNS = 200
CERTAIN_LEAK = {"classification": 0.97, "regression": 0.98}
"""Power of one column alone that honest inputs hardly reach: an AUC of 0.985, an R² of 0.98."""
LIKELY_LEAK = 0.85
FAR_AHEAD = 2.0
"""A column far ahead of every other is suspect sooner: so many times the power of the next."""
MIN_TO_COMPARE = 3
N_FOLDS = 5
N_CELLS = 64


def coded(X: pd.DataFrame, labels: tuple[str, ...]) -> pd.DataFrame:
    """Return numbers only: each label becomes its number in order of the alphabet."""
    columns = {
        name: pd.factorize(X[name], sort=True)[0].astype(np.float32)
        if name in labels
        else X[name].to_numpy(np.float32)
        for name in X.columns
    }
    return pd.DataFrame(columns, index=X.index)


def leakage(case: Case) -> Leakage:
    """Rate each column alone by a small tree, out of fold, and look for what is too good."""
    X = coded(case.data.X, case.data.labels)
    names = list(X.columns)[:MAX_COLUMNS]
    if len(names) < X.shape[1]:
        case.skip("the power of single columns", f"for the first {MAX_COLUMNS} columns only")
    powers = sorted(
        (ColumnPower(column=str(n), power=_power(case, X[n].to_numpy()[:, None])) for n in names),
        key=lambda one: -one.power,
    )
    certain = [one for one in powers if one.power >= CERTAIN_LEAK[case.data.task]]
    suspects = certain or powers[: _n_far_ahead(powers)]
    without = None
    if suspects and len(suspects) < X.shape[1] and not case.is_late:
        hidden = {one.column: _hidden(case, one.column) for one in suspects}
        without = float(
            np.mean(case.cross_validated(case.candidate.pipeline, case.data.X.assign(**hidden)))
        )
    return Leakage(
        measure=_measure(case),
        columns=tuple(powers),
        suspects=tuple(one.column for one in suspects),
        is_certain=bool(certain),
        score_without=without,
    )


def _n_far_ahead(powers: list[ColumnPower]) -> int:
    if len(powers) < MIN_TO_COMPARE:
        return 0
    first, second = powers[0].power, powers[1].power
    return int(first >= LIKELY_LEAK and first >= FAR_AHEAD * second)


def _measure(case: Case) -> str:
    if not case.is_classes:
        return "R²"
    return "Gini (2 AUC - 1)" if case.n_classes == 2 else "balanced accuracy above chance"


def _hidden(case: Case, name: str) -> str | np.float32:
    """Return one value for all rows: the column tells nothing any more."""
    column = case.data.X[name]
    return str(column.iloc[0]) if name in case.data.labels else np.float32(0)


def _power(case: Case, values: Floats) -> float:
    """Return the mean over folds of what a tree on this column scores above a guess."""
    scores = []
    y = case.data.y
    for fit_rows, score_rows in case.folds:
        options = {
            "max_leaf_nodes": N_CELLS,
            "min_samples_leaf": max(3, len(fit_rows) // 200),
            "random_state": case.seed,
        }
        if not case.is_classes:
            numbers = DecisionTreeRegressor(**options).fit(values[fit_rows], y[fit_rows])
            scores.append(float(r2_score(y[score_rows], numbers.predict(values[score_rows]))))
            continue
        tree = DecisionTreeClassifier(**options).fit(values[fit_rows], y[fit_rows])
        p = np.asarray(tree.predict_proba(values[score_rows]))
        if case.n_classes == 2:
            scores.append(2 * float(roc_auc_score(y[score_rows], p[:, 1])) - 1)
        else:
            guess = 1 / case.n_classes
            scores.append((case.score(y[score_rows], p) - guess) / (1 - guess))
    return max(0.0, float(np.mean(scores)))


def duplicates(case: Case) -> Duplicates:
    """Find held-out rows that repeat a training row in every input.

    Tables of few levels repeat rows by chance. How often is bounded as if columns were
    independent: two rows agree with the product over columns of the sum of squared shares.
    """
    X, y, split = case.data.X, case.data.y, case.split
    keys = pd.util.hash_pandas_object(X, index=False).to_numpy()
    train_keys = keys[split.train]
    is_repeated = np.isin(keys[split.test], train_keys)
    targets = pd.util.hash_pandas_object(pd.Series(y), index=False).to_numpy()
    both = keys ^ (targets * np.uint64(0x9E3779B97F4A7C15))
    has_same_target = np.isin(both[split.test], both[split.train]) & is_repeated
    agree = np.prod([_agreement(X[name].iloc[split.train]) for name in X.columns])
    by_chance = 1 - (1 - min(1.0, float(agree))) ** len(split.train)
    left = ~is_repeated
    without = None
    if is_repeated.any() and _is_scorable(case, left):
        without = case.score(y[split.test][left], case.predicted[left])
    return Duplicates(
        n_test=len(split.test),
        n_found=int(is_repeated.sum()),
        n_same_target=int(has_same_target.sum()),
        expected_share=float(by_chance),
        score_without=without,
    )


def _agreement(column: pd.Series) -> float:
    shares = column.value_counts(normalize=True, dropna=False).to_numpy()
    return float(np.sum(shares**2))


def _is_scorable(case: Case, kept: NDArray[np.bool_]) -> bool:
    y = case.data.y[case.split.test][kept]
    return len(y) > 20 and (not case.is_classes or len(np.unique(y)) == case.n_classes)


def shift(case: Case) -> Shift:
    """Ask whether trees can tell held-out rows from training rows, and which columns moved.

    The classifier two-sample test of Lopez-Paz and Oquab (ICLR 2017); columns by Kolmogorov and
    Smirnov, or chi-squared, corrected by Bonferroni. Dates are left out when the split is by time:
    they differ by intent.
    """
    train = case.sampled(case.split.train, MAX_ROWS, "the search for a shift")
    test = case.sampled(case.split.test, MAX_ROWS)
    rows = np.concatenate([train, test])
    is_test = np.r_[np.zeros(len(train), np.int64), np.ones(len(test), np.int64)]
    kept = [
        name
        for name in case.data.X.columns
        if not case.split.is_by_time or name in {*case.data.numbers, *case.data.labels}
    ]
    X = case.data.X.iloc[rows][kept]
    auc, spread = _told_apart(coded(X, case.data.labels), is_test, case.seed)
    target = pd.Series(case.data.y[rows], name=case.data.target)
    columns = [_moved(X[name], is_test, is_label=name in case.data.labels) for name in kept]
    columns.append(_moved(target, is_test, is_label=case.is_classes, classes=case.data.classes))
    n_tests = len(columns)
    corrected = [
        one.model_copy(update={"p_adjusted": min(1.0, one.p_adjusted * n_tests)}) for one in columns
    ]
    return Shift(
        told_apart=Estimate(
            value=auc, low=max(0.0, auc - 1.96 * spread), high=min(1.0, auc + 1.96 * spread)
        ),
        z=(auc - 0.5) / spread,
        columns=tuple(sorted(corrected, key=lambda one: (one.p_adjusted, -one.distance))),
    )


def _told_apart(X: pd.DataFrame, is_test: NDArray[np.int64], seed: int) -> tuple[float, float]:
    """Return the out-of-fold AUC and its spread if nothing differed (Mann and Whitney, 1947)."""
    n_test = int(is_test.sum())
    n_train = len(is_test) - n_test
    spread = float(np.sqrt((n_train + n_test + 1) / (12 * n_train * n_test)))
    if not len(X.columns):
        return 0.5, spread
    model = HistGradientBoostingClassifier(
        max_iter=40, max_leaf_nodes=8, early_stopping=False, random_state=seed
    )
    p = np.zeros(len(is_test))
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    for fit_rows, score_rows in folds.split(X, is_test):
        model.fit(X.iloc[fit_rows], is_test[fit_rows])
        p[score_rows] = model.predict_proba(X.iloc[score_rows])[:, 1]
    return float(roc_auc_score(is_test, p)), spread


def _moved(
    column: pd.Series, is_test: NDArray[np.int64], *, is_label: bool, classes: tuple[str, ...] = ()
) -> ColumnShift:
    before, after = column[is_test == 0], column[is_test == 1]
    name = str(column.name)
    if is_label:
        counts = pd.crosstab(column.to_numpy(), is_test)
        shares = counts / counts.sum()
        gaps = shares[1] - shares[0]
        level = gaps.abs().idxmax()
        p = float(chi2_contingency(counts.to_numpy()).pvalue) if len(counts) > 1 else 1.0
        said = classes[int(level)] if classes else level
        words = f"{said}: {shares[0][level]:.0%} of training, {shares[1][level]:.0%} held out"
        distance = float(gaps.abs().sum() / 2)
        return ColumnShift(column=name, distance=distance, p_adjusted=p, words=words)
    known_before, known_after = before.dropna().to_numpy(), after.dropna().to_numpy()
    if not len(known_before) or not len(known_after):
        return ColumnShift(column=name, distance=0.0, p_adjusted=1.0, words="no values to compare")
    found = ks_2samp(known_before, known_after, method="asymp")
    words = (
        f"median {np.median(known_before):.3g} in training, {np.median(known_after):.3g} held out"
    )
    return ColumnShift(
        column=name, distance=float(found.statistic), p_adjusted=float(found.pvalue), words=words
    )
