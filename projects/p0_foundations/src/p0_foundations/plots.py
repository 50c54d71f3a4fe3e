"""The pictures of a report: how a column is spread, what goes together, where cells are missing.

Each is a `Sheet` as SVG text, in the colours of the page that holds it (`--accent`, `--against`).
Knows columns, no page and no data.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

from p0_foundations.contracts import Association, ColumnProfile, Kind
from p0_foundations.figures import Gaps, Histogram
from p0_foundations.sheets import FONT_PX, Sheet, round_marks, width_of

N_BARS = 6
MAX_HEATMAP = 24
WIDTH, HEIGHT = 320.0, 118.0
_LABEL = 16
_CELL = 24.0
_STRIP, _BAND = 26.0, 4.0
_N_MARKS = 4
_OVERLAP = 1.0
"""Bars reach so far into the next one, or a thin line of the page would shine through."""


def distribution_svg(column: ColumnProfile) -> str:
    """Draw the histogram of a number, date or text length, or the bars of frequent values."""
    if column.kind in {Kind.CATEGORY, Kind.BOOLEAN, Kind.CODE} and column.top:
        return _bars(column)
    if column.number is not None and len(column.number.histogram.edges) > 2:
        return _histogram(column, column.number.histogram)
    return ""


def _histogram(column: ColumnProfile, histogram: Histogram) -> str:
    """Draw counts as areas: an end bin that reaches far out is shown no wider than two others."""
    is_dated = column.kind is Kind.DATETIME
    edges = _drawn_in(histogram.edges)
    low, high = edges[0], edges[-1]
    floor, highest = HEIGHT - 18, max(histogram.counts)
    sheet = Sheet(WIDTH, HEIGHT, f"Distribution of {column.name}")

    def across(value: float) -> float:
        return 1 + (value - low) / (high - low) * (WIDTH - 2)

    for k, count in enumerate(histogram.counts):
        left, right = (across(edge) for edge in edges[k : k + 2])
        tall = (floor - 4) * count / highest
        if tall:
            bounds = tuple(_edge(histogram.edges[j], is_dated=is_dated) for j in (k, k + 1))
            says = f"{bounds[0]} to {bounds[1]}: {count:,}"
            sheet.box(left, floor - tall, right - left + _OVERLAP, tall, says=says)
    sheet.line(0, floor, WIDTH, floor)
    if is_dated:
        sheet.words(0, HEIGHT - 5, _edge(low, is_dated=True))
        sheet.words(WIDTH, HEIGHT - 5, _edge(high, is_dated=True), anchor="end")
    for mark, text in [] if is_dated else round_marks(low, high, _N_MARKS):
        _write_within(sheet, across(mark), text)
    return sheet.svg()


def _drawn_in(edges: Sequence[float]) -> list[float]:
    """Draw the outermost edges in to twice the usual width of a bin."""
    usual = median(b - a for a, b in pairwise(edges))
    inner = list(edges)
    inner[0] = max(inner[0], inner[1] - 2 * usual)
    inner[-1] = min(inner[-1], inner[-2] + 2 * usual)
    return inner


def _edge(value: float, *, is_dated: bool) -> str:
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d}" if is_dated else f"{value:.5g}"


def _write_within(sheet: Sheet, x: float, text: str) -> None:
    """Write a mark of the axis under its place, wholly on the sheet."""
    half = width_of(text) / 2
    anchor = "start" if x < half else "end" if x > WIDTH - half else "middle"
    sheet.words(x, HEIGHT - 5, text, anchor=anchor)


def _bars(column: ColumnProfile) -> str:
    top = column.top[:N_BARS]
    total = max(column.n_present, 1)
    labels = [shortened(one.value, _LABEL) for one in top]
    start = max(map(width_of, labels)) + 8
    room = WIDTH - start - 34
    tall = (HEIGHT - 6) / max(len(top), 3)
    sheet = Sheet(WIDTH, HEIGHT, f"Most frequent values of {column.name}")
    for k, (one, label) in enumerate(zip(top, labels, strict=True)):
        y, long = 3 + k * tall, room * one.n / top[0].n
        middle = y + tall / 2 + FONT_PX * 0.35
        says = f"{one.value}: {one.n:,} of {total:,}"
        sheet.words(start - 6, middle, label, anchor="end")
        sheet.box(start, y + tall * 0.15, max(long, 0.5), tall * 0.7, says=says)
        sheet.words(start + long + 5, middle, f"{one.n / total:.0%}")
    return sheet.svg()


def heatmap_svg(pairs: Sequence[Association]) -> str:
    """Draw the Spearman correlations as a grid; needs three numbers to be worth a picture."""
    found = {(one.a, one.b): one.value for one in pairs if one.measure == "spearman"}
    names = list(dict.fromkeys(name for pair in found for name in pair))[:MAX_HEATMAP]
    if len(names) < 3:
        return ""
    return _grid(names, found, "Spearman correlation of each pair of numbers")


def missing_together_svg(gaps: Gaps) -> str:
    """Draw for each two columns whether they miss the same rows; needs three columns."""
    found = {(one.a, one.b): one.value for one in gaps.pairs}
    names = list(gaps.columns)[:MAX_HEATMAP]
    if len(names) < 3:
        return ""
    return _grid(names, found, "Correlation of which cells are missing, for each pair of columns")


def _grid(names: Sequence[str], values: Mapping[tuple[str, str], float], title: str) -> str:
    """Draw a symmetric matrix of -1 to 1: two colours, the stronger the fuller."""
    labels = [shortened(name, _LABEL) for name in names]
    left = max(map(width_of, labels)) + 10
    size = _CELL * len(names)
    sheet = Sheet(left + size + 78, size + left * 0.75 + 8, title)
    for i, one in enumerate(names):
        middle = _CELL * (i + 0.5)
        sheet.words(left - 6, middle + FONT_PX * 0.35, labels[i], anchor="end")
        sheet.words(left + middle + 3, size + 12, labels[i], anchor="end", turned=-45)
        for j, other in enumerate(names):
            value = 1.0 if i == j else values.get((one, other), values.get((other, one)))
            if value is not None:
                says = "" if i == j else f"{one} · {other}: {value:+.2f}"
                place = left + _CELL * j, _CELL * i
                sheet.box(*place, _CELL - 1, _CELL - 1, _side(value), opacity=abs(value), says=says)
    for k, value in enumerate((1.0, 0.5, 0.0, -0.5, -1.0)):
        sheet.box(left + size + 16, 12 * k, 11, 11, _side(value), opacity=max(abs(value), 0.06))
        sheet.words(left + size + 32, 12 * k + 9, f"{value:+.1f}" if value else "0")
    return sheet.svg()


def _side(value: float) -> str:
    return "var(--accent)" if value >= 0 else "var(--against)"


def gaps_svg(gaps: Gaps) -> str:
    """Draw where cells are missing: a strip a column, the rows from top to bottom."""
    labels = [shortened(name, _LABEL) for name in gaps.columns]
    top = max(map(width_of, labels)) * 0.75 + 14
    left = width_of(f"{gaps.edges[-1]:,}") + 8
    tall = _BAND * (len(gaps.edges) - 1)
    width = left + _STRIP * len(labels) + top
    sheet = Sheet(width, top + tall + 4, "Where cells are missing, down the rows of each column")
    sheet.words(left - 6, top + FONT_PX, "1", anchor="end")
    sheet.words(left - 6, top + tall, f"{gaps.edges[-1]:,}", anchor="end")
    for k, name in enumerate(gaps.columns):
        x = left + _STRIP * k
        sheet.words(x + _STRIP / 2, top - 6, labels[k], turned=-45)
        says = f"{name}: {sum(gaps.n_missing[k]):,} cells missing"
        sheet.box(x, top, _STRIP - 2, tall, "currentColor", opacity=0.08, says=says)
        for start, stop, share in _runs(gaps, k):
            first, last = gaps.edges[start], gaps.edges[stop]
            n = sum(gaps.n_missing[k][start:stop])
            says = f"{name}, rows {first + 1:,} to {last:,}: {n / (last - first):.1%} missing"
            place = x, top + _BAND * start
            sheet.box(*place, _STRIP - 2, _BAND * (stop - start), opacity=share, says=says)
    return sheet.svg()


def _runs(gaps: Gaps, k: int) -> list[tuple[int, int, float]]:
    """Join neighbouring bands of a column that miss nearly the same share: from, to, that share."""
    runs: list[tuple[int, int, float]] = []
    for band, n in enumerate(gaps.n_missing[k]):
        share = math.ceil(20 * n / max(gaps.edges[band + 1] - gaps.edges[band], 1)) / 20
        if runs and runs[-1][1] == band and runs[-1][2] == share:
            runs[-1] = (runs[-1][0], band + 1, share)
        elif share:
            runs.append((band, band + 1, share))
    return runs


def shortened(text: str, n: int) -> str:
    """Cut a label to `n` characters; the middle goes, both ends tell names apart."""
    plain = " ".join(text.split())
    return plain if len(plain) <= n else f"{plain[: n - 1 - n // 3]}…{plain[-(n // 3) :]}"
