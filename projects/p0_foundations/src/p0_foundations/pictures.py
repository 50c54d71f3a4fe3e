"""A picture of the lab: drawn once, written as SVG for a page or as PNG for anything else.

The SVG takes its colours from the page it stands in (`drawing.py`), the PNG has its own. Draws on a
`Figure` of its own, never through pyplot. Knows no subject: those are in the `*_pictures.py`.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from p0_foundations.drawing import page_svg


@dataclass(frozen=True)
class Colours:
    """What lines and text are drawn in: `ink` for words and axes, the rest to tell things apart."""

    ink: str
    first: str
    second: str
    third: str
    faint: str


PAPER = Colours("#22262e", "#3f63b0", "#c8702a", "#1f7d6c", "#b9bec8")
_PAGE = Colours("#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f")
_CSS = {
    _PAGE.ink: "currentColor",
    _PAGE.first: "var(--accent)",
    _PAGE.second: "var(--series-2)",
    _PAGE.third: "var(--series-3)",
    _PAGE.faint: "var(--edge)",
}
DOTS_PER_INCH = 150


@dataclass(frozen=True)
class Picture:
    """Something to look at; `title` says it to who cannot see it. Draw with `figure`."""

    title: str
    draw: Callable[[Colours], Figure]

    @property
    def figure(self) -> Figure:
        """A fresh Matplotlib figure, in the colours of paper."""
        return self.draw(PAPER)

    def svg(self) -> str:
        """Return SVG text in the colours of the page that holds it."""
        return page_svg(self.draw(_PAGE), self.title, _CSS)

    def png(self) -> bytes:
        """Return a PNG on white."""
        sink = io.BytesIO()
        self.figure.savefig(sink, format="png", dpi=DOTS_PER_INCH, facecolor="white")
        return sink.getvalue()

    def _repr_png_(self) -> bytes:
        """Show itself where a notebook's cell ends in it; an SVG would miss the page's colours."""
        return self.png()


def panels(colours: Colours, *titles: str, height_in: float = 2.6) -> tuple[Figure, list[Axes]]:
    """Make a figure with one quiet panel for each title, side by side."""
    figure = Figure(figsize=(3.4 * len(titles), height_in), layout="constrained")
    every: list[Axes] = list(figure.subplots(1, len(titles), squeeze=False)[0])
    for axes, title in zip(every, titles, strict=True):
        axes.set_title(title, fontsize=9, color=colours.ink, loc="left")
        axes.tick_params(labelsize=7, length=2, color=colours.faint, labelcolor=colours.ink)
        for side, spine in axes.spines.items():
            spine.set_visible(side in {"bottom", "left"})
            spine.set_color(colours.faint)
            spine.set_linewidth(0.6)
    return figure, every


def legend(axes: Axes, colours: Colours) -> None:
    """Name the lines of a panel, without a box."""
    axes.legend(frameon=False, fontsize=7, labelcolor=colours.ink)


def label(axes: Axes, colours: Colours, x: str = "", y: str = "") -> None:
    """Name the axes of a panel."""
    axes.set_xlabel(x, fontsize=8, color=colours.ink)
    axes.set_ylabel(y, fontsize=8, color=colours.ink)
