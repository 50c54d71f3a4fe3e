"""What a report shows, in order: each chart with the finding as its title and its figures as rows.

From a diagnosis to titles, pictures and tables; knows no HTML. Read next: `plots.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from p1_prediction_api.diagnosis import plots
from p1_prediction_api.diagnosis.contracts import (
    Confusion,
    CurvePoint,
    Diagnosis,
    Duplicates,
    LabelNoise,
    Leakage,
    RateCurve,
    Shift,
    Slices,
    Unsupervised,
)
from p1_prediction_api.diagnosis.words import METRIC_WORDS, words_of

Rows = tuple[tuple[str, ...], ...]
MAX_ROWS = 15


@dataclass(frozen=True)
class Chart:
    """A picture, its finding as the title, and the figures it is drawn from."""

    title: str
    svg: str
    head: tuple[str, ...] = ()
    rows: Rows = ()
    note: str = ""
    is_wide: bool = False


@dataclass(frozen=True)
class Section:
    """Charts that answer one question."""

    slug: str
    title: str
    lead: str
    charts: tuple[Chart, ...]


def sections(d: Diagnosis) -> Iterator[Section]:
    """Yield the sections that have something to show."""
    for slug, title, lead, charts in (
        ("learning", "How it learns", "Inside the training part, by cross-validation.", _learns),
        ("errors", "How it errs", f"On the {d.n_test:,} rows held out, seen once.", _errs),
        ("slices", "Where it errs", _slices_lead(d), _where),
        ("use", "What it uses", "On rows held out. Columns that go together share their weight.",
         _uses),
        ("data", "The data", "Faults that no model mends.", _data),
        ("shape", "The data without its target", "Where to look, not a verdict.", _shape),
    ):  # fmt: skip
        found = tuple(charts(d))
        if found:
            yield Section(slug, title, lead, found)


def _learns(d: Diagnosis) -> Iterator[Chart]:
    metric = METRIC_WORDS[d.fit.metric]
    head = (metric, "learned from", "others", "± 1 s.e.")
    if d.learning:
        title, _, more = d.learning.verdict.partition("; ")
        svg = plots.learning_svg(d.learning.points, metric)
        yield Chart(
            title, svg, ("rows", *head[1:]), _points(d.learning.points), note=_sentence(more)
        )
    if d.validation:
        v = d.validation
        svg = plots.validation_svg(v.points, v.parameter, v.chosen, metric)
        yield Chart(v.verdict, svg, (v.parameter, *head[1:]), _points(v.points))
    if d.fit.rivals:
        best = max(d.fit.rivals, key=lambda one: one.lead)
        title = (
            f"On the same folds {best.name} scored {best.score:.2f}"
            if best.lead > 0
            else "Neither a simpler nor a more flexible rival does better"
        )
        rows = (
            (d.model, f"{d.fit.cross_validated:.3f}", ""),
            *(
                (o.name, f"{o.score:.3f}", f"{o.lead:+.3f} ± {o.lead_error:.3f}")
                for o in d.fit.rivals
            ),
        )
        yield Chart(title, "", ("model", metric, "lead ± 1 s.e."), rows, is_wide=True)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _points(points: tuple[CurvePoint, ...]) -> Rows:
    return tuple(
        (o.label, f"{o.train:.3f}", f"{o.validation:.3f}", f"± {o.standard_error:.3f}")
        for o in points
    )


def _errs(d: Diagnosis) -> Iterator[Chart]:
    if d.confusion:
        yield _confusion(d, d.confusion)
    if d.roc:
        yield _rates(d.roc, is_roc=True)
        yield _rates(d.precision_recall, is_roc=False)
    if d.calibration:
        one = d.calibration
        yield Chart(
            f"Its probabilities are off by {one.error:.1%} on average",
            plots.calibration_svg(one),
            ("said", "was so", "from", "to", "rows"),
            tuple(
                (f"{b.said:.2f}", f"{b.seen.value:.2f}", f"{b.seen.low:.2f}", f"{b.seen.high:.2f}",
                 f"{b.n:,}")
                for b in one.bins
            ),
            note=f"On the dashed line they mean what they say. Spiegelhalter's z is {one.z:+.1f}.",
        )  # fmt: skip
    if d.residuals:
        far = [b for b in d.residuals.bins if b.mean.low > 0 or b.mean.high < 0]
        yield Chart(
            f"{len(far)} of {len(d.residuals.bins)} bins of predictions are off on average"
            if far
            else "No part of the range is off on average",
            plots.residuals_svg(d.residuals, d.unit),
            note="A curve means a relation that is missing; a funnel, errors that grow.",
        )
        yield Chart(
            "The mean residual of each bin",
            "",
            ("predicted", "mean residual", "from", "to", "rows"),
            tuple(
                (f"{b.predicted:.4g}", f"{b.mean.value:.3g}", f"{b.mean.low:.3g}",
                 f"{b.mean.high:.3g}", f"{b.n:,}")
                for b in d.residuals.bins
            ),
            note="Truth less prediction, bins of equally many rows.",
        )  # fmt: skip


def _confusion(d: Diagnosis, seen: Confusion) -> Chart:
    counts, names = seen.counts, seen.classes
    right = sum(counts[k][k] for k in range(len(names)))
    wrong = [(counts[i][j], i, j) for i in range(len(names)) for j in range(len(names)) if i != j]
    n, i, j = max(wrong)
    mistake = f"; most often {names[i]} is taken for {names[j]}" if n else ""
    return Chart(
        f"{right / max(d.n_test, 1):.0%} right{mistake}",
        plots.confusion_svg(seen),
        ("class", "training rows", "held out", "found (recall)"),
        tuple((c.label, f"{c.n_train:,}", f"{c.n_test:,}", words_of(c.recall)) for c in d.classes),
    )


def _rates(curves: tuple[RateCurve, ...], *, is_roc: bool) -> Chart:
    one = min(curves, key=lambda c: c.area.value)
    axes = ("false positive rate", "true positive rate") if is_roc else ("recall", "precision")
    name = "ROC area" if is_roc else "Average precision"
    of = f" for {one.label}" + (", the lowest" if len(curves) > 1 else "")
    return Chart(
        f"{name} {words_of(one.area)}{of}",
        plots.rates_svg(curves, *axes, is_roc=is_roc),
        ("class", "area", "from", "to", "guessing"),
        tuple(
            (c.label, f"{c.area.value:.3f}", f"{c.area.low:.3f}", f"{c.area.high:.3f}",
             f"{c.guess:.2f}")
            for c in curves
        ),
    )  # fmt: skip


def _slices_lead(d: Diagnosis) -> str:
    if d.slices is None:
        return ""
    return (
        f"{d.slices.n_looked_at:,} slices of one and two columns were looked at, on "
        f"{d.slices.n_rows:,} rows it did not learn from; intervals and odds pay for every one."
    )


def _where(d: Diagnosis) -> Iterator[Chart]:
    if d.slices and d.slices.worst:
        yield from _slices(d.slices)


def _slices(slices: Slices) -> Iterator[Chart]:
    n_found = sum(one.is_found for one in slices.worst)
    few = "slice errs" if n_found == 1 else "slices err"
    spell = "{:.0%}".format if slices.measure.startswith("share") else "{:.3g}".format
    yield Chart(
        f"{n_found} {few} more than chance allows"
        if n_found
        else "No slice errs more than chance allows; these come closest",
        plots.slices_svg(slices),
        note="Dots with corrected intervals; the tick is what was expected there, the dashed line "
        "the mean of all rows. Red is beyond chance.",
    )
    yield Chart(
        "Their sizes, and the odds against chance",
        "",
        ("slice", "rows", "error", "expected", "adjusted p"),
        tuple(
            (
                one.where,
                f"{one.n:,}",
                f"{spell(one.error.value)} ({spell(one.error.low)} to {spell(one.error.high)})",
                spell(one.expected),
                f"{one.p_adjusted:.1g}",
            )
            for one in slices.worst
        ),
        note=f"Error is the {slices.measure}.",
    )


def _uses(d: Diagnosis) -> Iterator[Chart]:
    metric = METRIC_WORDS[d.fit.metric]
    if d.importance:
        top = d.importance[0]
        yield Chart(
            f"“{top.column}” matters most: shuffled, {metric} falls by {top.drop:.2f}",
            plots.importance_svg(d.importance, metric),
            ("column", "fall", "± spread"),
            tuple(
                (o.column, f"{o.drop:.3f}", f"± {o.spread:.3f}") for o in d.importance[:MAX_ROWS]
            ),
        )
    for one in d.partial_dependence:
        low, high = min(one.mean), max(one.mean)
        names = one.labels or tuple(f"{x:.4g}" for x in one.x)
        yield Chart(
            f"“{one.column}” moves it by {high - low:.2g}, from {low:.2g} to {high:.2g}",
            plots.dependence_svg(one),
            (one.column, "mean", "10 %", "90 %"),
            tuple(
                (n, f"{m:.3g}", f"{a:.3g}", f"{b:.3g}")
                for n, m, a, b in zip(names, one.mean, one.low, one.high, strict=True)
            ),
        )


def _data(d: Diagnosis) -> Iterator[Chart]:
    if d.leakage:
        yield _leakage(d.leakage, d.target)
    if d.label_noise:
        yield _label_noise(d.label_noise, d)
    if d.shift:
        yield _shift(d.shift, d.duplicates)


def _leakage(one: Leakage, target: str) -> Chart:
    top = one.columns[0]
    return Chart(
        f"“{one.suspects[0]}” alone nearly gives {target} away"
        if one.suspects
        else f"No column alone gives {target} away; “{top.column}” tells most",
        plots.bars_svg(
            [c.column for c in one.columns],
            [c.power for c in one.columns],
            f"{one.measure} of a column alone",
            marked=set(one.suspects),
        ),
        ("column", one.measure),
        tuple((c.column, f"{c.power:.3f}") for c in one.columns[:MAX_ROWS]),
    )


def _label_noise(one: LabelNoise, d: Diagnosis) -> Chart:
    is_named = d.finding("label-noise") is not None
    is_classes = d.task == "classification"
    if is_named:
        title = f"{one.n_suspects:,} values of {d.target} to check, the surest first"
    elif one.n_suspects:
        title = f"No sign of wrong values of {d.target}; these are the least likely"
    else:
        title = f"No value of {d.target} stands out as wrong"
    last = "probability" if is_classes else "typical errors away"
    figure = "{:.2f}" if is_classes else "{:.1f}"
    return Chart(
        title,
        "",
        ("row", "given", "likely", last),
        tuple((str(o.row), o.given, o.likely, figure.format(o.confidence)) for o in one.suspects),
        note="By confident learning, out of fold." if is_classes else "Out of fold.",
    )


def _shift(one: Shift, copies: Duplicates | None) -> Chart:
    repeated = (
        f" {copies.n_found:,} of {copies.n_test:,} rows held out repeat a training row."
        if copies
        else ""
    )
    return Chart(
        f"Trees tell held-out rows from training rows with AUC {words_of(one.told_apart)}",
        "",
        ("column", "what moved", "distance", "adjusted p"),
        tuple((c.column, c.words, f"{c.distance:.2f}", f"{c.p_adjusted:.2g}")
              for c in one.columns[:8]),
        note=f"0.50 is not at all.{repeated}",
        is_wide=True,
    )  # fmt: skip


def _shape(d: Diagnosis) -> Iterator[Chart]:
    if d.unsupervised is None:
        return
    one = d.unsupervised
    yield Chart(
        one.verdict,
        plots.components_svg(one),
        ("segments tried", "silhouette"),
        tuple((str(k), f"{value:.2f}") for k, value in one.silhouettes.items()),
        note="Principal components; ringed rows lie alone.",
    )
    yield _segments(one, is_classes=d.task == "classification")
    if one.outliers:
        yield Chart(
            "Rows that lie alone",
            "",
            ("row", "isolation", "why"),
            tuple((str(o.row), f"{o.score:.2f}", o.why) for o in one.outliers),
            note="Isolation near 0.5 is ordinary, near 1 alone.",
            is_wide=True,
        )


def _segments(one: Unsupervised, *, is_classes: bool) -> Chart:
    worst = max(one.segments, key=lambda s: s.error)
    figure = "{:.1%}" if is_classes else "{:.3g}"
    name = "wrong" if is_classes else "mean error"
    return Chart(
        f"It errs most in segment {worst.name}: {figure.format(worst.error)} {name}",
        "",
        ("segment", "rows", name, "unlike the rest"),
        tuple((s.name, f"{s.n:,}", figure.format(s.error), s.traits) for s in one.segments),
        note="Segments by k-means; errors on rows it did not learn from.",
    )
