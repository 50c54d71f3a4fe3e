"""Prediction servers side by side on one machine: ours, FastAPI, MLServer, BentoML, MLflow.

    uv run --group dev python benchmarks/serving [--peers DIR] [--rounds 3] [--seconds 5] [--boost]

Every server serves the same pipeline (`serving_model.py`). A round starts each in turn, alone, on
one core, checks that its labels are the pipeline's, loads it with `wrk` from another core, takes
its memory, and stops it; medians of the rounds are told, and ratios within a round, for a machine
that changes its speed changes it for all. `--peers` names a folder for the real peers'
environments, which are made when they are missing (2 GB); without it there are the two of FastAPI.
`cpu` is the processor time of the server's own threads: it does not see what else the machine does.
`--boost` puts servers and load before other work on a busy machine (needs root).

Needs `wrk` and Linux. Exit code 1 when a target is missed or a server gave an error.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import peers
import serving_model
from machine import Figures, Peer, first_in_line, started
from serving_model import BATCH, Served

LOADS = {"32 connections": (1, 32), "1 connection": (1, 1), f"{BATCH} rows": (BATCH, 1)}
MANY, ONE, BATCHES = LOADS
WARM_S = 2.0

Results = dict[str, dict[str, list[Figures]]]
"""By server and load, one entry a round."""


def one_round(
    peer: Peer, served: Served, work: Path, seconds: float, prefix: list[str]
) -> dict[str, dict[str, Figures]]:
    """Start, check, load and stop one server; return its figures by way of asking and load."""
    found: dict[str, dict[str, Figures]] = {}
    began = time.perf_counter()
    with started(peer, work / "servers.log", prefix) as running:
        running.wait(served.asked[peer.kind, 1])
        start = {"seconds": time.perf_counter() - began}
        if prefix:
            running.put_first()
        for way in (peer, *peer.also):
            for n_rows in (1, BATCH):
                if way.kind != "v2 binary" or n_rows == 1:
                    running.check(served.asked[way.kind, n_rows], way)
            single = served.asked[way.kind, 1]
            running.load(single, 8, WARM_S, way, work, prefix)
            found[way.name] = {
                name: running.load(
                    served.asked[way.kind, n], connections, seconds, way, work, prefix
                )
                for name, (n, connections) in LOADS.items()
            }
            found[way.name]["memory after"] = running.memory_mib()
        found[peer.name]["start"] = start
    return found


def measure(
    servers: list[Peer], served: Served, work: Path, given: argparse.Namespace
) -> tuple[Results, dict[str, str]]:
    """Run the rounds; a server that fails is told and left out of the rest."""
    results: Results = defaultdict(lambda: defaultdict(list))
    failed: dict[str, str] = {}
    prefix = first_in_line(is_boosted=given.boost)
    for k in range(given.rounds):
        for peer in servers:
            if peer.name in failed:
                continue
            try:
                found = one_round(peer, served, work, given.seconds, prefix)
            except Exception as error:  # noqa: BLE001 - one broken peer must not end the others
                failed[peer.name] = f"{type(error).__name__}: {error}"
                sys.stderr.write(f"{peer.name}: {failed[peer.name]}\n")
                continue
            for name, loads in found.items():
                for load, figures in loads.items():
                    results[name][load].append(figures)
            rate = found[peer.name][MANY]["rate"]
            sys.stderr.write(f"round {k + 1} {peer.name}: {rate:,.0f} requests/s at 32\n")
    return results, failed


def middle(results: Results, server: str, load: str, figure: str) -> float:
    """Return the median over the rounds."""
    return statistics.median(one[figure] for one in results[server][load])


def ratio(results: Results, load: str, figure: str, other: str) -> float:
    """Return the median of ours over another's, taken within each round."""
    pairs = zip(results["ours"][load], results[other][load], strict=False)
    return statistics.median(mine[figure] / theirs[figure] for mine, theirs in pairs)


def table(results: Results) -> str:
    """Lay the medians out."""
    titles = [
        "server", "start s", "MiB rss / pss", "32: req/s, p50, p99 ms, cpu µs",
        "1: req/s, p50, p99 ms", f"{BATCH} rows: req/s, p50 ms", "errors",
    ]  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|" + " --- |" * len(titles)]
    for name, loads in results.items():
        start = f"{middle(results, name, 'start', 'seconds'):.1f}" if "start" in loads else ""
        memory = [
            f"{middle(results, name, 'memory after', kind):.0f}" for kind in ("rss_mib", "pss_mib")
        ]
        cells = [name, start, " / ".join(memory)]
        for load, extra in ((MANY, ("p99_ms", "cpu_us")), (ONE, ("p99_ms",)), (BATCHES, ())):
            shown = [f"{middle(results, name, load, 'rate'):,.0f}"]
            shown += [f"{middle(results, name, load, f):.2f}" for f in ("p50_ms", *extra)]
            cells.append(", ".join(shown))
        errors = sum(one["errors"] for load in LOADS for one in loads[load])
        lines.append(f"| {' | '.join([*cells, f'{errors:.0f}'])} |")
    return "\n".join(lines)


def targets(results: Results) -> list[tuple[str, float, str, float]]:
    """Return what is to be reached: its words, ours, how it compares, the bound."""
    echo = "fastapi echo"
    others = [name for name in results if not name.startswith("ours") and name != echo]
    wanted = [
        ("rate at 32 over the echo's", ratio(results, MANY, "rate", echo), ">=", 1.25),
        ("processor time: echo's over ours", 1 / ratio(results, MANY, "cpu_us", echo), ">=", 1.25),
        ("p99 at 32, ms", middle(results, "ours", MANY, "p99_ms"), "<", 10.0),
        ("p50 at 1 over the echo's", ratio(results, ONE, "p50_ms", echo), "<=", 1.5),
        ("ready, s", middle(results, "ours", "start", "seconds"), "<=", 2.0),
        ("resident after the load, MiB", middle(results, "ours", "memory after", "rss_mib"),
         "<", 150.0),
    ]  # fmt: skip
    for is_batching, least in ((True, 10.0), (False, 50.0)):
        alike = [name for name in others if ("batching" in name) is is_batching]
        if alike:
            words = (
                f"rate at 32 over the best peer's {'with' if is_batching else 'without'} batching"
            )
            wanted.append((words, min(ratio(results, MANY, "rate", n) for n in alike), ">=", least))
    if others:
        best = min(ratio(results, BATCHES, "rate", name) for name in others)
        wanted.append((f"rate of {BATCH} rows over the best peer's", best, ">=", 5.0))
    return wanted


def is_reached(value: float, how: str, bound: float) -> bool:
    """Compare."""
    return {">=": value >= bound, "<=": value <= bound, "<": value < bound}[how]


def main() -> int:
    """Measure and tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", type=Path, help="folder of the real peers' environments")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", default="", help="names of servers, comma between; ours always")
    parser.add_argument("--log-level", default="warning", help="ours: info logs each request")
    parser.add_argument("--boost", action="store_true")
    parser.add_argument("--out", type=Path, help="write every figure as JSON")
    given = parser.parse_args()
    if missing := [tool for tool in ("wrk", "taskset") if shutil.which(tool) is None]:
        sys.stderr.write(f"error: {', '.join(missing)} is not installed here\n")
        return 2
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        served = serving_model.make(work)
        servers = [peers.ours(served, given.log_level), *peers.plain(served)]
        if given.peers:
            peers.make_environments(given.peers)
            servers += peers.real(given.peers, served, work)
        if given.only:
            kept = {"ours", "fastapi echo", *given.only.split(",")}
            servers = [peer for peer in servers if peer.name in kept]
        results, failed = measure(servers, served, work, given)
        if given.out:
            given.out.write_text(json.dumps({"results": results, "failed": failed}, indent=1))
        if failed:
            sys.stderr.write((work / "servers.log").read_text(errors="replace")[-2000:])
    if "ours" not in results or "fastapi echo" not in results:
        return 1
    print(table(results), "\n")
    is_good = not failed
    for words, value, how, bound in targets(results):
        good = is_reached(value, how, bound)
        is_good = is_good and good
        print(f"{'reached' if good else 'MISSED '} {words}: {value:.2f} ({how} {bound:g})")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
