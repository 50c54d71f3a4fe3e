"""The parts of the data where the model errs more than its own certainty leads to expect.

Slices are bins and levels of one column or two (Chung et al., "Slice Finder", ICDE 2019). A class
that is hard everywhere is no fault of a slice, so errors are compared with those the model expects
there, calibrated over all rows (in the manner of Hébert-Johnson et al., "Multicalibration", ICML
2018). Every slice looked at is paid for: p values and intervals are corrected by Bonferroni.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
from common.evaluation import mean_interval
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from sklearn.isotonic import IsotonicRegression

from p1_prediction_api.contracts import Estimate
from p1_prediction_api.diagnosis.case import Case, Floats
from p1_prediction_api.diagnosis.contracts import Slice, Slices
from p1_prediction_api.diagnosis.errors_seen import share_of

ALPHA = 0.01
"""Chance that any slice at all is named on data that has none."""
MIN_ROWS = 25
MAX_SHARE = 0.5
"""More than half of the rows is no slice but the rule."""
N_BINS = 5
MAX_LEVELS = 12
MAX_PAIRED = 8
N_SHOWN = 6
MIN_EXCESS = 0.05
"""A slice matters when it errs so much more than expected, as a share of its rows."""
MIN_RATIO = 1.25
"""Or, for numbers, when its errors are so much larger than the rest's."""
MAX_OVERLAP = 0.5
MAX_ROWS = 30_000
EXACT_ROWS = 400
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Part:
    where: str
    mask: Mask


def worst_slices(case: Case) -> Slices:
    """Look at every slice of one and two columns on rows the model did not learn from."""
    rows = case.sampled(case.seen, MAX_ROWS, "the search for weak slices")
    errors = case.errors(rows)
    parts = list(_parts(case.data.X.iloc[rows], case.data.labels))
    expected = _expected(case, rows, errors) if case.is_classes else None
    ranks = rankdata(errors)
    p = np.array([_p_value(part.mask, errors, ranks, expected) for part in parts])
    adjusted = np.minimum(1.0, p * len(parts))
    chosen = _distinct(parts, adjusted, errors, expected)
    return Slices(
        measure="share of wrong answers" if case.is_classes else "mean absolute error",
        overall=float(errors.mean()),
        n_rows=len(rows),
        n_looked_at=len(parts),
        worst=tuple(
            _slice(case, parts[k], errors, expected, float(adjusted[k]), len(parts)) for k in chosen
        ),
    )


def _parts(X: pd.DataFrame, labels: tuple[str, ...]) -> Iterator[_Part]:
    """Yield slices of one column, then of pairs of the first columns."""
    single: dict[str, list[_Part]] = {}
    for name in X.columns:
        cut = _levels(X[name], name) if name in labels else _bins(X[name], name)
        single[name] = [part for part in cut if part.mask.sum() >= MIN_ROWS]
        yield from (part for part in single[name] if part.mask.mean() <= MAX_SHARE)
    for a, b in combinations(list(single)[:MAX_PAIRED], 2):
        for one in single[a]:
            for other in single[b]:
                both = one.mask & other.mask
                if both.sum() >= MIN_ROWS and both.mean() <= MAX_SHARE:
                    yield _Part(f"{one.where} and {other.where}", both)


def _levels(column: pd.Series, name: str) -> Iterator[_Part]:
    for level in column.value_counts().index[:MAX_LEVELS]:
        yield _Part(f"{name} is {level}", (column == level).to_numpy(bool))


def _bins(column: pd.Series, name: str) -> Iterator[_Part]:
    values = column.to_numpy(np.float64)
    gaps = np.isnan(values)
    if gaps.any():
        yield _Part(f"{name} is missing", gaps)
    if gaps.all():
        return
    edges = np.unique(np.quantile(values[~gaps], np.linspace(0, 1, N_BINS + 1)))
    for low, high in pairwise(edges):
        is_last = high == edges[-1]
        with np.errstate(invalid="ignore"):
            mask = (values >= low) & ((values <= high) if is_last else (values < high))
        if low == edges[0]:
            yield _Part(f"{name} < {high:.3g}", mask)
        elif is_last:
            yield _Part(f"{name} ≥ {low:.3g}", mask)
        else:
            yield _Part(f"{name} {low:.3g} to {high:.3g}", mask)


def _expected(case: Case, rows: NDArray[np.int64], errors: Floats) -> Floats:
    """Return each row's chance of an error: falling with certainty, right on average."""
    certainty = case.out_of_fold[rows].max(axis=1)
    fit = IsotonicRegression(increasing=False, y_min=0.0, y_max=1.0)
    return np.clip(fit.fit_transform(certainty, errors), 1e-4, 1 - 1e-4)


def _p_value(mask: Mask, errors: Floats, ranks: Floats, expected: Floats | None) -> float:
    """Return the chance of at least so many errors, or of errors that rank so high."""
    if expected is None:
        n, n_all = int(mask.sum()), len(errors)
        mean = (n_all + 1) / 2
        spread = np.sqrt((n_all + 1) * (n_all - n) / (12 * n))
        return float(norm.sf((ranks[mask].mean() - mean) / spread))
    seen, chances = errors[mask].sum(), expected[mask]
    z = (seen - 0.5 - chances.sum()) / np.sqrt((chances * (1 - chances)).sum())
    if z > 2.5 and len(chances) <= EXACT_ROWS:  # the normal tail is too thin where few err
        return _exact_tail(int(seen), chances)
    return float(norm.sf(z))


def _exact_tail(seen: int, chances: Floats) -> float:
    """Return the chance of at least `seen` errors of rows that each have their own (Poisson's)."""
    shares = np.zeros(len(chances) + 1)
    shares[0] = 1.0
    for chance in chances:
        shares[1:] = shares[1:] * (1 - chance) + shares[:-1] * chance
        shares[0] *= 1 - chance
    return float(min(1.0, shares[seen:].sum()))


def _distinct(
    parts: list[_Part], adjusted: Floats, errors: Floats, expected: Floats | None
) -> list[int]:
    """Choose the worst that are not mostly the same rows as one chosen before."""
    base = errors.mean() if expected is None else 0.0
    excess = [
        float(errors[part.mask].mean() - (base if expected is None else expected[part.mask].mean()))
        for part in parts
    ]
    order = sorted(range(len(parts)), key=lambda k: (adjusted[k] > ALPHA, adjusted[k], -excess[k]))
    chosen: list[int] = []
    for k in order:
        mask = parts[k].mask
        overlaps = (
            (mask & parts[j].mask).sum() / min(mask.sum(), parts[j].mask.sum()) for j in chosen
        )
        if excess[k] > 0 and not any(one > MAX_OVERLAP for one in overlaps):
            chosen.append(k)
        if len(chosen) == N_SHOWN:
            break
    return chosen


def _slice(
    case: Case, part: _Part, errors: Floats, expected: Floats | None, p: float, n_looked_at: int
) -> Slice:
    inside = errors[part.mask]
    level = 1 - 0.05 / n_looked_at
    if expected is None:
        one = mean_interval(inside, level=min(level, 0.999), seed=case.seed, n_resamples=2000)
        error = Estimate(value=one.value, low=one.low, high=one.high)
        usual = float(errors[~part.mask].mean())
        is_large = error.value >= MIN_RATIO * usual
    else:
        error = share_of(int(inside.sum()), len(inside), level=level)
        usual = float(expected[part.mask].mean())
        is_large = error.value - usual >= MIN_EXCESS
    return Slice(
        where=part.where,
        n=len(inside),
        error=error,
        expected=usual,
        p_adjusted=p,
        is_found=p <= ALPHA and is_large,
    )
