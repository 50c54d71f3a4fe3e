"""Small plots as SVG text by Matplotlib, in the colours of the page that holds them.

Everything drawn takes its colour from CSS (`currentColor`, `--accent`), so one picture reads in
light and in dark. Draws on a `Figure` of its own, never through pyplot. Knows columns, no page.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from p0_foundations.contracts import Association, ColumnProfile, Histogram, Kind
from p0_foundations.drawing import page_svg

INK, FILL = "#010203", "#040506"
"""Placeholders that the page's own colours replace."""
N_BARS = 6
MAX_HEATMAP = 24
WIDTH_IN, HEIGHT_IN = 3.4, 1.35


def distribution_svg(column: ColumnProfile) -> str:
    """Draw the histogram of a number, date or text length, or the bars of frequent values."""
    is_named = column.kind in {Kind.CATEGORY, Kind.BOOLEAN, Kind.CODE}
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
    axes = figure.subplots()
    if is_named and column.top:
        _draw_bars(axes, column)
    elif column.number is not None and len(column.number.histogram.edges) > 2:
        _draw_histogram(axes, column.number.histogram, is_dated=column.kind is Kind.DATETIME)
    else:
        return ""
    return _svg(figure, f"Distribution of {column.name}")


def _draw_histogram(axes: Axes, histogram: Histogram, *, is_dated: bool) -> None:
    """Draw counts as areas: an end bin that reaches far out is shown no wider than two others."""
    edges = np.array(histogram.edges)
    counts = np.array(histogram.counts, dtype=np.float64)
    widths = np.diff(edges)
    typical = float(np.median(widths))
    edges[0] = max(edges[0], edges[1] - 2 * typical)
    edges[-1] = min(edges[-1], edges[-2] + 2 * typical)
    axes.stairs(counts, edges, fill=True, color=FILL)
    axes.set_yticks([])
    axes.set_xlim(edges[0], edges[-1])
    axes.locator_params(axis="x", nbins=4)
    if is_dated:
        ticks = [float(edges[0]), float(edges[-1])]
        axes.set_xticks(ticks, [f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d}" for t in ticks])
        first, last = axes.get_xticklabels()
        first.set_horizontalalignment("left")
        last.set_horizontalalignment("right")
    _style(axes)


def _draw_bars(axes: Axes, column: ColumnProfile) -> None:
    top = column.top[:N_BARS]
    total = max(column.n_present, 1)
    positions = range(len(top))
    axes.barh(positions, [one.n / total for one in top], color=FILL, height=0.7)
    axes.set_yticks(positions, [shortened(one.value, 16) for one in top])
    axes.set_xticks([])
    axes.invert_yaxis()
    for k, one in enumerate(top):
        axes.text(one.n / total, k, f" {one.n / total:.0%}", va="center", color=INK, fontsize=7)
    axes.set_xlim(0, max(one.n for one in top) / total * 1.18)
    axes.set_ylim(max(len(top), 3) - 0.5, -0.5)
    _style(axes)
    axes.spines["bottom"].set_visible(False)


def heatmap_svg(pairs: Sequence[Association]) -> str:
    """Draw the Spearman correlations as a grid; needs three numbers to be worth a picture."""
    chosen = [one for one in pairs if one.measure == "spearman"]
    names = list(dict.fromkeys(name for one in chosen for name in (one.a, one.b)))[:MAX_HEATMAP]
    if len(names) < 3:
        return ""
    at = {name: k for k, name in enumerate(names)}
    matrix = np.eye(len(names))
    for one in chosen:
        if one.a in at and one.b in at:
            matrix[at[one.a], at[one.b]] = matrix[at[one.b], at[one.a]] = one.value
    size = 1.8 + 0.3 * len(names)
    figure = Figure(figsize=(size, size * 0.9), layout="constrained")
    axes = figure.subplots()
    image = axes.pcolormesh(matrix, cmap="RdBu_r", vmin=-1, vmax=1, edgecolors="face")
    middles = np.arange(len(names)) + 0.5
    labels = [shortened(name, 18) for name in names]
    axes.set_xticks(middles, labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(middles, labels)
    axes.invert_yaxis()
    _style(axes)
    bar = figure.colorbar(image, shrink=0.5, ticks=[-1, 0, 1])
    bar.ax.tick_params(labelsize=7, length=0, labelcolor=INK)
    bar.outline.set_visible(False)
    return _svg(figure, "Spearman correlation of each pair of numbers")


def shortened(text: str, n: int) -> str:
    """Cut a label to `n` characters; the middle goes, both ends tell names apart."""
    plain = " ".join(text.split())
    return plain if len(plain) <= n else f"{plain[: n - 1 - n // 3]}…{plain[-(n // 3) :]}"


def _style(axes: Axes) -> None:
    axes.tick_params(labelsize=7, length=0, labelcolor=INK)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(INK)
        spine.set_linewidth(0.4)


def _svg(figure: Figure, title: str) -> str:
    return page_svg(figure, title, {INK: "currentColor", FILL: "var(--accent)"})
