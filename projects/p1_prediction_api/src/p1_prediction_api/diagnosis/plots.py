"""The charts of a diagnosis as SVG text, by Matplotlib and Seaborn, in the colours of their page.

Everything drawn takes its colour from CSS custom properties, so one picture reads in light and in
dark. Draws on a `Figure` of its own, never through pyplot. Knows figures, no page and no words.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from p0_foundations import page_svg

from p1_prediction_api.diagnosis.contracts import (
    CalibrationView,
    Confusion,
    CurvePoint,
    Importance,
    PartialDependence,
    RateCurve,
    Residuals,
    Slices,
    Unsupervised,
)

INK, GRID, BAD, SURFACE = "#010203", "#020304", "#030405", "#0a0b0c"
SERIES = ("#040506", "#050607", "#060708", "#070809", "#08090a", "#090a0b")
"""Placeholders that the page's own colours replace."""
_COLOURS = {
    INK: "var(--ink-2)",
    GRID: "var(--grid)",
    BAD: "var(--bad)",
    SURFACE: "var(--surface)",
} | {colour: f"var(--series-{k + 1})" for k, colour in enumerate(SERIES)}
WIDE, TALL = 4.0, 2.55
MAX_ALPHA = 0.6
MAX_BARS = 12


def learning_svg(points: Sequence[CurvePoint], metric: str) -> str:
    """Draw both scores over the number of rows."""
    figure, axes = _figure()
    x = [one.x for one in points]
    _both_scores(axes, x, points)
    axes.set_xlim(0, max(x) * 1.04)
    axes.locator_params(axis="x", nbins=5)
    _label(axes, "rows learned from", metric)
    return _svg(figure, f"{metric} on rows learned from and on others, as rows are added")


def validation_svg(points: Sequence[CurvePoint], name: str, chosen: str, metric: str) -> str:
    """Draw both scores over the setting, simple to flexible, and mark the chosen one."""
    figure, axes = _figure()
    x = list(range(len(points)))
    labels = [one.label for one in points]
    if chosen in labels:
        axes.axvline(labels.index(chosen), color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.annotate(
            "chosen",
            (labels.index(chosen), 0.02),
            xycoords=axes.get_xaxis_transform(),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=8.5,
            color=INK,
        )
    _both_scores(axes, x, points)
    axes.set_xticks(x, labels)
    _label(axes, f"{name}: simpler to more flexible", metric)
    return _svg(figure, f"{metric} on rows learned from and on others, by {name}")


def _both_scores(axes: Axes, x: Sequence[float], points: Sequence[CurvePoint]) -> None:
    seen = np.array([one.validation for one in points])
    error = np.array([one.standard_error for one in points])
    learned = [one.train for one in points]
    axes.fill_between(x, seen - error, seen + error, color=SERIES[0], alpha=0.18, linewidth=0)
    axes.plot(x, learned, color=SERIES[1], marker="s", markersize=3, label="rows learned from")
    axes.plot(x, seen, color=SERIES[0], marker="o", markersize=3.5, label="other rows ± 1 s.e.")
    low, high = axes.get_ylim()
    room = 0.04 * max(high - low, 0.1)  # a perfect score is not cut by the frame
    axes.set_ylim(min(low, high - 0.1), high + room)
    _legend(axes, n_columns=2, is_above=True)


def confusion_svg(confusion: Confusion) -> str:
    """Draw the counts, shaded by the share of their true class."""
    counts = np.array(confusion.counts, dtype=np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    n = len(counts)
    figure, axes = _figure(tall=max(TALL, 1.0 + 0.32 * n))
    rgb = mpl.colors.to_rgb(SERIES[0])
    shades = LinearSegmentedColormap.from_list("accent", [(*rgb, 0.03), (*rgb, MAX_ALPHA)])
    names = [shortened(name, 14) for name in confusion.classes]
    sns.heatmap(
        shares, ax=axes, cmap=shades, vmin=0, vmax=1, cbar=False, linewidths=0,
        xticklabels=names, yticklabels=names,
    )  # fmt: skip
    if n <= 12:
        for (i, j), count in np.ndenumerate(counts):
            text = f"{count:,.0f}" if n > 4 else f"{count:,.0f}\n{shares[i, j]:.0%}"
            axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", color=INK, fontsize=8.5)
    axes.tick_params(axis="y", labelrotation=0)
    axes.tick_params(axis="x", labelrotation=0 if n <= 4 else 45)
    _label(axes, "said", "true")
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    return _svg(figure, "Counts of held-out rows by true and said class")


def rates_svg(curves: Sequence[RateCurve], x_name: str, y_name: str, *, is_roc: bool) -> str:
    """Draw ROC or precision-recall curves, and what guessing would be."""
    figure, axes = _figure()
    for k, one in enumerate(curves):
        label = f"{shortened(one.label, 16)} {one.area.value:.2f}"
        axes.plot(one.x, one.y, color=SERIES[k], linewidth=1.6, label=label)
    guess = [0, 1] if is_roc else [curves[0].guess] * 2
    axes.plot([0, 1], guess, color=INK, linewidth=0.8, linestyle=(0, (2, 2)), label="guessing")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    _label(axes, x_name, y_name)
    _legend(axes, location="lower right" if is_roc else "lower left")
    return _svg(figure, f"{y_name} over {x_name}")


def calibration_svg(view: CalibrationView) -> str:
    """Draw how often it was so over what was said."""
    figure, axes = _figure()
    said = [one.said for one in view.bins]
    seen = np.array([one.seen.value for one in view.bins])
    reach = np.abs(np.array([[o.seen.low, o.seen.high] for o in view.bins]).T - seen)
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.errorbar(
        said, seen, yerr=reach, color=SERIES[0], marker="o", markersize=3.5, linewidth=1.2
    )
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    _label(axes, f"probability said of {shortened(view.label, 20)}", "share that was so")
    return _svg(figure, "How often it was so, over the probability said, with 95 % intervals")


def residuals_svg(view: Residuals, unit: str) -> str:
    """Draw truth less prediction over the prediction, with the mean of each bin."""
    figure, axes = _figure()
    axes.scatter(
        view.predicted,
        view.residual,
        s=7,
        color=SERIES[0],
        alpha=0.35,
        linewidths=0,
        rasterized=False,
    )
    axes.axhline(0, color=INK, linewidth=0.8)
    means = np.array([one.mean.value for one in view.bins])
    reach = np.abs(np.array([[o.mean.low, o.mean.high] for o in view.bins]).T - means)
    at = [one.predicted for one in view.bins]
    axes.errorbar(
        at, means, yerr=reach, color=SERIES[1], marker="s", markersize=3.5, linewidth=1.4,
        label="mean of a tenth, 95 %",
    )  # fmt: skip
    _legend(axes, is_above=True)
    of = f" ({unit})" if unit else ""
    _label(axes, f"predicted{of}", f"true less predicted{of}")
    return _svg(figure, "Residuals over predictions")


def slices_svg(slices: Slices) -> str:
    """Draw the error of each slice with its interval, and what was expected of it."""
    worst = slices.worst
    figure, axes = _figure(tall=0.8 + 0.42 * len(worst))
    for k, one in enumerate(worst):
        colour = BAD if one.is_found else SERIES[0]
        axes.plot([one.error.low, one.error.high], [k, k], color=colour, linewidth=2)
        axes.plot([one.error.value], [k], color=colour, marker="o", markersize=5)
        axes.plot([one.expected], [k], color=INK, marker="|", markersize=10, markeredgewidth=1.5)
        place = axes.get_yaxis_transform()
        box: dict[str, Any] = {"facecolor": SURFACE, "edgecolor": "none", "pad": 0.5}
        axes.text(
            0.01,
            k - 0.3,
            shortened(one.where, 52),
            transform=place,
            fontsize=8.5,
            color=INK,
            bbox=box,
        )
    axes.axvline(slices.overall, color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
    axes.set_yticks([])
    axes.set_ylim(len(worst) - 0.6, -0.85)
    axes.set_xlim(left=0)
    _label(axes, slices.measure, "")
    return _svg(figure, "Error of the worst slices with intervals")


def bars_svg(names: Sequence[str], values: Sequence[float], axis: str, *, marked: set[str]) -> str:
    """Draw one bar a name, the marked ones in the colour of trouble."""
    names, values = names[:MAX_BARS], values[:MAX_BARS]
    figure, axes = _figure(tall=max(1.5, 0.75 + 0.2 * len(names)))
    colours = [BAD if name in marked else SERIES[0] for name in names]
    axes.barh(range(len(names)), values, color=colours, height=0.66)
    axes.set_yticks(range(len(names)), [shortened(name, 24) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.axvline(0, color=INK, linewidth=0.8)
    _label(axes, axis, "")
    return _svg(figure, f"{axis}, by column")


def importance_svg(ranked: Sequence[Importance], metric: str) -> str:
    """Draw the fall of the score of each shuffled column, with its spread over repeats."""
    shown = ranked[:MAX_BARS]
    figure, axes = _figure(tall=max(1.5, 0.75 + 0.2 * len(shown)))
    axes.barh(range(len(shown)), [one.drop for one in shown], color=SERIES[0], height=0.66)
    axes.errorbar(
        [one.drop for one in shown], range(len(shown)), xerr=[one.spread for one in shown],
        fmt="none", ecolor=INK, elinewidth=0.9,
    )  # fmt: skip
    axes.set_yticks(range(len(shown)), [shortened(one.column, 24) for one in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.axvline(0, color=INK, linewidth=0.8)
    _label(axes, f"fall of {metric} when shuffled", "")
    return _svg(figure, f"Fall of {metric} when each column is shuffled")


def dependence_svg(one: PartialDependence) -> str:
    """Draw the mean prediction over a column's values, with the band of single rows."""
    figure, axes = _figure(tall=2.2)
    x, mean, low, high = (np.array(part) for part in (one.x, one.mean, one.low, one.high))
    if one.labels:
        reach = np.abs(np.stack([low, high]) - mean)
        axes.errorbar(x, mean, yerr=reach, fmt="o", color=SERIES[0], markersize=5, elinewidth=1.2)
        axes.set_xticks(x, [shortened(label, 10) for label in one.labels])
        axes.set_xlim(-0.5, len(x) - 0.5)
    else:
        axes.fill_between(x, low, high, color=SERIES[0], alpha=0.18, linewidth=0)
        axes.plot(x, mean, color=SERIES[0], linewidth=1.8)
        axes.set_xlim(x[0], x[-1])
        axes.locator_params(axis="x", nbins=5)
    axes.locator_params(axis="y", nbins=4)
    _label(axes, shortened(one.column, 36), shortened(one.of, 26))
    return _svg(figure, f"Mean prediction over {one.column}")


def components_svg(view: Unsupervised) -> str:
    """Draw rows on the first two components, coloured and shaped by segment."""
    figure, axes = _figure(tall=3.0)
    names = [view.segments[one.segment].name for one in view.points]
    order = [one.name for one in view.segments]
    sns.scatterplot(
        x=[one.x for one in view.points], y=[one.y for one in view.points], hue=names, style=names,
        hue_order=order, style_order=order, palette=list(SERIES[: len(order)]), s=14, alpha=0.7,
        linewidth=0, ax=axes,
    )  # fmt: skip
    alone = [one for one in view.points if one.is_outlier]
    axes.scatter(
        [one.x for one in alone], [one.y for one in alone], s=46, facecolors="none",
        edgecolors=BAD, linewidths=1,
    )  # fmt: skip
    _legend(axes, n_columns=6, is_above=True)
    first, second = (f"{share:.0%}" for share in view.explained[:2])
    _label(axes, f"1st ({first}): {shortened(view.axes[0], 34)}", f"2nd ({second})")
    return _svg(figure, "Rows on the first two principal components")


def shortened(text: str, n: int) -> str:
    """Cut a label to `n` characters; the middle goes, both ends tell names apart."""
    plain = " ".join(text.split())
    return plain if len(plain) <= n else f"{plain[: n - 1 - n // 3]}…{plain[-(n // 3) :]}"


def _figure(wide: float = WIDE, tall: float = TALL) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(wide, tall), layout="constrained")
    axes: Axes = figure.subplots()
    return figure, axes


def _legend(
    axes: Axes, *, location: str = "best", n_columns: int = 1, is_above: bool = False
) -> None:
    place: dict[str, Any] = {"loc": location}
    if is_above:
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1.0)}
    axes.legend(
        **place, ncols=n_columns, frameon=False, fontsize=8.5, labelcolor=INK, borderaxespad=0.3,
        handlelength=1.4, columnspacing=1.2, handletextpad=0.5,
    )  # fmt: skip


def _label(axes: Axes, x: str, y: str) -> None:
    """Name the axes and quieten what is not data; lines across only where heights are read."""
    axes.set_xlabel(x, fontsize=8.5, color=INK)
    axes.set_ylabel(y, fontsize=8.5, color=INK)
    axes.tick_params(labelsize=8.5, length=0, labelcolor=INK)
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis="both" if y else "x", color=GRID, linewidth=0.7)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(GRID)
        spine.set_linewidth(0.8)


def _svg(figure: Figure, title: str) -> str:
    return page_svg(figure, title, _COLOURS)
