"""Counts beside their reference: how far each feature and the answers moved.

Every distribution gets one test; all p-values are corrected together (Benjamini-Hochberg), so that
on unchanged traffic the chance of any movement at all is `alpha`, however many features there are.
What is significant is graded by its size. Rows are taken for independent: repeated or correlated
requests look more certain than they are. Read next: `alerting.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from p1_prediction_api.encoding import iso_of
from p1_prediction_api.monitoring.change import (
    Integers,
    benjamini_hochberg,
    same_distribution_p,
    share,
    stability_index,
)
from p1_prediction_api.monitoring.contracts import (
    Bin,
    FeatureWatch,
    Movement,
    PredictionWatch,
    Share,
)
from p1_prediction_api.monitoring.counting import Counts
from p1_prediction_api.monitoring.reference import FeatureReference, Reference
from p1_prediction_api.settings import Settings

ORDER: dict[Movement, int] = {"strong": 0, "moderate": 1, "slight": 2, "none": 3, "too few": 4}


@dataclass(frozen=True)
class Thresholds:
    """From when on something is said; see `Settings`."""

    min_rows: int
    alpha: float
    psi_moderate: float
    psi_strong: float
    share_moderate: float
    share_strong: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Take them from the settings."""
        return cls(
            settings.watch_min_rows,
            settings.watch_alpha,
            settings.watch_psi_moderate,
            settings.watch_psi_strong,
            settings.watch_share_moderate,
            settings.watch_share_strong,
        )

    def movement(self, n_rows: int, psi: float, p: float) -> Movement:
        """Grade a distribution: by size, once it cannot be chance."""
        if n_rows < self.min_rows:
            return "too few"
        if p >= self.alpha:
            return "none"
        if psi >= self.psi_strong:
            return "strong"
        return "moderate" if psi >= self.psi_moderate else "slight"


@dataclass(frozen=True)
class Assessment:
    """What the counts of a stretch of time say."""

    features: list[FeatureWatch]
    prediction: PredictionWatch
    out_of_distribution: Share


@dataclass(frozen=True)
class _Compared:
    n_rows: int
    psi: float | None
    p: float | None

    @classmethod
    def of(cls, before: Integers, after: Integers) -> Self:
        n_rows = int(after.sum())
        if not n_rows or not before.sum():
            return cls(n_rows, None, None)
        return cls(n_rows, stability_index(before, after), same_distribution_p(before, after))


def assess(reference: Reference, counts: Counts, thresholds: Thresholds) -> Assessment:
    """Compare counts with their reference."""
    cells = counts.cells if len(counts.cells) else np.zeros(reference.layout.size, np.int64)
    layout, answers = reference.layout, reference.prediction
    features = [
        _Compared.of(np.array(one.counts), layout.bins(cells, k))
        for k, one in enumerate(reference.features)
    ]
    numbers = _Compared.of(np.array(answers.counts), layout.prediction(cells))
    classes = _Compared.of(np.array(answers.class_counts), layout.classes(cells))
    tested = [*features, numbers, *([classes] if len(answers.class_counts) > 2 else [])]
    adjusted = benjamini_hochberg([one.p for one in tested])
    movements = [
        thresholds.movement(one.n_rows, one.psi or 0.0, 1.0 if p is None else p)
        for one, p in zip(tested, adjusted, strict=True)
    ]
    watches = [
        _feature(reference, counts, cells, k, (one, adjusted[k], movements[k]))
        for k, one in enumerate(features)
    ]
    watches.sort(key=lambda one: (ORDER[one.movement], -(one.psi or 0.0)))
    worst = min(range(len(features), len(tested)), key=lambda k: ORDER[movements[k]])
    return Assessment(
        watches,
        _prediction(reference, cells, (tested[worst], adjusted[worst], movements[worst])),
        Share(
            expected=reference.strangeness.expected_share,
            seen=share(counts.n_strange, counts.n_looked_at),
        ),
    )


_Graded = tuple[_Compared, float | None, Movement]


def _feature(
    reference: Reference, counts: Counts, cells: Integers, k: int, graded: _Graded
) -> FeatureWatch:
    feature, layout = reference.features[k], reference.layout
    compared, p_adjusted, movement = graded
    n_missing, n_unseen = int(cells[layout.missing(k)]), int(cells[layout.unseen(k)])
    bins = _bins(_names(feature), np.array(feature.counts), layout.bins(cells, k))
    n = max(1, counts.n_looked_at)
    return FeatureWatch(
        feature=feature.name,
        kind=feature.kind,
        movement=movement,
        message=_words(compared, movement, bins),
        psi=compared.psi,
        p_adjusted=p_adjusted,
        missing_expected=feature.n_missing / max(1, reference.n_train),
        missing=n_missing / n,
        unseen=n_unseen / n,
        bins=bins,
    )


def _prediction(reference: Reference, cells: Integers, graded: _Graded) -> PredictionWatch:
    answers, layout = reference.prediction, reference.layout
    compared, p_adjusted, movement = graded
    bins = _bins(
        _ranges(answers.edges, _number), np.array(answers.counts), layout.prediction(cells)
    )
    classes = _bins(list(answers.classes), np.array(answers.class_counts), layout.classes(cells))
    return PredictionWatch(
        of=answers.of,
        movement=movement,
        message=_words(compared, movement, bins),
        psi=compared.psi,
        p_adjusted=p_adjusted,
        bins=bins,
        classes=classes,
    )


def _bins(names: list[str], before: Integers, after: Integers) -> list[Bin]:
    expected, seen = before / max(1, before.sum()), after / max(1, after.sum())
    return [
        Bin(label=name, expected=float(p), seen=float(q))
        for name, p, q in zip(names, expected, seen, strict=True)
    ]


def _names(feature: FeatureReference) -> list[str]:
    if feature.kind == "category":
        return [*feature.labels, "anything else"]
    return _ranges(feature.edges, _day if feature.kind == "date" else _number)


def _ranges(edges: tuple[float, ...], spell: Callable[[float], str]) -> list[str]:
    told = [spell(edge) for edge in edges]
    if not told:
        return ["any value"]
    between = [f"{a} to {b}" for a, b in pairwise(told)]
    return [f"up to {told[0]}", *between, f"above {told[-1]}"]


def _number(edge: float) -> str:
    return f"{edge:.4g}"


def _day(edge: float) -> str:
    return iso_of(float(np.floor(edge)))


def _words(compared: _Compared, movement: Movement, bins: list[Bin]) -> str:
    if movement == "too few":
        return f"{compared.n_rows:,} values are too few to tell"
    if movement == "none":
        return "nothing that chance would not do"
    most = max(bins, key=lambda one: abs(one.seen - one.expected))
    return (
        f"PSI {compared.psi or 0.0:.2f} ({movement}): "
        f"{most.label} is {most.seen:.0%}, in training {most.expected:.0%}"
    )
