"""What a person should look at now: alerts with their figures and the next step, and a verdict.

A share alerts when it moved by more than a threshold and its interval says that it moved at all;
the level of the intervals is divided by the number of features (Bonferroni). One fault, one alert:
a number out of range is part of its drift, a new label is not. Bursts are looked for in the last
hour as well, where a day would dilute them.
"""

from collections.abc import Iterator, Sequence
from statistics import NormalDist

from p1_prediction_api.monitoring.assessing import Assessment, Thresholds
from p1_prediction_api.monitoring.change import share, share_moved
from p1_prediction_api.monitoring.contracts import (
    Alert,
    FeatureWatch,
    LiveScores,
    LogState,
    PredictionWatch,
    Severity,
)
from p1_prediction_api.monitoring.counting import Counts
from p1_prediction_api.monitoring.reference import Reference

ORDER: dict[Severity, int] = {"problem": 0, "warning": 1, "note": 2}
NOTED_SHARE = 0.01
"""Labels never seen, and strange rows, are noted from this rise on."""
MIN_REFUSED = 5
REFUSED_WARNING, REFUSED_PROBLEM = 0.05, 0.5
MAX_ALERTS = 50


def drift_alerts(assessment: Assessment) -> Iterator[Alert]:
    """Tell of the features and answers that moved by a size that matters."""
    for one in assessment.features:
        if one.movement in {"moderate", "strong"}:
            yield _drift(one)
    answers = assessment.prediction
    if answers.movement in {"moderate", "strong"}:
        yield _prediction_drift(answers)


def _drift(one: FeatureWatch) -> Alert:
    severity: Severity = "problem" if one.movement == "strong" else "warning"
    next_step = "Ask where the rows come from; if the world changed, train on newer rows."
    message = f"{one.feature} moved: {one.message}."
    if one.kind == "date":
        severity = "note"
        next_step = "Time goes on; when answers get worse, train on newer rows."
    elif one.kind == "number" and one.unseen:
        message = f"{message[:-1]}; {one.unseen:.1%} are out of training's range."
    return Alert(
        severity=severity, code="drift", subject=one.feature, message=message, next_step=next_step
    )


def _prediction_drift(answers: PredictionWatch) -> Alert:
    return Alert(
        severity="problem" if answers.movement == "strong" else "warning",
        code="prediction-drift",
        subject=answers.of,
        message=f"The answers moved: {answers.message}.",
        next_step="See which feature moved; truths told (/v1/feedback) say if answers are worse.",
    )


def share_alerts(
    reference: Reference, counts: Counts, thresholds: Thresholds, moved: set[str], when: str
) -> Iterator[Alert]:
    """Tell of missing values, of values and rows unlike training, and of refused requests.

    `moved` are features whose drift is told already; `when` is such as "in the last hour".
    """
    yield from refusals(counts, when)
    if counts.n_looked_at < thresholds.min_rows or not len(counts.cells):
        return
    seen = _Seen(counts, thresholds, n_tests=2 * len(reference.features) + 1, when=when)
    for k, feature in enumerate(reference.features):
        n_missing = int(counts.cells[reference.layout.missing(k)])
        yield from seen.missing(feature.name, (feature.n_missing, reference.n_train), n_missing)
        if feature.kind == "date" or (feature.kind == "number" and feature.name in moved):
            continue
        n_unseen = int(counts.cells[reference.layout.unseen(k)])
        before = feature.n_unseen, reference.n_held_out
        yield from seen.unlike(feature.name, feature.kind == "category", before, n_unseen)
    strangeness = reference.strangeness
    yield from seen.strange((strangeness.n_beyond + 1, strangeness.n_held_out + 1))


class _Seen:
    """Alerts of shares of the rows that were seen."""

    def __init__(self, counts: Counts, thresholds: Thresholds, *, n_tests: int, when: str) -> None:
        self._n = counts.n_looked_at
        self._n_strange = counts.n_strange
        self._thresholds = thresholds
        self._z = NormalDist().inv_cdf(1 - thresholds.alpha / n_tests / 2)
        self._when = when

    def missing(self, name: str, before: tuple[int, int], n_missing: int) -> Iterator[Alert]:
        """Tell of a share of missing values that rose, or in a note that it fell."""
        least, n_before = self._thresholds.share_moderate, before[1]
        severity = self._severity(before, n_missing, least=least)
        next_step = "Look at what fills this field; the model has to guess without it."
        there_before = n_before - before[0], n_before
        if severity is None and self._severity(there_before, self._n - n_missing, least=least):
            severity, next_step = "note", "See what fills this field now."
        if severity is None:
            return
        yield Alert(
            severity=severity,
            code="missing",
            subject=name,
            message=f"{name} is missing in {n_missing / self._n:.1%} of rows {self._when}, "
            f"in training in {before[0] / max(1, n_before):.1%}.",
            next_step=next_step,
        )

    def unlike(
        self, name: str, is_label: bool, before: tuple[int, int], n_unseen: int
    ) -> Iterator[Alert]:
        """Tell of labels never seen, or of numbers out of range."""
        severity = self._severity(before, n_unseen, least=NOTED_SHARE)
        if severity is None:
            return
        what = "holds labels that training never saw" if is_label else "is out of training's range"
        yield Alert(
            severity=severity,
            code="unseen-labels" if is_label else "out-of-range",
            subject=name,
            message=f"{name} {what} in {n_unseen / self._n:.1%} of rows {self._when}.",
            next_step="The answers' warnings name them: a new label needs training, a new spelling "
            "needs mending."
            if is_label
            else "The answers' warnings name them: a changed unit, or a world that training lacks?",
        )

    def strange(self, before: tuple[int, int]) -> Iterator[Alert]:
        """Tell of rows that are unlike training as a whole."""
        severity = self._severity(before, self._n_strange, least=NOTED_SHARE)
        if severity is None:
            return
        yield Alert(
            severity=severity,
            code="out-of-distribution",
            subject="rows",
            message=f"{self._n_strange / self._n:.1%} of rows {self._when} are unlike training as "
            f"a whole; {before[0] / max(1, before[1]):.1%} are to be expected.",
            next_step="Look for values that never went together: mixed-up columns, another source; "
            "their answers are guesses.",
        )

    def _severity(self, before: tuple[int, int], n_hits: int, *, least: float) -> Severity | None:
        low, _ = share_moved(before, (n_hits, self._n), self._z)
        rise = n_hits / self._n - before[0] / max(1, before[1])
        if low <= 0 or rise < least:
            return None
        if rise >= self._thresholds.share_strong:
            return "problem"
        return "warning" if rise >= self._thresholds.share_moderate else "note"


def refusals(counts: Counts, when: str) -> Iterator[Alert]:
    """Tell of many requests whose rows did not fit the model."""
    n = counts.n_refused + counts.n_requests
    refused = share(counts.n_refused, n)
    if counts.n_refused < MIN_REFUSED or refused.low < REFUSED_WARNING:
        return
    yield Alert(
        severity="problem" if refused.value >= REFUSED_PROBLEM else "warning",
        code="refused",
        subject="service",
        message=f"{counts.n_refused:,} of {n:,} requests {when} were refused: their rows do not "
        "fit the model.",
        next_step="Their answers (422) name the fields; did a caller change, or the model's table?",
    )


def truth_alerts(truth: LiveScores | None) -> Iterator[Alert]:
    """Tell when the truths say that the answers are worse than in training."""
    if truth is not None and truth.is_worse:
        yield Alert(
            severity="problem",
            code="worse-than-training",
            subject="the answers",
            message=truth.verdict,
            next_step="Train on newer rows with these truths and compare it as a candidate; until "
            "then decide whether answers this good are still worth acting on.",
        )


def service_alerts(
    trouble: str, log: LogState, windows_trouble: str, reference_trouble: str, n_uncounted: int
) -> Iterator[Alert]:
    """Tell what keeps the service from serving, storing or watching as it should."""
    if trouble:
        yield Alert(
            severity="problem",
            code="model-not-loaded",
            subject="service",
            message=f"{trouble[0].upper()}{trouble[1:]}.",
            next_step="Publish a version that loads, or roll the alias back.",
        )
    if log.trouble:
        yield Alert(
            severity="problem",
            code="log-behind",
            subject="service",
            message=f"Predictions are answered and not all stored: {log.trouble}.",
            next_step="See to the database: is it reachable, and does it keep up?",
        )
    if windows_trouble:
        yield Alert(
            severity="warning",
            code="counts-not-stored",
            subject="service",
            message=f"What this replica counted waits to be stored: {windows_trouble}.",
            next_step="See to the database; nothing counted is lost while this process lives.",
        )
    if reference_trouble:
        yield Alert(
            severity="note",
            code="no-reference",
            subject="service",
            message=f"Drift cannot be told: {reference_trouble}.",
            next_step="Publish the model again.",
        )
    if n_uncounted:
        yield Alert(
            severity="note",
            code="sampled",
            subject="service",
            message=f"{n_uncounted:,} rows were answered and not looked at: figures are of a "
            "sample of the others.",
            next_step="Nothing, while answering matters more than counting.",
        )


def most_severe_first(alerts: Sequence[Alert]) -> list[Alert]:
    """Order alerts; of several about the same, the more severe one stays."""
    found: dict[tuple[str, str], Alert] = {}
    for alert in sorted(alerts, key=lambda one: ORDER[one.severity]):
        found.setdefault((alert.code, alert.subject), alert)
    return list(found.values())[:MAX_ALERTS]


def verdict(
    alerts: Sequence[Alert], n_rows: int, n_looked_at: int, thresholds: Thresholds, span: str
) -> str:
    """Say in one sentence how the version does."""
    told = [alert for alert in alerts if alert.severity != "note"]
    if told:
        others = len(told) - 1
        more = f" And {others} more." if others else ""
        return f"{told[0].message}{more}"
    if not n_rows:
        return f"Nobody asked in {span}."
    if any(alert.code == "no-reference" for alert in alerts):
        return f"{n_rows:,} rows in {span}; this version was published without what drift needs."
    if n_looked_at < thresholds.min_rows:
        return (
            f"{n_looked_at:,} rows in {span} are too few to tell; "
            f"from {thresholds.min_rows:,} on it is told what moved."
        )
    return f"{n_rows:,} rows in {span} look like training."
