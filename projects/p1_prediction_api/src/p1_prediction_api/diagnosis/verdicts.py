"""From figures to words: what is wrong, what shows it, what to do next; most serious first.

Reads a diagnosis without findings; knows no data and no model. Every threshold stands here with its
reason; each pairs a size that matters with odds against chance, so that clean data is not accused.
"""

from collections.abc import Callable, Iterator, Sequence

from p1_prediction_api.diagnosis.contracts import (
    CurvePoint,
    Diagnosis,
    Finding,
    Fit,
    Rival,
    Slice,
)
from p1_prediction_api.diagnosis.data_verdicts import (
    find_duplicates,
    find_imbalance,
    find_label_noise,
    find_leak,
    find_shift,
)
from p1_prediction_api.diagnosis.words import METRIC_WORDS, words_of

MAX_NAMED = 3
WIDE_GAP = 0.1
"""Training above cross-validation by so much is more than optimism of a few parameters."""
HUGE_GAP, SURVIVES = 0.25, 0.25
"""So wide a gap, with less than a quarter of the skill left, is memory, whatever rivals do."""
WORTHWHILE = 0.02
"""A gain in the score worth more rows or another setting."""
CLEARLY_BETTER, LARGE_LEAD = 0.03, 0.05
"""A lead of a rival that is worth its complexity, and one that makes a fault a problem."""
SURE, VERY_SURE = 2.0, 3.0
"""Standard errors. Five folds give rough ones: the looser goes with a second condition."""
WIDE_INTERVAL = {"roc_auc": 0.25, "balanced_accuracy": 0.25, "r2": 0.4}
"""An interval so wide holds a useful and a useless model; R² of a middling one varies most."""
ROWS_PER_COLUMN = 5
"""Fewer rows (of the rarest class) a column cannot be fitted (Harrell, 2015, 4.4: 10 to 20)."""
SAID_WRONG, SAID_WRONG_Z = 0.05, 3.3
UNEVEN, UNEVEN_P = 0.3, 1e-4
_ORDER = {"problem": 0, "warning": 1, "note": 2}
Rule = Callable[[Diagnosis], Iterator[Finding]]


def gap_of(fit: Fit) -> float:
    """Return by how much the score falls from rows learned to rows not learned."""
    return fit.train - fit.cross_validated


def learning_words(fit: Fit, gain: float, error: float) -> str:
    """Say whether bias or variance limits the model."""
    if gap_of(fit) >= WIDE_GAP:
        text = (
            f"Variance: it scores {fit.train:.2f} on rows it learned from and "
            f"{fit.cross_validated:.2f} on others"
        )
    elif better := _better(fit, is_simpler=False):
        text = f"Bias: {better.name} score {better.score:.2f} where it scores "
        text += f"{fit.cross_validated:.2f}"
    else:
        text = "Neither bias nor variance stands out"
    if gain >= WORTHWHILE and gain >= SURE * error:
        return f"{text}; the last doubling of rows brought {gain:+.2f}, so more rows will help"
    return f"{text}; the last doubling of rows brought {gain:+.3f}, so more alike will not help"


def validation_words(name: str, points: Sequence[CurvePoint], chosen: str, best: str) -> str:
    """Say where the best setting lies."""
    at = {point.label: point for point in points}
    if chosen not in at:
        return f"Best at {name} {best}"
    here, top = at[chosen], at[best]
    if chosen == best:
        return f"No other {name} does better than {chosen}"
    if top.validation - here.validation <= max(here.standard_error, top.standard_error):
        return f"With {name} {chosen} it is within one standard error of the best ({best})"
    labels = [point.label for point in points]
    side = "simpler" if labels.index(best) < labels.index(chosen) else "more flexible"
    return (
        f"A {side} {name} does better: {best} scores {top.validation:.2f}, {chosen} "
        f"{here.validation:.2f}"
    )


def find(d: Diagnosis) -> tuple[Finding, ...]:
    """Return every finding, the most serious first; within a severity, causes before symptoms."""
    found = [finding for rule in _RULES for finding in rule(d)]
    return tuple(sorted(found, key=lambda one: _ORDER[one.severity]))


def verdict(d: Diagnosis, findings: Sequence[Finding]) -> str:
    """Sum up in a sentence or two."""
    metric = METRIC_WORDS[d.fit.metric]
    score = f"{metric} {words_of(d.fit.held_out)} on {d.n_test:,} rows held out"
    serious = [one for one in findings if one.severity != "note"]
    if not serious:
        unseen = [what for what, seen in _looks(d) if not seen]
        if unseen:
            return f"No fault found so far, {' and '.join(unseen)} not looked at. {score}."
        return f"No fault found. {score}."
    more = len(serious) - 1
    others = f" (and {more} more thing{'s' if more > 1 else ''} to look at)" if more else ""
    headline = f"{serious[0].headline}{others}"
    return f"{headline}{'' if headline.endswith('?') else '.'} {score}."


def _looks(d: Diagnosis) -> tuple[tuple[str, bool], ...]:
    """Say of what a clear verdict rests on whether it was looked at."""
    data = d.leakage and d.duplicates and d.shift and d.label_noise
    return (
        ("the data", data is not None),
        ("the learning curve", d.learning is not None),
        ("slices", d.slices is not None),
    )


def _better(fit: Fit, *, is_simpler: bool) -> Rival | None:
    """Return the rival that clearly leads; a flexible one must beat even the training score."""
    for one in fit.rivals:
        if one.is_simpler != is_simpler:
            continue
        if is_simpler and one.lead >= max(WORTHWHILE, SURE * one.lead_error):
            return one
        if one.lead >= max(CLEARLY_BETTER, VERY_SURE * one.lead_error) and fit.train < one.score:
            return one
    return None


def _held_out_worse(d: Diagnosis) -> Iterator[Finding]:
    fit = d.fit
    spread = (fit.held_out.high - fit.held_out.low) / (2 * 1.96)
    by_size = spread * (d.n_test / max(d.n_train, 1)) ** 0.5
    error = (spread**2 + max(fit.standard_error, by_size) ** 2) ** 0.5
    fall = fit.cross_validated - fit.held_out.value
    if fall < CLEARLY_BETTER or fall < VERY_SURE * error:
        return
    yield Finding(
        slug="held-out-worse",
        severity="problem",
        headline="It does worse on the rows held out than cross-validation promised",
        evidence=(
            (
                f"Cross-validation {fit.cross_validated:.2f} ± {fit.standard_error:.2f}, held out "
                f"{words_of(fit.held_out)}"
            ),
        ),
        next_step=(
            "Trust the lower figure. Look for what differs: time, groups that repeat across folds, "
            "or a relation that changed; then split so that folds differ in the same way."
        ),
    )


def _no_signal(d: Diagnosis) -> Iterator[Finding]:
    fit = d.fit
    if fit.held_out.low > fit.no_skill:
        return
    yield Finding(
        slug="no-signal",
        severity="problem",
        headline=f"It is not shown to predict {d.target} better than guessing",
        evidence=(
            f"Held out {words_of(fit.held_out)}, guessing {fit.no_skill:.2f}",
            f"Cross-validation {fit.cross_validated:.2f} ± {fit.standard_error:.2f}",
        ),
        next_step=(
            "Ask what a person would need to know to answer, and whether a column holds it; then "
            "more rows."
        ),
    )


def _too_flexible(d: Diagnosis) -> Iterator[Finding]:
    fit = d.fit
    if gap_of(fit) < WIDE_GAP:
        return
    evidence = [f"{fit.train:.2f} on rows it learned from, {fit.cross_validated:.2f} on others"]
    is_memory = gap_of(fit) >= HUGE_GAP and (
        fit.cross_validated - fit.no_skill < SURVIVES * (fit.train - fit.no_skill)
    )
    leads = [0.0]
    if rival := _better(fit, is_simpler=True):
        leads.append(rival.lead)
        evidence.append(f"On the same folds {rival.name} scores {rival.score:.2f}")
    curve = d.validation
    if curve is not None and curve.simpler_lead >= max(WORTHWHILE, SURE * curve.simpler_lead_error):
        leads.append(curve.simpler_lead)
        evidence.append(
            f"A simpler setting leads by {curve.simpler_lead:.2f} ± {curve.simpler_lead_error:.2f}"
        )
    if is_memory or max(leads) > 0:
        yield Finding(
            slug="too-flexible",
            severity="problem" if is_memory or max(leads) >= LARGE_LEAD else "warning",
            headline="The model is too flexible: it remembers rows instead of what they share",
            evidence=tuple(evidence),
            next_step="Choose a simpler model or regularise more; the validation curve says where.",
        )


def _too_simple(d: Diagnosis) -> Iterator[Finding]:
    rival = _better(d.fit, is_simpler=False)
    if rival is None:
        return
    fit = d.fit
    yield Finding(
        slug="too-simple",
        severity="problem",
        headline="The model is too simple for what the columns tell together",
        evidence=(
            (
                f"On the same folds {rival.name} score {rival.score:.2f}, it scores "
                f"{fit.cross_validated:.2f} (lead {rival.lead:.2f} ± {rival.lead_error:.2f})"
            ),
            f"Even on rows it learned from it scores {fit.train:.2f}",
        ),
        next_step="Let trees into the search, or add what they find (products, bins) as columns.",
    )


def _too_small(d: Diagnosis) -> Iterator[Finding]:
    evidence = []
    curve, fit = d.learning, d.fit
    if curve is not None and curve.gain >= max(CLEARLY_BETTER, SURE * curve.gain_error):
        evidence.append(
            f"The last doubling of rows brought {curve.gain:+.2f} ± {curve.gain_error:.2f}, and it "
            "still rises"
        )
    if fit.held_out.high - fit.held_out.low > WIDE_INTERVAL[fit.metric]:
        evidence.append(
            f"{d.n_test:,} rows held out leave {METRIC_WORDS[fit.metric]} between "
            f"{fit.held_out.low:.2f} and {fit.held_out.high:.2f}"
        )
    n_columns = len(d.leakage.columns) if d.leakage else 1
    fewest = min((one.n_train for one in d.classes), default=d.n_train)
    if fewest < ROWS_PER_COLUMN * n_columns:
        of = " of the rarest class" if d.classes else ""
        evidence.append(f"{fewest:,} training rows{of} for {n_columns:,} columns")
    if evidence:
        yield Finding(
            slug="too-small",
            severity="warning",
            headline="There are too few rows for what is asked of them",
            evidence=tuple(evidence),
            next_step="Collect more rows, of the rarer class first; until then use fewer columns.",
        )


def _weak_slice(d: Diagnosis) -> Iterator[Finding]:
    found = [one for one in d.slices.worst if one.is_found] if d.slices else []
    if d.slices is None or not found:
        return
    yield Finding(
        slug="weak-slice",
        severity="warning",
        headline=f"It fails more often than it knows where {found[0].where}"
        if d.task == "classification"
        else f"Its errors are largest where {found[0].where}",
        evidence=tuple(_slice_words(one, d.task == "classification") for one in found[:MAX_NAMED]),
        next_step=(
            "Look at these rows: are they measured or labelled differently, or is a column missing "
            f"that explains them? {d.slices.n_looked_at:,} slices were looked at and corrected for."
        ),
    )


def _slice_words(one: Slice, is_classes: bool) -> str:
    if is_classes:
        return (
            f"{one.where}: {one.n:,} rows, {one.error.value:.0%} wrong ({one.error.low:.0%} to "
            f"{one.error.high:.0%}), {one.expected:.0%} expected"
        )
    return (
        f"{one.where}: {one.n:,} rows, mean error {one.error.value:.3g} ({one.error.low:.3g} to "
        f"{one.error.high:.3g}), elsewhere {one.expected:.3g}"
    )


def _miscalibrated(d: Diagnosis) -> Iterator[Finding]:
    one = d.calibration
    if one is None or one.error < SAID_WRONG or abs(one.z) < SAID_WRONG_Z:
        return
    yield Finding(
        slug="miscalibrated",
        severity="note",
        headline=f"Its probabilities are off by {one.error:.0%} on average",
        evidence=(
            (
                f"Expected calibration error {one.error:.2f}; Spiegelhalter's z {one.z:+.1f}, "
                "beyond ±2 is unlikely when calibrated"
            ),
        ),
        next_step="Calibrate on rows it did not learn from before a threshold or a cost uses them.",
    )


def _uneven_errors(d: Diagnosis) -> Iterator[Finding]:
    one = d.residuals
    if one is None or abs(one.spread_correlation) < UNEVEN or one.spread_p > UNEVEN_P:
        return
    side = "large" if one.spread_correlation > 0 else "small"
    yield Finding(
        slug="uneven-errors",
        severity="note",
        headline=f"Errors grow towards {side} predictions",
        evidence=(
            (
                f"Rank correlation of error and prediction {one.spread_correlation:+.2f} "
                f"(p = {one.spread_p:.1g})"
            ),
        ),
        next_step="Predict the logarithm, or give intervals that widen with the prediction.",
    )


_RULES: tuple[Rule, ...] = (
    find_leak,
    find_duplicates,
    _too_flexible,
    _too_simple,
    _no_signal,
    _held_out_worse,
    find_label_noise,
    find_shift,
    _too_small,
    find_imbalance,
    _weak_slice,
    _miscalibrated,
    _uneven_errors,
)
