"""A candidate beside the champion on the same live requests: how alike, and which is better.

Agreement and mean difference come from the newest answers of both. With truths the main metric of
the model card is computed for both on the same rows, and their difference with a paired interval.
Work is bounded, as in `live_scores.py`, and truths are the same biased sample. Read next:
`figures.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from common.store import Store

from p1_prediction_api.contracts import Estimate, ServedModel
from p1_prediction_api.database import PREDICTIONS, SHADOW_ANSWERS, TRUTHS
from p1_prediction_api.figures import (
    LOWER_IS_BETTER,
    Figure,
    difference,
    estimate_of_mean,
    estimate_of_share,
    rows_to_tell,
    spread_of_difference,
    words_of,
)
from p1_prediction_api.live_scores import (
    FALLBACKS,
    MIN_TRUTHS,
    Known,
    figures_of,
    positive_place,
    read_truth,
)
from p1_prediction_api.loaded import LoadedModel
from p1_prediction_api.logged_answers import AnswerReader, Answers, joined
from p1_prediction_api.monitoring.contracts import ShadowComparison

MAX_ROWS = 20_000
"""The newest rows that both answered."""
MAX_TRUTHS = 20_000
SMALLEST = 0.02
"""A difference of a share or of R² that is worth a promotion."""
FETCHED_AT_ONCE = 200


@dataclass
class Skipped:
    """Requests that a candidate was not asked, and that it could not answer, in this process."""

    n_skipped: int = 0
    n_failed: int = 0


@dataclass(frozen=True)
class Pair:
    """Answers of both to the same rows; with truths, the truth of each."""

    champion: Answers
    candidate: Answers
    truth: tuple[float, ...] = ()

    def scores(self, loaded: LoadedModel) -> tuple[dict[str, Figure], dict[str, Figure]]:
        """Return the figures of champion and candidate on these rows."""
        truth = np.array(self.truth)
        first, second = (
            figures_of(loaded.signature, Known(truth, answers))
            for answers in (self.champion, self.candidate)
        )
        return first, second


def compare(
    store: Store,
    champion: LoadedModel,
    candidate: LoadedModel,
    *,
    named: ServedModel,
    skipped: Skipped,
    since: float = 0.0,
) -> ShadowComparison:
    """Compare what both answered since then (Unix time).

    Reads the database: call it in a thread. Raises `StoreError`.
    """
    with store.read() as connection:
        reading = _Reading(connection, champion, candidate, since)
        answered, judged = reading.answered(), reading.judged()
    agreement, apart = _alike(champion, answered)
    n_truths = len(judged.truth) if judged else 0
    metric, scores = champion.card.metric, None
    if judged is not None and n_truths >= MIN_TRUTHS:
        first, second = judged.scores(champion)
        metric = next(name for name in (metric, *FALLBACKS) if name in first and name in second)
        scores = first[metric], second[metric]
    return ShadowComparison(
        candidate=named,
        n_rows=len(answered.champion) if answered else 0,
        n_skipped=skipped.n_skipped,
        n_failed=skipped.n_failed,
        agreement=agreement,
        mean_difference=apart,
        n_truths=n_truths,
        metric=metric,
        champion_score=scores[0].estimate() if scores else None,
        candidate_score=scores[1].estimate() if scores else None,
        difference=difference(*scores) if scores else None,
        verdict=_verdict(named, skipped, agreement, n_truths, metric, scores),
    )


@dataclass(frozen=True)
class _Reading:
    """One look at the database."""

    connection: sa.Connection
    champion: LoadedModel
    candidate: LoadedModel
    since: float

    def answered(self) -> Pair | None:
        """Return the newest rows that both answered."""
        query = (
            self._both()
            .where(SHADOW_ANSWERS.c.made_at >= self.since)
            .order_by(SHADOW_ANSWERS.c.made_at.desc())
        )
        parts: list[tuple[Answers, Answers]] = []
        n_rows = 0
        for first, second, _ in self._read(query.limit(MAX_ROWS)):
            parts.append((first, second))
            n_rows += len(first)
            if n_rows >= MAX_ROWS:
                break
        return Pair(joined([a for a, _ in parts]), joined([b for _, b in parts])) if parts else None

    def judged(self) -> Pair | None:
        """Return the rows with the newest truths that both answered."""
        newest = (
            sa.select(TRUTHS)
            .where(TRUTHS.c.told_at >= self.since)
            .order_by(TRUTHS.c.told_at.desc())
            .limit(MAX_TRUTHS)
            .subquery()
        )
        told: dict[str, list[tuple[int, float]]] = {}
        for made, row, text in self.connection.execute(
            sa.select(newest.c.prediction_id, newest.c.row, newest.c.truth)
        ):
            truth = read_truth(text, self.champion.signature)
            if truth is not None:
                told.setdefault(made, []).append((row, truth))
        query = self._both().where(PREDICTIONS.c.id.in_(sa.select(newest.c.prediction_id)))
        parts: list[tuple[Answers, Answers]] = []
        truths: list[float] = []
        for first, second, made in self._read(query):
            known = [(row, truth) for row, truth in told.get(made, ()) if row < len(first)]
            if known:
                rows = [row for row, _ in known]
                parts.append((first.take(rows), second.take(rows)))
                truths += [truth for _, truth in known]
        if not parts:
            return None
        return Pair(joined([a for a, _ in parts]), joined([b for _, b in parts]), tuple(truths))

    def _both(self) -> sa.Select[str, str, str]:
        first, second = self.champion.version, self.candidate.version
        return (
            sa.select(PREDICTIONS.c.answer, SHADOW_ANSWERS.c.answer, PREDICTIONS.c.id)
            .join(SHADOW_ANSWERS, SHADOW_ANSWERS.c.prediction_id == PREDICTIONS.c.id)
            .where(PREDICTIONS.c.model == first.model, PREDICTIONS.c.version == first.version)
            .where(SHADOW_ANSWERS.c.model == second.model)
            .where(SHADOW_ANSWERS.c.version == second.version)
        )

    def _read(self, query: sa.Select[str, str, str]) -> Iterator[tuple[Answers, Answers, str]]:
        """Read pairs of answers, a few at a time, with their prediction's id."""
        classes = self.champion.signature.classes
        own, other = (
            AnswerReader(loaded.signature, classes) for loaded in (self.champion, self.candidate)
        )
        flowing = query.execution_options(yield_per=FETCHED_AT_ONCE)
        with self.connection.execute(flowing) as found:
            for first, second, made in found:
                a, b = own.read(first), other.read(second)
                if len(a) == len(b):
                    yield a, b, made


def _alike(champion: LoadedModel, pair: Pair | None) -> tuple[Estimate | None, Estimate | None]:
    """Return how often both say the same class, and how far apart their figures are on average."""
    if pair is None or len(pair.champion) < 2:
        return None, None
    first, second = pair.champion, pair.candidate
    if champion.signature.task == "regression":
        return None, estimate_of_mean(second.values - first.values)
    is_same = first.said == second.said
    agreement = estimate_of_share(int(is_same.sum()), len(is_same))
    if len(champion.signature.classes) != 2:
        return agreement, None
    place = positive_place(champion.signature)
    return agreement, estimate_of_mean(second.values[:, place] - first.values[:, place])


def _verdict(
    named: ServedModel,
    skipped: Skipped,
    agreement: Estimate | None,
    n_truths: int,
    metric: str,
    scores: tuple[Figure, Figure] | None,
) -> str:
    who = f"Version {named.version}"
    failed = f" It could not answer {skipped.n_failed:,} request(s)." if skipped.n_failed else ""
    if scores is None:
        alike = (
            f" says the same as the champion on {agreement.value:.1%} of rows" if agreement else ""
        )
        wait = f"{n_truths} truths of rows that both answered so far; {MIN_TRUTHS} are needed"
        return (
            f"{who}{alike or ' has answered nothing yet'}: {wait} to tell which is better.{failed}"
        )
    apart = difference(*scores)
    sign = -1 if metric in LOWER_IS_BETTER else 1
    told = (
        f"{words_of(metric)} {scores[1].value:.3g} against {scores[0].value:.3g} of the champion "
        f"on {n_truths:,} truths ({apart.value:+.3g}; {apart.low:+.3g} to {apart.high:+.3g})"
    )
    if not apart.low <= 0 <= apart.high:
        is_better = sign * apart.value > 0
        advice = "better: promote it" if is_better else "worse: keep the champion"
        return f"{who} is {advice}. {told}.{failed}"
    return f"{who}: no difference shown. {told}. {_what_next(scores, apart, n_truths)}{failed}"


def _what_next(scores: tuple[Figure, Figure], apart: Estimate, n_truths: int) -> str:
    is_share = scores[0].bounds[1] == 1.0
    smallest = SMALLEST if is_share else SMALLEST * abs(scores[0].value)
    if max(-apart.low, apart.high) <= smallest:
        return f"They are alike within {smallest:.3g}: either may serve."
    more = rows_to_tell(spread_of_difference(*scores), smallest) - n_truths if smallest else 0
    if more <= 0:
        return "A difference worth a change would have been seen by now: either may serve."
    return f"Not enough truths yet: about {more:,} more to tell a difference of {smallest:.3g}."
