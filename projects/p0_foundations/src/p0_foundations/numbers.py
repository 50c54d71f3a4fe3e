"""Numbers of one column: moments, order statistics, histogram, and values that mean "missing".

Knows sorted arrays, no pandas. Read next: `sketches.py`, for what is kept of a distribution.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from p0_foundations.figures import Histogram, NumberStats
from p0_foundations.reading.decisions import ValueCount
from p0_foundations.sketches import Floats, make_sketch

SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0)
MIN_BINS, MAX_BINS = 8, 40
MAX_SINGLE_VALUE_BINS = 25
OUTLYING_IQRS = 3.0
_LARGEST = float(np.finfo(np.float64).max)


def describe_numbers(ordered: Floats, *, n_knots: int) -> NumberStats | None:
    """Describe sorted values; the infinite are counted and left out. None when none is finite."""
    finite = ordered[np.isfinite(ordered)]
    if not len(finite):
        return None
    mean, std, skew, kurtosis = _moments(finite)
    p5, q1, median, q3, p95 = quantiles(finite, (0.05, 0.25, 0.5, 0.75, 0.95))
    reach = OUTLYING_IQRS * (q3 - q1)
    inside = np.searchsorted(finite, q3 + reach, "right") - np.searchsorted(finite, q1 - reach)
    return NumberStats(
        mean=mean,
        std=std,
        minimum=float(finite[0]),
        q1=q1,
        median=median,
        q3=q3,
        maximum=float(finite[-1]),
        skew=skew,
        excess_kurtosis=kurtosis,
        n_zero=int(np.searchsorted(finite, 0.0, "right") - np.searchsorted(finite, 0.0)),
        n_negative=int(np.searchsorted(finite, 0.0)),
        n_infinite=len(ordered) - len(finite),
        n_outlying=int(len(finite) - inside) if reach > 0 else 0,
        histogram=histogram(finite),
        sketch=make_sketch(finite, n_knots=n_knots),
        p5=p5,
        p95=p95,
        **_spread(finite, mean=mean, std=std, quartiles=(q1, median, q3)),
    )


def _spread(
    finite: Floats, *, mean: float, std: float, quartiles: tuple[float, float, float]
) -> dict[str, float | None]:
    """Return what follows from the rest; what overflows is the largest number there is."""
    q1, median, q3 = quartiles
    with np.errstate(over="ignore", invalid="ignore"):
        mad = float(np.median(np.abs(finite - median)))
        total = float(finite.sum())
    return {
        "iqr": _bounded(q3 - q1),
        "range": _bounded(float(finite[-1]) - float(finite[0])),
        "variance": _bounded(std * std),
        "cv": _bounded(std / mean) if abs(mean) > std / _LARGEST else None,
        "mad": _bounded(mad),
        "sum": total if np.isfinite(total) else _bounded(mean * len(finite)),
    }


def quantiles(ordered: Floats, at: Sequence[float]) -> list[float]:
    """Return quantiles of sorted finite values, linear between them, without overflow."""
    place = np.asarray(at) * (len(ordered) - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, len(ordered) - 1)
    share = place - low
    found: list[float] = (ordered[low] * (1 - share) + ordered[high] * share).tolist()
    return found


def _moments(finite: Floats) -> tuple[float, float, float, float]:
    """Return mean, standard deviation, skew and excess kurtosis; scaled, so that nothing overflows.

    A spread that is only rounding error counts as none.
    """
    scale = float(np.max(np.abs(finite))) or 1.0
    scaled = finite / scale
    mean = float(scaled.mean())
    centred = scaled - mean
    variance = float(np.mean(centred**2))
    n = len(finite)
    std = (variance * n / (n - 1)) ** 0.5 if n > 1 else 0.0
    if variance <= (1e-13 * abs(mean)) ** 2 or finite[0] == finite[-1]:
        return _bounded(mean * scale), 0.0 if finite[0] == finite[-1] else std * scale, 0.0, 0.0
    z = centred / variance**0.5
    z2 = z * z
    skew, kurtosis = float(np.mean(z2 * z)), float(np.mean(z2 * z2)) - 3.0
    return _bounded(mean * scale), _bounded(std * scale), skew, kurtosis


def _bounded(value: float) -> float:
    return float(np.clip(value, -_LARGEST, _LARGEST))


def histogram(ordered: Floats) -> Histogram:
    """Bin sorted finite values: few whole numbers get one bin each, else Freedman-Diaconis.

    The rule's width is widened or narrowed to give 8 to 40 bins over the middle 99 % of the
    values; the first and last bin reach out to the extremes, so that one wild value does not press
    everything else into one bin.
    """
    low, high = float(ordered[0]), float(ordered[-1])
    if high - low <= MAX_SINGLE_VALUE_BINS and np.all(ordered == np.floor(ordered)):
        edges = np.arange(low - 0.5, high + 1.0)
    else:
        edges = _binned(ordered)
    if not np.all(np.isfinite(edges)) or len(edges) < 2 or np.any(np.diff(edges) <= 0):
        edges = np.array([low, high])
    below = np.searchsorted(ordered, edges[1:-1], side="left")
    counts = np.diff(np.concatenate(([0], below, [len(ordered)])))
    return Histogram(edges=tuple(edges.tolist()), counts=tuple(counts.tolist()))


def _binned(ordered: Floats) -> Floats:
    n = len(ordered)
    start, q1, q3, stop = quantiles(ordered, (0.005, 0.25, 0.75, 0.995))
    if stop <= start:
        start, stop = ordered[0], ordered[-1]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        width = np.float64(2 * (q3 - q1) / n ** (1 / 3))  # zero when half the values are one
        wanted = (stop - start) / width
    n_bins = int(np.clip(wanted, MIN_BINS, MAX_BINS)) if np.isfinite(wanted) else MIN_BINS
    with np.errstate(over="ignore", invalid="ignore"):  # `histogram` mends what overflows
        edges: NDArray[np.float64] = np.linspace(start, stop, n_bins + 1)
    edges[0], edges[-1] = ordered[0], ordered[-1]
    return edges


def find_sentinels(ordered: Floats) -> tuple[ValueCount, ...]:
    """Find -999 and its kin: repeated, at an end, and far from every other value."""
    found = []
    for sentinel in SENTINELS:
        start, stop = (
            np.searchsorted(ordered, sentinel),
            np.searchsorted(ordered, sentinel, "right"),
        )
        n, at_start, at_end = int(stop - start), start == 0, stop == len(ordered)
        rest = ordered[stop:] if at_start else ordered[:start]
        if n < max(3, 0.001 * len(ordered)) or len(rest) < 20 or not (at_start or at_end):
            continue
        low, high = float(rest[0]), float(rest[-1])
        q1, q3 = quantiles(rest, (0.25, 0.75))
        gap = low - sentinel if at_start else sentinel - high
        is_far = gap > max(high - low, 3 * (q3 - q1)) * 0.5 and high > low
        is_sign_alone = sentinel == -1.0 and low >= 0.0 and high > 20.0
        if is_far or is_sign_alone:
            found.append(ValueCount(value=f"{sentinel:g}", n=n))
    return tuple(found)


def tally(ordered: NDArray[np.generic]) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """Return the distinct values of a sorted array and how often each occurs."""
    if not len(ordered):
        return ordered, np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return ordered[starts], np.diff(np.append(starts, len(ordered)))
