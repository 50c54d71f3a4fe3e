"""Windows on a timeline: equal stretches from the first moment to the last, empty ones too."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from p1_prediction_api.monitoring.change import stability_index
from p1_prediction_api.monitoring.contracts import Moment
from p1_prediction_api.monitoring.counting import Counts
from p1_prediction_api.monitoring.reference import Reference
from p1_prediction_api.monitoring.windows import Window


def total(windows: Sequence[Window]) -> Counts:
    """Add up windows."""
    found = Counts()
    for window in windows:
        found.add(window.counts)
    return found


def timeline(
    windows: Sequence[Window],
    reference: Reference | None,
    span: tuple[float, float],
    n_moments: int,
    min_rows: int,
) -> list[Moment]:
    """Cut `span` (Unix times) into moments; a window belongs where it began."""
    since, until = span
    length = (until - since) / n_moments
    parts: list[list[Window]] = [[] for _ in range(n_moments)]
    for window in windows:
        at = int((window.started_at - since) / length)
        parts[min(max(at, 0), n_moments - 1)].append(window)
    return [
        _moment(since + k * length, total(part), reference, min_rows)
        for k, part in enumerate(parts)
    ]


def _moment(
    started_at: float, counts: Counts, reference: Reference | None, min_rows: int
) -> Moment:
    n, looked_at = counts.n_rows, counts.n_looked_at
    is_counted = reference is not None and looked_at > 0
    return Moment(
        started_at=datetime.fromtimestamp(started_at, UTC),
        n_rows=n,
        n_refused=counts.n_refused,
        strange=counts.n_strange / looked_at if is_counted else None,
        missing=_missing(reference, counts) if reference and is_counted else None,
        prediction=counts.sum_of_answers / looked_at if is_counted else None,
        largest_psi=_largest(reference, counts)
        if reference and is_counted and looked_at >= min_rows
        else None,
    )


def _missing(reference: Reference, counts: Counts) -> float:
    at = [reference.layout.missing(k) for k in range(len(reference.features))]
    return float(counts.cells[at].sum() / counts.n_looked_at / max(1, len(at)))


def _largest(reference: Reference, counts: Counts) -> float | None:
    pairs = (
        (np.array(one.counts), reference.layout.bins(counts.cells, k))
        for k, one in enumerate(reference.features)
        if one.kind != "date"
    )
    return max((stability_index(p, q) for p, q in pairs if p.sum() and q.sum()), default=None)
