"""The Pareto plot as a file: accuracy against what it costs, what nothing else beats joined."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from p2_nn_service.comparing.table import Comparison, Cost, cost_words
from p2_nn_service.errors import NetworkError

MARKERS = {"fp32": "o", "bf16": "s", "int8": "D", "pruned": "v", "distilled": "^"}
FORMATS = (".png", ".svg", ".pdf")


def draw_pareto(found: Comparison, path: Path, *, cost: Cost = "latency_ms") -> None:
    """Write the plot; `NetworkError` for a format that is not drawn, or nothing priced so."""
    if path.suffix.lower() not in FORMATS:
        raise NetworkError(f"cannot draw {path.name}; accepted: {', '.join(FORMATS)}")
    priced = [(price, row) for row in found.rows if (price := row.cost(cost)) is not None]
    words = cost_words(cost, found.kind)
    if not priced:
        raise NetworkError(
            f"no run has {words} measured; `p2-nn-service compare --measure` measures"
        )
    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for price, row in priced:
        low, high = row.low or row.accuracy, row.high or row.accuracy
        ends = [[100 * (row.accuracy - low)], [100 * (high - row.accuracy)]]
        axes.errorbar(
            price, 100 * row.accuracy, yerr=ends, fmt=MARKERS[row.variant], color="tab:blue",
            ecolor="0.75", markersize=6,
        )  # fmt: skip
        axes.annotate(
            f"{row.model} {row.variant}", (price, 100 * row.accuracy), fontsize=8,
            textcoords="offset points", xytext=(6, 4),
        )  # fmt: skip
    front = [found.rows[k] for k in found.efficient[cost]]
    axes.step(
        [row.cost(cost) or 0 for row in front], [100 * row.accuracy for row in front],
        where="post", color="tab:orange", zorder=0, label="nothing else beats these",
    )  # fmt: skip
    axes.set(xscale="log", xlabel=words, ylabel="held-out accuracy, %")
    axes.set_title(found.verdict, fontsize=9, wrap=True)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=150)
