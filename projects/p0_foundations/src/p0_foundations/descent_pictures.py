"""Pictures of going downhill: a function as contours, the path over it, the loss by step."""

import numpy as np
from matplotlib.figure import Figure

from p0_foundations.autodiff import Floats
from p0_foundations.descent import Path
from p0_foundations.errors import NumbersError
from p0_foundations.formulas import Formula
from p0_foundations.pictures import Colours, Picture, label, panels

GRID = 160
N_LEVELS = 18
Window = tuple[float, float, float, float]
"""What is shown: left, right, bottom, top."""


def contour_picture(
    formula: Formula, window: Window = (-3.0, 3.0, -3.0, 3.0), path: Path | None = None
) -> Picture:
    """Draw a formula's contours, evenly many between each two; with a path, that and its losses."""
    left, right, bottom, top = window
    if not (np.isfinite(window).all() and left < right and bottom < top):
        raise NumbersError(f"window={window}: finite, left below right, bottom below top")
    x, y = np.linspace(left, right, GRID), np.linspace(bottom, top, GRID)
    values = np.ma.masked_invalid(formula(x[None, :], y[:, None]))
    levels = _levels(values.compressed())

    def draw(colours: Colours) -> Figure:
        titles = (formula.text, "loss by step") if path else (formula.text,)
        figure, every = panels(colours, *titles, height_in=3.2)
        axes = every[0]
        if len(levels) > 1:
            axes.contour(x, y, values, levels=levels, cmap="viridis", linewidths=0.7)
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        label(axes, colours, "x", "y")
        if path:
            axes.plot(*path.points.T, "-o", color=colours.second, linewidth=1.0, markersize=2.5)
            axes.plot(*path.points[0], "o", color=colours.ink, markersize=5)
            every[1].plot(path.losses, color=colours.first, linewidth=1.2)
            every[1].set_yscale("symlog" if path.losses.min() <= 0 else "log")
            label(every[1], colours, f"step ({path.verdict})")
        return figure

    ending = f", and a search that {path.verdict} after {path.n_steps} steps" if path else ""
    return Picture(f"Contours of {formula.text}{ending}", draw)


def window_around(path: Path, *, margin: float = 0.3, least: float = 1.0) -> Window:
    """Return a window that shows a path whole, or its first part where it ran far away."""
    near = np.linalg.norm(path.points - path.points[0], axis=1)
    shown = path.points[near <= max(20.0 * (1.0 + float(np.linalg.norm(path.points[0]))), least)]
    low, high = shown.min(axis=0), shown.max(axis=0)
    reach = np.maximum((high - low) * (0.5 + margin), least)
    middle = (low + high) / 2
    return (
        float(middle[0] - reach[0]),
        float(middle[0] + reach[0]),
        float(middle[1] - reach[1]),
        float(middle[1] + reach[1]),
    )


def _levels(values: Floats) -> Floats:
    """Return contour levels at even shares of the values, so that a steep rim hides no valley."""
    if not values.size:
        return values
    return np.unique(np.quantile(values, np.linspace(0.01, 0.99, N_LEVELS)))
