"""Targets that are probably wrong: how many, and which to check first.

Suspects: confident learning (Northcutt, Jiang and Chuang, JAIR 2021) on out-of-fold
probabilities. Where classes overlap it names rows that are merely unlucky, so whether there is
noise at all is asked first: labels flipped at random keep even the surest predictions from being
right. A logistic curve of the score is compared with one whose ends stop short of 0 and 1 by the
flip rates (Bootkrajang and Kabán, "Label-noise robust logistic regression", ECML 2012), by
likelihood ratio.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import chi2, norm, rankdata

from p1_prediction_api.diagnosis.case import Case, Floats
from p1_prediction_api.diagnosis.contracts import LabelNoise, Suspect
from p1_prediction_api.splits import Indices

N_SHOWN = 12
MAX_FLIPPED = 0.45
STARTS = ((1.0, 0.02), (3.0, 0.1), (8.0, 0.2))
FAR = 6.0
"""Typical errors (median absolute deviations, scaled) from which a number is a suspect: about two
in a thousand million of a normal distribution."""
TINY = 1e-9


def label_noise(case: Case) -> LabelNoise:
    """Estimate the share of wrong targets in training and list suspects, the surest first."""
    rows = case.learned
    if case.is_classes:
        return _of_classes(case, rows)
    return _of_numbers(case, rows)


def _of_classes(case: Case, rows: Indices) -> LabelNoise:
    p, y = case.out_of_fold[rows], case.data.y[rows]
    rate, chance = _flip_rate(p, y)
    suspects, likely = confident_suspects(p, y)
    return LabelNoise(
        rate=rate,
        p=chance,
        n_rows=len(rows),
        n_suspects=len(suspects),
        suspects=tuple(
            Suspect(
                row=int(rows[k]),
                given=case.data.classes[y[k]],
                likely=case.data.classes[likely[k]],
                confidence=float(p[k, likely[k]]),
            )
            for k in suspects[:N_SHOWN]
        ),
    )


def confident_suspects(p: Floats, y: NDArray[np.int64]) -> tuple[Indices, Indices]:
    """Return positions off the diagonal of the confident joint (Northcutt 2021, equation 1).

    A row counts for a class when its probability reaches the mean that rows labelled so have. The
    order is by normalised margin (their 3.2), the most doubtful first; also the likely classes.
    """
    n_classes = p.shape[1]
    needed = np.array([p[y == k, k].mean() if (y == k).any() else 1.1 for k in range(n_classes)])
    reached = np.where(p >= needed, p, -1.0)
    likely = reached.argmax(axis=1)
    is_off = (reached.max(axis=1) >= 0) & (likely != y)
    margin = p[np.arange(len(y)), y] - p[np.arange(len(y)), likely]
    found = np.flatnonzero(is_off)
    return found[np.argsort(margin[found], kind="stable")], likely


def _flip_rate(p: Floats, y: NDArray[np.int64]) -> tuple[float, float]:
    """Return the share of flipped labels and the chance of as much without any.

    Scores enter as normal quantiles of their ranks, so that a model sure of too much is no noise.
    """
    is_two = p.shape[1] == 2
    score = p[:, 1] if is_two else p.max(axis=1)
    so = (y == 1 if is_two else p.argmax(axis=1) == y).astype(np.float64)
    if np.ptp(score) == 0 or so.min() == so.max():
        return 0.0, 1.0
    x = norm.ppf((rankdata(score) - 0.5) / len(score))
    ends = _Ends(x, so, has_floor=not is_two)
    plain, _ = ends.fit(may_flip=False)
    flipped, (low, high) = ends.fit(may_flip=True)
    statistic = 2 * max(0.0, plain - flipped)
    rate = low * (1 - so.mean()) + high * so.mean() if is_two else high
    return float(rate), float(chi2.sf(statistic, 2 if is_two else 1))


class _Ends:
    """Fits `low + (1 - low - high) * logistic(a x + b)`: ends that stop short of 0 and 1.

    With a floor, `low` is free with and without flips: the surest of several classes is right by
    chance too.
    """

    def __init__(self, x: Floats, so: Floats, *, has_floor: bool) -> None:
        self._x, self._so, self._has_floor = x, so, has_floor

    def fit(self, *, may_flip: bool) -> tuple[float, tuple[float, float]]:
        """Return the lowest negative log-likelihood and the two ends."""
        ends = (0.0, MAX_FLIPPED if may_flip else 0.0)
        low = (0.0, MAX_FLIPPED if may_flip or self._has_floor else 0.0)
        bounds = [(0.0, 200.0), (-200.0, 200.0), low, ends]
        best, found = np.inf, np.zeros(4)
        middle = -float(np.quantile(self._x, 1 - self._so.mean()))
        for slope, end in STARTS:
            start = [slope, slope * middle, min(end, low[1]), min(end, ends[1])]
            one = minimize(self._loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
            if one.fun < best:
                best, found = float(one.fun), one.x
        return best * len(self._x), (float(found[2]), float(found[3]))

    def _loss(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the mean loss and its gradient."""
        a, b, low, high = parameters
        share = expit(a * self._x + b)
        p = np.clip(low + (1 - low - high) * share, TINY, 1 - TINY)
        loss = -float(np.mean(np.where(self._so == 1, np.log(p), np.log1p(-p))))
        by_p = (p - self._so) / (p * (1 - p)) / len(p)
        by_logit = by_p * (1 - low - high) * share * (1 - share)
        gradient = [by_logit @ self._x, by_logit.sum(), by_p @ (1 - share), -by_p @ share]
        return loss, np.asarray(gradient, dtype=np.float64)


def _of_numbers(case: Case, rows: Indices) -> LabelNoise:
    """Name targets many typical errors away from what is predicted (Hampel, 1974)."""
    left = case.data.y[rows].astype(np.float64) - case.out_of_fold[rows]
    middle = float(np.median(left))
    typical = 1.4826 * float(np.median(np.abs(left - middle))) or TINY
    away = np.abs(left - middle) / typical
    far = np.flatnonzero(away > FAR)
    far = far[np.argsort(-away[far], kind="stable")]
    return LabelNoise(
        rate=len(far) / len(rows),
        p=float(min(1.0, len(rows) * 2 * norm.sf(FAR))) if len(far) else 1.0,
        n_rows=len(rows),
        n_suspects=len(far),
        suspects=tuple(
            Suspect(
                row=int(rows[k]),
                given=f"{case.data.y[rows[k]]:.4g}",
                likely=f"{case.out_of_fold[rows[k]]:.4g}",
                confidence=float(away[k]),
            )
            for k in far[:N_SHOWN]
        ),
    )
