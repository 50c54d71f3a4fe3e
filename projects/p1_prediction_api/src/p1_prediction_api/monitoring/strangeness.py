"""How unlike training a row is as a whole, though each of its values may be usual.

Every number becomes its normal score (what a normal variable has at the same share of training
rows), labels and parts of dates stand beside them, and a row's strangeness is its squared
Mahalanobis distance under their covariance: a Gaussian copula (Liu, Lafferty and Wasserman, JMLR
10, 2009). Beyond `MAX_DIRECTIONS` columns the leading directions are kept and the rest has one
common variance (Tipping and Bishop, JRSS B 61, 1999). Rows that no fit saw set the threshold, so
the share to be expected is measured, not assumed. Applying it takes NumPy alone. What it finds and
what it cannot: docs/reference/monitoring.md.
"""

import math
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from p1_prediction_api.encoding import DATE_PARTS, Encoder

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]
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
    n_held_out: int = Field(description="Rows that set the threshold.")
    n_beyond: int = Field(description="Of them, those beyond it.")

    @property
    def expected_share(self) -> float:
        """Share of new rows from the same source that are to be expected beyond the threshold."""
        return (self.n_beyond + 1) / (self.n_held_out + 1)

    def is_strange(self, rows: Matrix) -> NDArray[np.bool_]:
        """Say of each encoded row whether it is unlike training."""
        return np.asarray(self.distance(rows) > self.threshold)

    def distance(self, rows: Matrix) -> Floats:
        """Return the squared distance of each encoded row, over the values that it has."""
        if not self.columns:
            return np.zeros(len(rows))
        scores = _scores(self.columns, rows)
        self._fill(scores)
        return np.asarray((scores @ self._precision * scores).sum(axis=1))

    @cached_property
    def _precision(self) -> Floats:
        kept = np.asarray(self.directions).reshape(-1, len(self.columns))
        found = kept.T @ kept
        if self.rest_variance is not None:
            unit = kept / np.linalg.norm(kept, axis=1, keepdims=True)
            found += (np.eye(len(self.columns)) - unit.T @ unit) / self.rest_variance
        return np.asarray(found)

    def _fill(self, scores: Floats) -> None:
        """Give missing scores the values that add least to the distance.

        What is left is the distance among the others alone: a gap by itself is not strange.
        """
        is_missing = np.isnan(scores)
        gappy = np.flatnonzero(is_missing.any(axis=1))
        patterns, which = np.unique(is_missing[gappy], axis=0, return_inverse=True)
        for k, gap in enumerate(patterns):
            at = gappy[which.reshape(-1) == k]
            known = scores[np.ix_(at, ~gap)] @ self._precision[np.ix_(~gap, gap)]
            scores[np.ix_(at, gap)] = -np.linalg.solve(self._precision[np.ix_(gap, gap)], known.T).T


def fit_strangeness(encoder: Encoder, rows: Matrix, held_out: Matrix) -> Strangeness:
    """Fit on training rows; set the threshold by rows held out (split conformal).

    The k-th smallest distance of n rows, k = ceil(0.99 (n + 1)): a new row from the same source is
    beyond it with chance (n + 1 - k) / (n + 1), whatever the fit is worth (Vovk et al., 2005).
    Scoring the training rows by folds instead was tried: more rows, but rare labels made the share
    on new rows 1.5 % where 1 % was said.
    """
    fitted = _fit(encoder, rows)
    distances, n = fitted.distance(held_out), len(held_out)
    k = min(n, math.ceil((n + 1) * (1 - EXPECTED_SHARE)))
    update = {
        "threshold": float(np.partition(distances, k - 1)[k - 1]),
        "n_held_out": n,
        "n_beyond": n - k,
    }
    return fitted.model_copy(update=update)


def _fit(encoder: Encoder, rows: Matrix) -> Strangeness:
    first_label = _first_label(encoder)
    columns = tuple(
        _column(k, rows[:, k], is_label=k >= first_label) for k in _telling(encoder, rows)
    )
    variances, directions = _principal(np.nan_to_num(_scores(columns, rows)))
    kept = (directions / np.sqrt(variances)[:, None])[:MAX_DIRECTIONS]
    rest = variances[MAX_DIRECTIONS:]
    return Strangeness(
        columns=columns,
        directions=tuple(_brief(row) for row in kept),
        rest_variance=float(rest.mean()) if len(rest) else None,
        threshold=0.0,
        n_held_out=0,
        n_beyond=0,
    )


def _telling(encoder: Encoder, rows: Matrix) -> list[int]:
    """Choose columns: not days since 1970 (time goes on), no rare levels, nothing constant."""
    first_label = _first_label(encoder)
    days = range(len(encoder.numbers), first_label, len(DATE_PARTS))
    shares = rows[:, first_label:].mean(axis=0)
    is_common = (shares >= RARE) & (shares <= 1 - RARE)
    present = (rows[:, k][~np.isnan(rows[:, k])] for k in range(first_label))
    numbers = [k for k, one in enumerate(present) if k not in days and len(np.unique(one)) > 1]
    return [*numbers, *(first_label + np.flatnonzero(is_common)).tolist()]


def _first_label(encoder: Encoder) -> int:
    return len(encoder.numbers) + len(DATE_PARTS) * len(encoder.dates)


def _column(k: int, values: Matrix, *, is_label: bool) -> ColumnScore:
    """Score a column so that training has mean 0 and variance 1."""
    present = values[~np.isnan(values)].astype(np.float64)
    knots, scores = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    if not is_label:
        knots, scores = _normal_scores(present)
    scored = np.interp(present, knots, scores)
    scores = (scores - scored.mean()) / (scored.std() or 1.0)
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
    """Return scores of shape (n, n_watched); NaN is missing."""
    found = np.zeros((len(rows), len(columns)))
    for k, one in enumerate(columns):
        found[:, k] = np.interp(rows[:, one.column], one.at, one.scores)
    return found


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
