"""Pictures of findings: PNG files in a folder, and figures in TensorBoard beside the run's curves.

Matplotlib without its windows. Knows the four kinds of drawings and no check.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from p2_nn_service.debugging.findings import Bars, Drawing, Histograms, Lines, Report, Thumbnails

_INK, _MARK = "#3b5bdb", "#c2255c"
_MOST_ROWS = 40


def pictures(report: Report) -> Iterator[tuple[str, Figure]]:
    """Yield every picture of a report with a name of its own, such as `units-1`."""
    for finding in report.findings:
        for k, drawing in enumerate(finding.drawings):
            number = f"-{k + 1}" if len(finding.drawings) > 1 else ""
            yield f"{finding.code}{number}", draw(drawing)


def draw(drawing: Drawing) -> Figure:
    """Draw one."""
    if isinstance(drawing, Thumbnails):
        return _thumbnails(drawing)
    n = len(drawing.counts) if isinstance(drawing, Histograms) else 0
    n = len(drawing.bars) if isinstance(drawing, Bars) else n
    figure = Figure(figsize=(8, max(4.0, 1.2 + 0.28 * min(n, _MOST_ROWS))), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(drawing.title)
    if isinstance(drawing, Lines):
        _lines(axes, drawing)
    elif isinstance(drawing, Bars):
        _bars(axes, drawing)
    else:
        _histograms(axes, drawing)
    return figure


def write_pngs(report: Report, folder: Path) -> list[Path]:
    """Write every picture into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, figure in pictures(report):
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=110)
        written.append(path)
    return written


def write_tensorboard(report: Report, folder: Path) -> None:
    """Write every picture, and the verdicts as text, for `tensorboard --logdir`."""
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - seconds to load

    with SummaryWriter(folder) as writer:
        for name, figure in pictures(report):
            writer.add_figure(f"debug/{name}", figure)
        rows = "\n".join(
            f"| {one.severity} | {one.code} | {one.verdict} | {one.next} |"
            for one in report.findings
        )
        table = f"| | check | verdict | what to do |\n| --- | --- | --- | --- |\n{rows}"
        writer.add_text("debug/report", f"**{report.verdict}**\n\n{table}")


def _lines(axes: Axes, drawing: Lines) -> None:
    for name, values in drawing.curves.items():
        axes.plot(drawing.x[: len(values)], values, label=name, linewidth=1.5)
    top = axes.get_ylim()[1]
    for name, place in drawing.marks.items():
        axes.axvline(place, color=_MARK, linestyle="--", linewidth=1)
        axes.text(place, top, f" {name}", color=_MARK, rotation=90, va="top", fontsize=8)
    axes.set_xlabel(drawing.x_title)
    axes.set_ylabel(drawing.y_title)
    axes.set_xscale("log" if drawing.is_x_log else "linear")
    axes.set_yscale("log" if drawing.is_y_log else "linear")
    axes.legend(loc="lower left")


def _bars(axes: Axes, drawing: Bars) -> None:
    names, values = list(drawing.bars)[:_MOST_ROWS], list(drawing.bars.values())[:_MOST_ROWS]
    floor = min((one for one in values if one > 0), default=1.0) / 10
    shown = [max(one, floor) for one in values] if drawing.is_y_log else values
    axes.barh(range(len(names)), shown, color=_INK)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(drawing.y_title)
    axes.set_xscale("log" if drawing.is_y_log else "linear")


def _histograms(axes: Axes, drawing: Histograms) -> None:
    names = list(drawing.counts)[:_MOST_ROWS]
    counts = np.array([drawing.counts[name] for name in names], dtype=float)
    share = counts / np.maximum(counts.max(axis=1, keepdims=True), 1.0)
    low, high = drawing.edges[0], drawing.edges[-1]
    axes.imshow(
        share, aspect="auto", cmap="Blues", interpolation="nearest",
        extent=(low, high, len(names) - 0.5, -0.5),
    )  # fmt: skip
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel(f"{drawing.x_title}; the darker, the more often in that layer")


def _thumbnails(drawing: Thumbnails) -> Figure:
    n = len(drawing.images)
    n_columns = min(8, n)
    n_rows = -(-n // n_columns)
    figure = Figure(figsize=(1.5 * n_columns, 1.9 * n_rows), layout="constrained")
    figure.suptitle(drawing.title)
    for k, (rows, caption) in enumerate(zip(drawing.images, drawing.captions, strict=True)):
        axes = figure.add_subplot(n_rows, n_columns, k + 1)
        image = np.array(rows, dtype=np.uint8)
        axes.imshow(image.squeeze(-1) if image.shape[-1] == 1 else image, cmap="gray")
        axes.set_title(caption, fontsize=7)
        axes.axis("off")
    return figure
