"""Runs and their variants as one table, and which of them nothing else beats. No torch.

A run's variants are measured by `variants.py` and kept in its folder as `variants.json`; a run
without it stands in the table with what training knew: no latency.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from p2_nn_service.contracts import Kind, Measured, RunRecord, Variant
from p2_nn_service.errors import NetworkError
from p2_nn_service.runs import list_runs, runs_dir

VARIANTS_FILE = "variants.json"
Cost = Literal["latency_ms", "n_parameters", "n_flops", "n_bytes", "train_s"]
COSTS: tuple[Cost, ...] = get_args(Cost)
_ONE: dict[Kind, str] = {"images": "an image", "series": "a series", "text": "a text"}
_COST_WORDS: dict[Cost, str] = {
    "latency_ms": "milliseconds {one}, one thread",
    "n_parameters": "parameters",
    "n_flops": "multiply-adds {one}",
    "n_bytes": "bytes of the graph",
    "train_s": "seconds of training",
}
_MEASURED = TypeAdapter(tuple[Measured, ...])
_NOT_MEASURED = "not measured yet: `p2-nn-service compare --measure`"


def cost_words(cost: Cost, kind: Kind) -> str:
    """Name a cost and its unit, for networks that read that kind of example."""
    return _COST_WORDS[cost].format(one=_ONE[kind])


class NothingToCompareError(NetworkError):
    """No run has come far enough to be compared."""


class Compared(BaseModel):
    """One variant of one run; a cost that was not measured is null."""

    run_id: str
    dataset: str
    model: str
    variant: Variant
    accuracy: float = Field(description="Share of held-out examples answered rightly.")
    low: float | None = Field(default=None, description="Lower end of its 95 % interval.")
    high: float | None = Field(default=None, description="Upper end of it.")
    n_parameters: int
    n_flops: int | None = None
    n_bytes: int | None = None
    latency_ms: float | None = None
    train_s: float
    note: str = ""

    def cost(self, of: Cost) -> float | None:
        """Return a cost, or None where it was not measured."""
        value = getattr(self, of)
        return None if value is None else float(value)


class Comparison(BaseModel):
    """Runs of one data set, the most accurate first."""

    dataset: str
    kind: Kind = Field(default="images", description="What the runs read: one of it is the unit.")
    datasets: tuple[str, ...] = Field(description="Data sets that have runs to compare.")
    rows: tuple[Compared, ...]
    efficient: dict[Cost, tuple[int, ...]] = Field(
        description="For each cost, the rows that no other beats: none is as accurate for less."
    )
    verdict: str


def compare_runs(data_dir: Path, run_ids: Sequence[str] = (), *, dataset: str = "") -> Comparison:
    """Compare the named runs, else every run of `dataset`, else of the data set trained on last.

    A run that failed is left out: its network is not to be had.

    Raises `NothingToCompareError` when there is none with a held-out accuracy, and `NetworkError`
    for runs of different data sets: their accuracies cannot be compared.
    """
    records = [
        record
        for record in list_runs(data_dir)
        if "held_out_accuracy" in record.metrics and record.status != "failed"
    ]
    known = tuple(dict.fromkeys(r.dataset for r in records))
    if run_ids:
        records = _named(records, run_ids)
        of = {r.dataset for r in records}
        if len(of) > 1:
            raise NetworkError(f"the runs are of different data sets: {', '.join(sorted(of))}")
        dataset = next(iter(of))
    elif not dataset and known:
        dataset = known[0]
    chosen = [r for r in records if r.dataset == dataset]
    if not chosen:
        where = f" of {dataset}" if dataset else ""
        raise NothingToCompareError(
            f"no run{where} has come to the end of an epoch; train one: `p2-nn-service train`"
        )
    rows = sorted(
        (row for record in chosen for row in _rows(record, data_dir)),
        key=lambda row: -row.accuracy,
    )
    efficient = {cost: efficient_rows(rows, cost) for cost in COSTS}
    return Comparison(
        dataset=dataset,
        kind=chosen[0].kind,
        datasets=known,
        rows=tuple(rows),
        efficient=efficient,
        verdict=_verdict(rows, efficient, chosen[0].kind),
    )


def efficient_rows(rows: Sequence[Compared], cost: Cost) -> tuple[int, ...]:
    """Return the positions of the Pareto front: the cheapest first, each next more accurate."""
    priced = [(price, -row.accuracy, k) for k, row in enumerate(rows)
              if (price := row.cost(cost)) is not None]  # fmt: skip
    front: list[int] = []
    best = -1.0
    for _, negative, k in sorted(priced):
        if -negative > best:
            front.append(k)
            best = -negative
    return tuple(front)


def keep_variants(folder: Path, found: Iterable[Measured]) -> None:
    """Write a run's measured variants into its folder, atomically."""
    partial = folder / f"{VARIANTS_FILE}.partial"
    partial.write_bytes(_MEASURED.dump_json(tuple(found), indent=2))
    partial.replace(folder / VARIANTS_FILE)


def kept_variants(folder: Path) -> tuple[Measured, ...]:
    """Return a run's measured variants; none when they were not measured, or cannot be read."""
    try:
        return _MEASURED.validate_json((folder / VARIANTS_FILE).read_bytes())
    except (OSError, ValidationError):
        return ()


def _named(records: Sequence[RunRecord], run_ids: Sequence[str]) -> list[RunRecord]:
    by_id = {record.id: record for record in records}
    missing = [run_id for run_id in run_ids if run_id not in by_id]
    if missing:
        raise NothingToCompareError(
            f"there is nothing to compare of {', '.join(missing)}; runs that can be: "
            f"{', '.join(list(by_id)[:8]) or 'none'}"
        )
    return [by_id[run_id] for run_id in run_ids]


def _rows(record: RunRecord, data_dir: Path) -> list[Compared]:
    common = {"run_id": record.id, "dataset": record.dataset, "model": record.model}
    variants = kept_variants(runs_dir(data_dir) / record.id)
    if not variants:
        return [
            Compared(
                **common,
                variant="fp32",
                accuracy=record.metrics["held_out_accuracy"],
                n_parameters=record.n_parameters,
                n_flops=record.n_flops or None,
                train_s=record.train_s,
                note=_NOT_MEASURED if record.kind == "images" else "",
            )
        ]
    return [
        Compared(
            **common,
            variant=one.variant,
            accuracy=one.accuracy.value,
            low=one.accuracy.low,
            high=one.accuracy.high,
            **one.model_dump(include={*COSTS, "note"}),
        )
        for one in variants
    ]


def _verdict(rows: Sequence[Compared], efficient: dict[Cost, tuple[int, ...]], kind: Kind) -> str:
    """Say who is best, and what the cheapest that comes near it saves."""
    best = rows[0]
    words = f"{_name(best)} answers {best.accuracy:.2%} of held-out examples rightly"
    for cost in ("latency_ms", "n_parameters"):
        price = best.cost(cost)
        near = [rows[k] for k in efficient[cost] if rows[k].accuracy >= best.accuracy - 0.01]
        if not near or price is None or near[0] is best:
            continue
        cheap = near[0]
        paid = cheap.cost(cost)
        if paid is not None and paid < price:
            lost = (best.accuracy - cheap.accuracy) * 100
            return (
                f"{words}; {_name(cheap)} comes within {lost:.1f} points of it for "
                f"{_share(paid / price)} of its {cost_words(cost, kind)}"
            )
    return f"{words}; nothing cheaper comes within a point of it"


def _share(part: float) -> str:
    return f"{part:.0%}" if part >= 0.01 else "less than 1%"


def _name(row: Compared) -> str:
    return f"{row.model} ({row.variant})"
