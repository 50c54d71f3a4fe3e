"""What `train` learns on public tables, beside scikit-learn's boosted trees: default and tuned.

Run: `ROADMAP_DATASETS=FOLDER python benchmarks/tabular.py [--tables adult,titanic] [--minutes 1.5]
[--results FOLDER]`. Every hold-out is given to all three alike. Ours is what a person gets: `train`
with nothing but the target named, published, loaded from the registry as a server does, and asked
as `predict-table` does. The default peer is HistGradientBoosting as it comes, on native categories,
with ids and free text taken out by hand; the tuned one is the best of a random search that lasts as
long as our training did. Seconds are the processor's (all threads) and the clock's: other work on
the machine slows the clock, and gives the searches less. Results are kept a table in `--results`,
and a table that is there is not run again. Prints JSON and Markdown; exit code 1 when a target is
missed.
"""

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common.models import open_registry
from numpy.typing import NDArray
from p1_prediction_api import train
from p1_prediction_api.calibration import calibration_error
from p1_prediction_api.diagnosis.areas import roc_area
from p1_prediction_api.loaded import LoadedModel, load
from p1_prediction_api.settings import Settings
from p1_prediction_api.table_prediction import predict_pieces
from p1_prediction_api.training import DEFAULT_MINUTES, TrainingRun
from sklearn.metrics import log_loss, r2_score
from tabular_peers import PeerTask, answers, default, main_score, tuned
from tabular_tables import TABLES, Rows, Table, for_peer

Floats = NDArray[np.float64]
CONTENDERS = ("ours", "default", "tuned")
COVERAGE = (0.88, 0.92)
MAX_ECE = 0.02
MAX_SECONDS = 120.0
N_TIMED_ROWS = 30_000
N_RESAMPLES = 500


@dataclass
class Answered:
    """What the three said of one hold-out, and what it cost them."""

    y: NDArray[Any]
    said: dict[str, Floats]
    is_held: NDArray[np.bool_]
    size: float
    chosen: str
    wall_s: dict[str, float] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)
    predict_us: dict[str, float] = field(default_factory=dict)


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what work gives, with its seconds by the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def published(run: TrainingRun, folder: Path) -> LoadedModel:
    """Publish and load as a server does; a gap where training saw none is let through."""
    settings = Settings(data_dir=folder, model="m")
    run.publish(model="m", settings=settings)
    registry = open_registry(settings.registry_location, cache_dir=folder / "cache")
    version = registry.resolve("m", "champion")
    loaded = load(version, registry.fetch(version), settings)
    features = [f.model_copy(update={"may_be_missing": True}) for f in loaded.signature.features]
    signature = loaded.signature.model_copy(update={"features": tuple(features)})
    return replace(loaded, signature=signature)


def answered_rows(loaded: LoadedModel, asked: pd.DataFrame) -> pd.DataFrame:
    """Answer every row; none may be set aside."""
    pieces = list(predict_pieces(loaded, [asked]))
    if n_aside := sum(len(piece.set_aside) for piece in pieces):
        raise SystemExit(f"{n_aside} rows of the hold-out could not be answered")
    return pd.concat([piece.answered for piece in pieces])


def ours(
    table: Table, frame: pd.DataFrame, rows: tuple[Rows, Rows], y: NDArray[Any], minutes: float
) -> Answered:
    """Train, publish, load, answer the hold-out."""
    learned, held_out = (frame.iloc[part].reset_index(drop=True) for part in rows)
    run, wall, cpu = timed(
        lambda: train(learned, target=table.target, minutes=minutes, time_column=table.time or None)
    )
    with tempfile.TemporaryDirectory(prefix="benchmark-tabular-") as folder:
        loaded = published(run, Path(folder))
        asked = held_out.drop(columns=table.target)
        found, _, predict_s = timed(lambda: answered_rows(loaded, asked))
    classes = run.signature.classes
    if classes:
        said = found[[f"probability of {name}" for name in classes]].to_numpy(np.float64)
        sets = [set(text.split(" | ")) for text in found["prediction set"]]
        is_held = np.array([classes[k] in one for k, one in zip(y, sets, strict=True)])
        size = float(np.mean([len(one) for one in sets]))
    else:
        said = found["prediction"].to_numpy(np.float64)
        is_held = ((found["low"] <= y) & (y <= found["high"])).to_numpy()
        size = float((found["high"] - found["low"]).mean())
    answered = Answered(y, {"ours": said}, is_held, size, run.chosen.name)
    answered.wall_s["ours"], answered.cpu_s["ours"] = wall, cpu
    answered.predict_us["ours"] = predict_s / len(y) * 1e6
    return answered


def _ask(one: Answered, name: str, fit: Callable[[], Any], held_out: pd.DataFrame) -> None:
    """Fit a peer and note what it says of the hold-out."""
    model, one.wall_s[name], one.cpu_s[name] = timed(fit)
    one.said[name], _, predict_s = timed(partial(answers, model, held_out))
    one.predict_us[name] = predict_s / len(held_out) * 1e6


def compare(table: Table, minutes: float) -> list[Answered]:
    """Give every hold-out of a table to all three."""
    frame = table.read()
    X, y = for_peer(table, frame)
    found = []
    for k, (learned, held_out) in enumerate(table.holdouts(frame)):
        one = ours(table, frame, (learned, held_out), y[held_out], minutes)
        is_classes = one.said["ours"].ndim == 2
        task = PeerTask(X.iloc[learned], y[learned], is_classes, bool(table.time), k)
        _ask(one, "default", partial(default, task), X.iloc[held_out])
        _ask(one, "tuned", partial(tuned, task, one.wall_s["ours"]), X.iloc[held_out])
        scores = {name: round(main_score(one.y, one.said[name]), 4) for name in CONTENDERS}
        sys.stderr.write(f"{table.name} {k}: {scores} {one.wall_s} {one.chosen}\n")
        found.append(one)
    return found


def quick_score(y: NDArray[Any], said: Floats) -> float:
    """Return the main score; the area by ranks, for it is taken thousands of times."""
    return roc_area(y, said[:, 1]) if said.ndim == 2 else float(r2_score(y, said))


def paired(found: Sequence[Answered], other: str) -> dict[str, float]:
    """Return our lead over another with its 95 % interval: rows resampled in pairs."""
    rng = np.random.default_rng(0)

    def lead(one: Answered, rows: Rows) -> float:
        return quick_score(one.y[rows], one.said["ours"][rows]) - quick_score(
            one.y[rows], one.said[other][rows]
        )

    value = float(np.mean([lead(one, np.arange(len(one.y))) for one in found]))
    drawn = [
        np.mean([lead(one, rng.integers(0, len(one.y), len(one.y))) for one in found])
        for _ in range(N_RESAMPLES)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"lead": value, "low": float(low), "high": float(high)}


def summary(found: Sequence[Answered]) -> dict[str, Any]:
    """Return a table's figures: means over hold-outs, intervals by resampled rows."""
    held = np.concatenate([one.is_held for one in found])
    reach = 1.96 * float(np.sqrt(held.mean() * (1 - held.mean()) / len(held)))
    is_classes = found[0].said["ours"].ndim == 2
    figures: dict[str, Any] = {
        "metric": "ROC AUC" if is_classes else "R²",
        "n_holdouts": len(found),
        "n_test": len(found[0].y),
        "chosen": [one.chosen for one in found],
        "score": _means(found, main_score),
        "beside_default": paired(found, "default"),
        "beside_tuned": paired(found, "tuned"),
        "coverage": {"value": float(held.mean()), "reach": reach},
        "mean_size": float(np.mean([one.size for one in found])),
    }
    if is_classes:
        figures["log_loss"] = _means(found, lambda y, p: float(log_loss(y, p)))
        figures["brier"] = _means(found, lambda y, p: float(np.mean((p[:, 1] - y) ** 2)))
        figures["ece"] = _pooled_error(found)
    for cost in ("wall_s", "cpu_s", "predict_us"):
        figures[cost] = {
            name: float(np.mean([getattr(one, cost)[name] for one in found])) for name in CONTENDERS
        }
    return figures


def _means(
    found: Sequence[Answered], score: Callable[[NDArray[Any], Floats], float]
) -> dict[str, float]:
    return {
        name: float(np.mean([score(one.y, one.said[name]) for one in found])) for name in CONTENDERS
    }


def _pooled_error(found: Sequence[Answered]) -> dict[str, float]:
    """Return the calibration error over the rows of all hold-outs; of few it is mostly noise."""
    y = np.concatenate([one.y for one in found])
    return {
        name: calibration_error(y, np.concatenate([one.said[name] for one in found]))
        for name in CONTENDERS
    }


def timing() -> dict[str, float]:
    """Time the default search on 30,000 rows of Adult."""
    table = next(one for one in TABLES if one.name == "adult")
    frame = table.read().head(N_TIMED_ROWS)
    _, wall, cpu = timed(lambda: train(frame, target=table.target))
    return {"n_rows": len(frame), "wall_s": wall, "cpu_s": cpu}


@dataclass(frozen=True)
class Verdict:
    """A target, and whether it was met."""

    target: str
    is_met: bool
    found: str


def verdicts(tables: dict[str, dict[str, Any]], timed_run: dict[str, float]) -> list[Verdict]:
    """Hold the figures against the targets."""
    worse = [name for name, one in tables.items() if one["beside_default"]["high"] < 0]
    gains = [
        1 - (1 - one["score"]["ours"]) / (1 - one["score"]["default"]) for one in tables.values()
    ]
    outside = {
        name: one["coverage"]
        for name, one in tables.items()
        if not COVERAGE[0] <= one["coverage"]["value"] <= COVERAGE[1]
    }
    is_shown = any(
        one["value"] + one["reach"] < COVERAGE[0] or one["value"] - one["reach"] > COVERAGE[1]
        for one in outside.values()
    )
    off = [f"{name} {one['value']:.1%} ± {one['reach']:.1%}" for name, one in outside.items()]
    found = [
        Verdict("nowhere worse than the default", not worse, ", ".join(worse) or "nowhere"),
        Verdict(
            "better than the default on average",
            float(np.mean(gains)) > 0,
            f"{np.mean(gains):.1%} less of what is left to gain; average ranks {_ranks(tables)}",
        ),
        Verdict(
            "coverage of 88 to 92 %, or not told from it by its interval",
            not is_shown,
            f"outside: {', '.join(off) or 'nowhere'}",
        ),
    ]
    if "adult" in tables:
        error = tables["adult"]["ece"]["ours"]
        found.append(Verdict("calibration error of Adult", error < MAX_ECE, f"{error:.4f}"))
    if timed_run:
        words = f"{timed_run['wall_s']:.0f} s by the clock, {timed_run['cpu_s']:.0f} s of processor"
        is_met = timed_run["wall_s"] < MAX_SECONDS
        found.append(Verdict("30,000 rows in two minutes", is_met, words))
    return found


def _ranks(tables: dict[str, dict[str, Any]]) -> str:
    ranks = [
        [sorted(one["score"].values(), reverse=True).index(one["score"][name]) + 1
         for name in CONTENDERS]
        for one in tables.values()
    ]  # fmt: skip
    means = np.mean(ranks, axis=0)
    return ", ".join(f"{name} {mean:.2f}" for name, mean in zip(CONTENDERS, means, strict=True))


def markdown(tables: dict[str, dict[str, Any]], told: Sequence[Verdict]) -> str:
    """Return the figures and the verdicts as two Markdown tables."""
    heads = ["table", "score", "ours", "default", "tuned", "lead over default", "lead over tuned"]
    heads += ["90 % held", "mean size", "ECE", "train s (tuned)", "µs a row (default)"]
    lines = [f"| {' | '.join(heads)} |", "| --- | --- " + "| ---: " * (len(heads) - 2) + "|"]
    for name, one in tables.items():
        score, ece = one["score"], one.get("ece", {}).get("ours")
        leads = [
            f"{b['lead']:+.4f} ({b['low']:+.4f} to {b['high']:+.4f})"
            for b in (one["beside_default"], one["beside_tuned"])
        ]
        cells = [name, f"{one['metric']}, {one['n_holdouts']} × {one['n_test']:,}"]
        cells += [f"{score[who]:.4f}" for who in CONTENDERS]
        cells += [*leads, f"{one['coverage']['value']:.1%} ± {one['coverage']['reach']:.1%}"]
        cells += [f"{one['mean_size']:.4g}", "" if ece is None else f"{ece:.3f}"]
        cells += [f"{one['cpu_s']['ours']:.0f} ({one['cpu_s']['tuned']:.0f})"]
        cells += [f"{one['predict_us']['ours']:.0f} ({one['predict_us']['default']:.0f})"]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| target | met | found |", "| --- | --- | --- |"]
    lines += [f"| {one.target} | {'yes' if one.is_met else 'NO'} | {one.found} |" for one in told]
    return "\n".join(lines)


def kept(path: Path, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what is in a file, or do the work and write it there."""
    if not path.exists():
        path.write_text(json.dumps(work(), indent=2), encoding="utf-8")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", default=",".join(one.name for one in TABLES))
    parser.add_argument("--minutes", type=float, default=DEFAULT_MINUTES)
    parser.add_argument("--results", type=Path, default=None, help="default: a new folder")
    parser.add_argument("--no-timing", action="store_true", help="leave the 30,000 rows out")
    given = parser.parse_args()
    folder: Path = given.results or Path(tempfile.mkdtemp(prefix="benchmark-tabular-"))
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [one for one in TABLES if one.name in given.tables.split(",")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a linear model that has not settled is judged as it is
        tables = {
            table.name: kept(
                folder / f"{table.name}.json",
                lambda table=table: summary(compare(table, given.minutes)),
            )
            for table in wanted
        }
        timed_run = {} if given.no_timing else kept(folder / "timing.json", timing)
    told = verdicts(tables, timed_run)
    report = {"tables": tables, "timing": timed_run, "verdicts": [asdict(one) for one in told]}
    print(json.dumps(report, indent=2))
    print(markdown(tables, told))
    return int(not all(one.is_met for one in told))


if __name__ == "__main__":
    sys.exit(main())
