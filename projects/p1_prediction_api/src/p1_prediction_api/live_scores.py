"""How good the served version is on live traffic, by the truths told so far.

Truths are joined with logged answers; the same figures as on a model card are computed from them,
each with its interval, and set beside those of the rows held out in training. Work is bounded: the
newest truths count. What is scored is what came back: cases whose truth is never told (a refused
loan) or comes late are missing, and no figure here knows of them. Read next: `figures.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from common.store import Store
from numpy.typing import NDArray
from pydantic_core import from_json

from p1_prediction_api.conformal import intervals, prediction_sets
from p1_prediction_api.contracts import Estimate, ModelCard, Signature
from p1_prediction_api.database import PREDICTIONS, TRUTHS, in_parts
from p1_prediction_api.figures import (
    Figure,
    class_figures,
    difference_of_samples,
    estimate_of_share,
    estimates_of,
    number_figures,
    words_of,
)
from p1_prediction_api.loaded import LoadedModel
from p1_prediction_api.logged_answers import AnswerReader, Answers, joined
from p1_prediction_api.monitoring.contracts import LiveScores

MAX_TRUTHS = 20_000
"""The newest so many are looked at."""
MIN_TRUTHS = 20
"""Fewer say nothing worth a figure."""
LOWER_IS_BETTER = frozenset({"mean_absolute_error"})
FALLBACKS = ("accuracy", "mean_absolute_error")
"""What is told where the main metric cannot be (a class that no truth names)."""


@dataclass(frozen=True)
class Known:
    """Truths beside what was answered, row by row."""

    truth: NDArray[np.float64]
    """Position of the class, or the number."""
    answers: Answers


def live_scores(store: Store, loaded: LoadedModel, *, since: float = 0.0) -> LiveScores | None:
    """Score a version by the truths told since then (Unix time); None when none was told.

    Reads the database: call it in a thread. Raises `StoreError`.
    """
    signature, card = loaded.signature, loaded.card
    with store.read() as connection:
        told, n_pending = _truths(connection, loaded, since)
        if not told and not n_pending:
            return None
        known = _known(connection, signature, told)
    n_truths = 0 if known is None else len(known.truth)
    figures: Mapping[str, Figure] = {}
    coverage = None
    if known is not None and n_truths >= MIN_TRUTHS:
        figures = figures_of(signature, known)
        coverage = _coverage(card, signature, known)
    metrics = estimates_of(figures)
    expected = comparable(card, signature)
    return LiveScores(
        n_truths=n_truths,
        n_pending=n_pending,
        task=signature.task,
        metric=card.metric,
        metrics=metrics,
        expected=expected,
        coverage=coverage,
        level=card.uncertainty.level if card.uncertainty else None,
        is_worse=_is_worse(card, metrics, expected, coverage),
        verdict=_verdict(card, n_truths, n_pending, metrics, expected, coverage),
    )


def figures_of(signature: Signature, known: Known) -> dict[str, Figure]:
    """Return every figure that these truths can tell."""
    if signature.task == "regression":
        return number_figures(known.truth, known.answers.values)
    return class_figures(
        known.truth.astype(np.int64),
        known.answers.values,
        known.answers.said,
        positive_place(signature),
    )


def positive_place(signature: Signature) -> int:
    """Return the place of the class that precision and recall of two are of."""
    return signature.classes.index(signature.positive) if signature.positive else 1


def read_truth(text: str, signature: Signature) -> float | None:
    """Read a stored truth as a number or a class's place; None for another task or class."""
    value = from_json(text)
    if signature.task == "regression":
        return None if isinstance(value, str) else float(value)
    return float(signature.classes.index(value)) if value in signature.classes else None


def _truths(
    connection: sa.Connection, loaded: LoadedModel, since: float
) -> tuple[dict[str, dict[int, float]], int]:
    """Return the version's newest truths by prediction and row, and how many are of nothing."""
    newest = (
        sa.select(TRUTHS)
        .where(TRUTHS.c.told_at >= since)
        .order_by(TRUTHS.c.told_at.desc())
        .limit(MAX_TRUTHS)
        .subquery()
    )
    columns = newest.c.prediction_id, newest.c.row, newest.c.truth
    with_answers = newest.outerjoin(PREDICTIONS, PREDICTIONS.c.id == newest.c.prediction_id)
    query = sa.select(*columns, PREDICTIONS.c.model, PREDICTIONS.c.version)
    found: dict[str, dict[int, float]] = {}
    n_pending = 0
    wanted = loaded.version.model, loaded.version.version
    for made, row, text, *version in connection.execute(query.select_from(with_answers)):
        n_pending += version[0] is None
        truth = read_truth(text, loaded.signature) if tuple(version) == wanted else None
        if truth is not None:
            found.setdefault(made, {})[row] = truth
    return found, n_pending


def _known(
    connection: sa.Connection, signature: Signature, told: dict[str, dict[int, float]]
) -> Known | None:
    reader = AnswerReader(signature)
    truths: list[float] = []
    parts: list[Answers] = []
    for made, answer in _answers(connection, told):
        answers = reader.read(answer)
        rows = [row for row in told[made] if row < len(answers)]
        if rows:
            truths += [told[made][row] for row in rows]
            parts.append(answers.take(rows))
    if not parts:
        return None
    return Known(np.array(truths), joined(parts))


def _answers(connection: sa.Connection, told: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for some in in_parts(told):
        query = sa.select(PREDICTIONS.c.id, PREDICTIONS.c.answer).where(PREDICTIONS.c.id.in_(some))
        yield from connection.execute(query)


def _coverage(card: ModelCard, signature: Signature, known: Known) -> Estimate | None:
    """Return the share of truths inside the answers' sets or intervals, if there are any."""
    told, values = card.uncertainty, known.answers.values
    if told is None:
        return None
    if signature.task == "regression":
        low, high = intervals(values, told.bins)
        is_held = (low <= known.truth) & (known.truth <= high)
    elif told.set_threshold is None:
        return None
    else:
        places = known.truth.astype(np.int64)
        is_held = prediction_sets(values, told.set_threshold)[np.arange(len(places)), places]
    return estimate_of_share(int(is_held.sum()), len(is_held))


def comparable(card: ModelCard, signature: Signature) -> dict[str, Estimate]:
    """Return the held-out figures that are of the same quantity.

    A card that does not say at which threshold it decided took the likeliest class, and its
    precision and recall may be those of the second class: what is said live is something else.
    """
    if len(signature.classes) != 2 or card.decided_at == signature.threshold:
        return dict(card.metrics)
    other: set[str] = set()
    if signature.threshold != 0.5:
        other |= {"accuracy", "balanced_accuracy", "precision", "recall"}
    if positive_place(signature) != 1:
        other |= {"precision", "recall"}
    return {name: one for name, one in card.metrics.items() if name not in other}


def _told(card: ModelCard, metrics: Mapping[str, Estimate]) -> str:
    """Name the metric that is told: the model's own where these truths allow it."""
    return next(one for one in (card.metric, *FALLBACKS) if one in metrics)


def _is_worse(
    card: ModelCard,
    metrics: Mapping[str, Estimate],
    expected: Mapping[str, Estimate],
    coverage: Estimate | None,
) -> bool:
    if not metrics:
        return False
    told = card.uncertainty
    if coverage is not None and told is not None:
        fell = difference_of_samples(told.coverage, coverage)
        if coverage.high < told.level and fell.high < 0:
            return True
    name = _told(card, metrics)
    if name not in expected:
        return False
    apart = difference_of_samples(expected[name], metrics[name])
    return apart.low > 0 if name in LOWER_IS_BETTER else apart.high < 0


def _verdict(
    card: ModelCard,
    n_truths: int,
    n_pending: int,
    metrics: Mapping[str, Estimate],
    expected: Mapping[str, Estimate],
    coverage: Estimate | None,
) -> str:
    waiting = (
        f" {n_pending:,} more are of predictions that are not in the log." if n_pending else ""
    )
    if n_truths < MIN_TRUTHS:
        return f"{n_truths} truths so far: from {MIN_TRUTHS} on there are figures.{waiting}"
    name = _told(card, metrics)
    now = metrics[name]
    text = (
        f"Live {words_of(name)} {now.value:.3g} ({now.low:.3g} to {now.high:.3g}) "
        f"on {n_truths:,} truths: {_beside_training(now, expected.get(name))}."
    )
    if card.uncertainty is not None and coverage is not None:
        text += _coverage_words(coverage, card.uncertainty.level)
    return text + waiting


def _beside_training(now: Estimate, then: Estimate | None) -> str:
    if then is None:
        return "training measured nothing to set beside it"
    apart = difference_of_samples(then, now)
    if apart.low <= 0 <= apart.high:
        return f"no different from the {then.value:.3g} of training, as far as they can tell"
    side = "below" if apart.high < 0 else "above"
    return f"{side} the {then.value:.3g} of training, beyond chance"


def _coverage_words(coverage: Estimate, level: float) -> str:
    if coverage.low <= level <= coverage.high:
        return ""
    side = "more" if coverage.low > level else "less"
    return (
        f" Sets and intervals hold {coverage.value:.1%} of them ({coverage.low:.1%} to "
        f"{coverage.high:.1%}), {side} than the {level:.0%} they were made for."
    )
