"""The findings as one picture: quality, pace, slope and recall."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from p2_nn_service.errors import NetworkError
from p2_nn_service.language.kinds import BodyKind
from p2_nn_service.language.why.findings import Findings, Gradient
from p2_nn_service.language.why.verdict import NAMES, pace_ratios

COLOURS: dict[BodyKind, str] = {
    "rnn": "tab:green", "lstm": "tab:orange", "transformer": "tab:blue",
}  # fmt: skip
NAME = "why-transformers"


def draw(found: Findings, folder: Path) -> list[Path]:
    """Write the picture as PNG and as SVG into the folder, and return where."""
    figure = picture(found)
    FigureCanvasAgg(figure)
    paths = [folder / f"{NAME}.{ending}" for ending in ("png", "svg")]
    try:
        for path in paths:
            figure.savefig(path, dpi=150)
    except OSError as error:
        raise NetworkError(f"cannot write to {folder}: {error.strerror or error}") from error
    return paths


def picture(found: Findings) -> Figure:
    """Draw six panels; each line is a mean over seeds, each dot a seed."""
    figure = Figure(figsize=(14, 8), layout="constrained")
    panels = figure.subplots(2, 3)
    _quality(panels[0, 0], found, by="train_s")
    _quality(panels[0, 1], found, by="step")
    _pace(panels[0, 2], found)
    _gradients(panels[1, 0], [one for one in found.gradients if not one.is_trained], "untrained")
    _gradients(panels[1, 1], [one for one in found.gradients if one.is_trained], "trained")
    _recall(panels[1, 2], found)
    figure.suptitle(
        f"{found.wish.text}, {found.plan.n_parameters:,} parameters, {len(found.plan.seeds)} "
        f"seeds; {found.machine}",
        fontsize=10,
    )
    return figure


def _quality(axes: Axes, found: Findings, *, by: str) -> None:
    for one in found.quality:
        is_first = one.seed == found.plan.seeds[0]
        axes.plot(
            [getattr(point, by) for point in one.curve], [point.bits for point in one.curve],
            color=COLOURS[one.kind], alpha=0.8, label=NAMES[one.kind] if is_first else None,
        )  # fmt: skip
    along = "seconds of training" if by == "train_s" else "steps of training"
    _dress(axes, "bits for a held-out character", along)


def _pace(axes: Axes, found: Findings) -> None:
    for kind in ("lstm", "transformer"):
        mine = sorted((p for p in found.paces if p.kind == kind), key=lambda p: p.length)
        axes.plot(
            [p.length for p in mine], [1000 * p.step_s for p in mine], "o-",
            color=COLOURS[kind], label=NAMES[kind],
        )  # fmt: skip
    for length, ratio in pace_ratios(found):
        axes.annotate(
            f"{ratio:.2g}×", (length, 0), xycoords=("data", "axes fraction"), ha="center",
            va="bottom", fontsize=8,
        )  # fmt: skip
    _double(axes)
    axes.set_yscale("log")
    along = f"length of sequences, {found.plan.pace_characters:,} characters in all"
    _dress(axes, "milliseconds a step; LSTM over Transformer", along)


def _gradients(axes: Axes, of: list[Gradient], when: str) -> None:
    for kind in COLOURS:
        _line(axes, kind, ((one.length, one.norm) for one in of if one.kind == kind))
    _double(axes)
    axes.set_yscale("log")
    _dress(axes, f"slope at the first character, {when}", "length of the sequence")


def _recall(axes: Axes, found: Findings) -> None:
    for kind in COLOURS:
        mine = ((one.delay, 100 * one.accuracy) for one in found.recall if one.kind == kind)
        _line(axes, kind, mine)
    axes.axhline(12.5, color="0.6", linestyle=":", label="by chance")
    _double(axes)
    _dress(axes, "symbols recalled, %", "delay, steps")


def _line(axes: Axes, kind: BodyKind, points: Iterable[tuple[int, float]]) -> None:
    found = list(points)
    if not found:
        return
    along, up = np.array(found, dtype=float).T
    at = np.unique(along)
    axes.plot(at, [up[along == x].mean() for x in at], color=COLOURS[kind], label=NAMES[kind])
    axes.plot(along, up, ".", color=COLOURS[kind], alpha=0.6)


def _double(axes: Axes) -> None:
    """Space lengths by doublings, written as numbers."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(ScalarFormatter())


def _dress(axes: Axes, title: str, along: str) -> None:
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(along, fontsize=9)
    axes.grid(visible=True, alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8)
