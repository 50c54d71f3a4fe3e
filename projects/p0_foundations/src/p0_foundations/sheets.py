"""A picture written directly as SVG: rectangles, lines and words on a sheet.

For the many small pictures of a report, where loading a plotting library takes longer than making
the report. Every colour is CSS, so that one picture reads in light, in dark and on paper. Also the
marks of an axis: round numbers, written short. Knows no table. Read next: `plots.py`.
"""

import math
import unicodedata
from html import escape

FONT_PX = 10
_LETTER_PX = 6.3
"""About as wide as a letter of a system font is at `FONT_PX`; Chinese ones are wider."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def width_of(text: str) -> float:
    """Return about how many pixels a text takes, rather too many than too few."""
    n_wide = sum(unicodedata.east_asian_width(one) in {"W", "F"} for one in text)
    return _LETTER_PX * (len(text) + 0.6 * n_wide)


class Sheet:
    """A sheet to draw on, in pixels from its upper left corner; `title` says what is to be seen."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self._size = f'width="{width:.0f}" height="{height:.0f}" '
        self._size += f'viewBox="0 0 {width:.0f} {height:.0f}"'
        self._title = title
        self._marks: list[str] = []

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: str = "var(--accent)",
        *,
        opacity: float = 1.0,
        says: str = "",
    ) -> None:
        """Fill a rectangle; `says` is shown to who points at it."""
        shape = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        faint = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
        told = f"><title>{escape(says)}</title></rect>" if says else "/>"
        self._marks.append(f'<rect {shape} fill="{colour}"{faint}{told}')

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a thin line in the colour of words."""
        ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        self._marks.append(f'<line {ends} stroke="currentColor" stroke-width=".6"/>')

    def words(
        self, x: float, y: float, text: str, *, anchor: str = "start", turned: float = 0.0
    ) -> None:
        """Write words from, around or to a point (`start`, `middle`, `end`), perhaps `turned`."""
        turn = f' transform="rotate({turned:.0f} {x:.1f} {y:.1f})"' if turned else ""
        place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}'
        self._marks.append(f"<text {place}>{escape(text)}</text>")

    def svg(self) -> str:
        """Return the drawing as one element of a page."""
        label = escape(self._title, quote=True)
        start = (
            f'<svg role="img" aria-label="{label}" {self._size} xmlns="http://www.w3.org/2000/svg"'
        )
        style = f'font-size="{FONT_PX}" fill="currentColor"'
        return f"{start} {style}>{''.join(self._marks)}</svg>"


def round_marks(low: float, high: float, n_most: int) -> list[tuple[float, str]]:
    """Return at most `n_most` round numbers from `low` to `high`, each with how it is written."""
    span = high - low
    if not math.isfinite(span) or span <= 0 or span / max(abs(low), abs(high)) < 1e-12:
        return [(low, f"{low:.6g}")]
    step = _round_step(span / n_most)
    first, last = math.ceil(low / step), math.floor(high / step)
    marks = [k * step for k in range(first, last + 1)][:n_most]
    largest = max(abs(low), abs(high))
    return [(mark, _short(mark, step, largest)) for mark in marks]


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((one * power for one in _STEPS if one * power >= least), 10 * power)


def _short(value: float, step: float, largest: float) -> str:
    """Write a number with the digits that tell it from its neighbour `step` away."""
    if largest >= 1e16 or largest < 1e-4:
        return f"{value:.{max(0, math.ceil(math.log10(largest / step)))}e}"
    scale, unit = next((one for one in _UNITS if largest >= 10 * one[0]), (1.0, ""))
    shown = step / scale
    n_decimals = next((n for n in range(16) if math.isclose(round(shown, n), shown)), 16)
    return f"{value / scale:,.{n_decimals}f}{unit if value else ''}"
