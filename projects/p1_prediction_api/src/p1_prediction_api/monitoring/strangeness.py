"""How unlike training a row is as a whole, though each of its values may be usual.

Every number becomes its normal score (what a normal variable has at the same share of training
rows), labels and parts of dates stand beside them, and a row's strangeness is its squared
Mahalanobis distance under their covariance: a Gaussian copula (Liu, Lafferty and Wasserman, JMLR
10, 2009). Beyond `MAX_DIRECTIONS` columns the leading directions are kept and the rest has one
common variance (Tipping and Bishop, JRSS B 61, 1999). Rows that no fit saw set the threshold, so
the share to be expected is measured, not assumed. Applying it takes NumPy alone. What it finds and
what it cannot: docs/reference/monitoring.md.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from p1_prediction_api.encoding import DATE_PARTS, Encoder

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Positions of rows to fit on, and of rows to score."""
EXPECTED_SHARE = 0.01
N_KNOTS = 40
RARE = 0.02
"""Levels rarer than this among training rows are left to the count of each label."""
MAX_DIRECTIONS = 64
LEAST_VARIANCE = 0.02
REACH = 10.0
"""Scores go on in a straight line so many training ranges beyond training, then stand still."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class ColumnScore(_Value):
    """What a column's values count as: straight lines between the knots."""

    column: int
    at: tuple[float, ...]
    scores: tuple[float, ...]


class Strangeness(_Value):
    """How to score columns, the directions of their scores, and from where on a row is strange."""

    columns: tuple[ColumnScore, ...]
    directions: tuple[tuple[float, ...], ...] = Field(description="Scaled to variance one.")
    rest_variance: float | None = Field(description="Of what the directions leave out.")
    threshold: float
    n_scored: int = Field(description="Rows that no fit saw, which set the threshold.")
    n_strange: int

    def is_strange(self, rows: Matrix) -> NDArray[np.bool_]:
        """Say of each encoded row whether it is unlike training."""
        return np.asarray(self.distance(rows) > self.threshold)

    def distance(self, rows: Matrix) -> Floats:
        """Return the squared distance of each encoded row."""
        if not self.columns:
            return np.zeros(len(rows))
        about = _scores(self.columns, rows)
        scaled = about @ np.asarray(self.directions).T
        found = (scaled**2).sum(axis=1)
        if self.rest_variance is not None:
            kept = np.asarray(self.directions)
            unit = kept / np.linalg.norm(kept, axis=1, keepdims=True)
            rest = (about**2).sum(axis=1) - ((about @ unit.T) ** 2).sum(axis=1)
            found += np.maximum(rest, 0.0) / self.rest_variance
        return np.asarray(found)


def fit_strangeness(
    encoder: Encoder, rows: Matrix, folds: Sequence[Fold], held_out: Matrix
) -> Strangeness:
    """Fit on training rows; set the threshold by rows that a fit did not see.

    `folds` are of `rows`; `held_out` is scored by the fit on all of them.
    """
    whole = _fit(encoder, rows)
    unseen = [_fit(encoder, rows[fit]).distance(rows[score]) for fit, score in folds]
    distances = np.concatenate([*unseen, whole.distance(held_out)])
    at = min(len(distances), int(np.ceil((len(distances) + 1) * (1 - EXPECTED_SHARE)))) - 1
    threshold = float(np.partition(distances, at)[at])
    return whole.model_copy(
        update={
            "threshold": threshold,
            "n_scored": len(distances),
            "n_strange": int((distances > threshold).sum()),
        }
    )


def _fit(encoder: Encoder, rows: Matrix) -> Strangeness:
    watched = _watched(encoder, rows.shape[1])
    found = (_column(k, rows[:, k], is_label=is_label) for k, is_label in watched)
    columns = tuple(column for column in found if column is not None)
    variances, directions = _principal(_scores(columns, rows))
    kept = (directions / np.sqrt(variances)[:, None])[:MAX_DIRECTIONS]
    rest = variances[MAX_DIRECTIONS:]
    return Strangeness(
        columns=columns,
        directions=tuple(_brief(row) for row in kept),
        rest_variance=float(rest.mean()) if len(rest) else None,
        threshold=0.0,
        n_scored=0,
        n_strange=0,
    )


def _watched(encoder: Encoder, n_columns: int) -> list[tuple[int, bool]]:
    """List columns, and whether each is a label's; days since 1970 are not: time goes on."""
    first_date = len(encoder.numbers)
    first_label = first_date + len(DATE_PARTS) * len(encoder.dates)
    days = set(range(first_date, first_label, len(DATE_PARTS)))
    return [(k, k >= first_label) for k in range(n_columns) if k not in days]


def _column(k: int, values: Matrix, *, is_label: bool) -> ColumnScore | None:
    """Score a column so that training has mean 0 and variance 1; None when it tells nothing."""
    present = values[~np.isnan(values)].astype(np.float64)
    if not len(present):
        return None
    if is_label:
        is_telling = RARE <= present.mean() <= 1 - RARE
        knots, scores = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    else:
        knots, scores = _normal_scores(present)
        is_telling = len(knots) > 3
    if not is_telling:
        return None
    scored = np.interp(present, knots, scores)
    scores = (scores - scored.mean()) / scored.std()
    return ColumnScore(column=k, at=_brief(knots), scores=_brief(scores))


def _normal_scores(present: Floats) -> tuple[Floats, Floats]:
    """Return knots and their normal scores, and one knot far beyond either end."""
    shares = np.linspace(0, 1, N_KNOTS + 1)
    knots = np.unique(np.quantile(present, shares, method="lower"))
    ordered, n = np.sort(present), len(present)
    middle = (np.searchsorted(ordered, knots) + np.searchsorted(ordered, knots, "right")) / 2 / n
    normal = NormalDist()
    scores = np.array([normal.inv_cdf(s) for s in np.clip(middle, 0.5 / n, 1 - 0.5 / n)])
    far, further = REACH * (knots[-1] - knots[0]), REACH * (scores[-1] - scores[0])
    return (
        np.concatenate([[knots[0] - far], knots, [knots[-1] + far]]),
        np.concatenate([[scores[0] - further], scores, [scores[-1] + further]]),
    )


def _scores(columns: tuple[ColumnScore, ...], rows: Matrix) -> Floats:
    """Return scores of shape (n, n_watched); a missing value counts as a usual one."""
    found = np.zeros((len(rows), len(columns)))
    for k, one in enumerate(columns):
        found[:, k] = np.interp(rows[:, one.column], one.at, one.scores)
    return np.nan_to_num(found, copy=False)


def _principal(about: Floats) -> tuple[Floats, Floats]:
    """Return variances, largest first, and directions of shape (k, k), of centred scores.

    The covariance is drawn towards a multiple of the identity, the more so the fewer rows there are
    (Ledoit and Wolf, Journal of Multivariate Analysis 88, 2004, theorem 3.2).
    """
    n, k = about.shape
    if not k:
        return np.zeros(0), np.zeros((0, 0))
    covariance = about.T @ about / n
    level = np.trace(covariance) / k
    target = level * np.eye(k)
    away = float(((covariance - target) ** 2).sum())
    noise = float(((about**2).T @ (about**2) / n - covariance**2).sum() / n)
    weight = min(1.0, noise / away) if away else 1.0
    variances, directions = np.linalg.eigh((1 - weight) * covariance + weight * target)
    return np.maximum(variances[::-1], LEAST_VARIANCE * level), directions[:, ::-1].T


def _brief(values: Floats) -> tuple[float, ...]:
    """Keep the digits that a float32 holds: files stay small."""
    return tuple(float(f"{value:.9g}") for value in values.tolist())
