"""The work behind `p2-nn-service compare`: measure what is asked for, show the table, draw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from common.terminal import print_table

from p2_nn_service.comparing.table import (
    COSTS,
    Compared,
    Comparison,
    Cost,
    compare_runs,
    cost_words,
    kept_variants,
)
from p2_nn_service.errors import NetworkError
from p2_nn_service.runs import runs_dir
from p2_nn_service.settings import Settings

COLUMNS = ("model", "variant", "accuracy", "parameters", "multiply-adds", "bytes", "train s", "ms")


@dataclass(frozen=True)
class Order:
    """What a person asked for on the command line."""

    runs: tuple[str, ...]
    dataset: str
    should_measure: bool
    plot: Path | None
    cost: str
    as_json: bool


def carry_out(order: Order, settings: Settings) -> None:
    """Compare as ordered; raises `NetworkError` for what cannot be."""
    cost = _cost(order.cost)
    found = compare_runs(settings.data_dir, order.runs, dataset=order.dataset)
    if order.should_measure:
        _measure(dict.fromkeys(row.run_id for row in found.rows), settings)
        found = compare_runs(settings.data_dir, order.runs, dataset=order.dataset)
    if order.plot is not None:
        from p2_nn_service.comparing.plots import draw_pareto  # noqa: PLC0415 - Matplotlib

        draw_pareto(found, order.plot, cost=cost)
        typer.echo(f"drawn to {order.plot}", err=True)
    if order.as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    _show(found, cost)


def _cost(wanted: str) -> Cost:
    for cost in COSTS:
        if cost == wanted:
            return cost
    raise NetworkError(f"there is no cost {wanted!r}; accepted: {', '.join(COSTS)}")


def _measure(run_ids: Sequence[str] | dict[str, None], settings: Settings) -> None:
    """Measure the variants of those runs that have none yet, one after another."""
    from p2_nn_service.comparing.variants import measure_variants  # noqa: PLC0415 - torch
    from p2_nn_service.training.classifying import load_classifier  # noqa: PLC0415 - torch

    for run_id in run_ids:
        if kept_variants(runs_dir(settings.data_dir) / run_id):
            continue
        try:
            run = load_classifier(run_id, settings=settings)
            measure_variants(
                run, report=lambda name, run_id=run_id: typer.echo(f"  {run_id}: {name}", err=True)
            )
        except NetworkError as error:  # one run that cannot be measured must not stop the others
            typer.echo(f"  {run_id} is left as it is: {error}", err=True)


def _show(found: Comparison, cost: Cost) -> None:
    typer.echo(found.verdict)
    best = set(found.efficient[cost])
    print_table(
        (*COLUMNS, ""),
        [(*_cells(row), "*" if k in best else "") for k, row in enumerate(found.rows)],
        whole={"model"},
    )
    typer.echo(f"* nothing else is as accurate for fewer {cost_words(cost, found.kind)}")
    for note in dict.fromkeys(row.note for row in found.rows if row.note):
        typer.echo(f"  {note}")


def _cells(row: Compared) -> tuple[str, ...]:
    reach = "" if row.low is None or row.high is None else f" ± {50 * (row.high - row.low):.1f}"
    return (
        row.model,
        row.variant,
        f"{100 * row.accuracy:.2f}{reach} %",
        f"{row.n_parameters:,}",
        "-" if row.n_flops is None else f"{row.n_flops:,}",
        "-" if row.n_bytes is None else f"{row.n_bytes:,}",
        f"{row.train_s:,.0f}",
        "-" if row.latency_ms is None else f"{row.latency_ms:.3g}",
    )
