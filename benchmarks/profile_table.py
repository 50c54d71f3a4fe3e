"""How long a profile of a large table takes, beside what people otherwise run on it.

    uv run --group dev python benchmarks/profile_table.py [--rows 1000000] [--ydata PYTHON]

One table, twenty columns of every kind, seed 0. In memory: each contender runs in a process of its
own; its memory is the largest resident size seen while it ran (looked at every 5 ms) over that
before; wall-clock seconds, one run after a warm-up on a thousand rows. `describe+corr` is pandas'
own describe() and corr(): moments and Pearson only, no types, leaks, duplicates, sketches or words.

With `--ydata`, the interpreter of an environment that has ydata-profiling (with its own older
pandas): one CSV file to one written HTML report, the whole command as a person runs it, start and
imports included, in interleaved rounds after a warm-up; medians of the clock and of processor time.
`minimal` is its mode for large tables: no correlations, no interactions, no missing-value pictures.
Read the ratios; the seconds belong to the machine.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

CONTENDERS = ("profile_frame", "profile_frame+target", "describe+corr")
YDATA = """
import sys, warnings
warnings.simplefilter("ignore")
import pandas as pd
from ydata_profiling import ProfileReport
table = pd.read_csv(sys.argv[1])
mode = sys.argv[3] == "minimal"
ProfileReport(table, minimal=mode, progress_bar=False).to_file(sys.argv[2], silent=True)
"""
WARM_UP_ROWS = 1_000


def make_table(n_rows: int) -> pd.DataFrame:
    """Make twenty columns: numbers, whole numbers, categories, texts, dates, a key, gaps."""
    rng = np.random.default_rng(0)
    table: dict[str, object] = {f"x{k}": rng.normal(size=n_rows) for k in range(8)}
    table |= {f"i{k}": rng.integers(0, 10**6, n_rows) for k in range(3)}
    levels = np.array(["red", "green", "blue", "amber"])
    table |= {f"c{k}": rng.choice(levels, n_rows) for k in range(4)}
    phrases = np.array([f"word{k} and more" for k in range(5000)])
    table["text"] = phrases[rng.integers(0, 5000, n_rows)]
    table["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        rng.integers(0, 10**7, n_rows), unit="s"
    )
    table["key"] = [f"u{k:07d}" for k in range(n_rows)]
    table["gaps"] = np.where(rng.random(n_rows) < 0.2, np.nan, rng.normal(size=n_rows))
    table["y"] = (rng.random(n_rows) < 0.2).astype(int)
    return pd.DataFrame(table)


def contender(name: str) -> Callable[[pd.DataFrame], object]:
    """Return what is timed."""
    if name == "describe+corr":
        return lambda t: (t.describe(include="all"), t.corr(numeric_only=True))
    from p0_foundations import profile_frame  # noqa: PLC0415 - a contender loads only itself

    return lambda t: profile_frame(t, target="y" if name.endswith("target") else None)


def measure(name: str, n_rows: int) -> dict[str, float]:
    """Time one contender in this process; memory is its peak over what was there before, in MB."""
    run = contender(name)
    run(make_table(1000))
    table = make_table(n_rows)
    size = float(table.memory_usage(deep=True).sum())
    with peak_memory() as seen:
        start = time.perf_counter()
        run(table)
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "extra_mb": (max(seen) - seen[0]) / 1e6, "table_mb": size / 1e6}


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Note the resident size in bytes, first and then every 5 ms, while the block runs."""
    seen = [resident_bytes()]
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.005):
            seen.append(resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()


def resident_bytes() -> int:
    """Return this process's resident size (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def report_commands(ydata: str, table: Path, out: Path) -> dict[str, list[str]]:
    """Return what writes a report of a CSV file, as a person would run it."""
    ours = [sys.executable, "-m", "p0_foundations.cli", "profile", str(table), "--out", str(out)]
    theirs = [ydata, "-c", YDATA, str(table), str(out)]
    return {
        "p0-foundations profile": ours,
        "ydata-profiling, minimal": [*theirs, "minimal"],
        "ydata-profiling": [*theirs, "full"],
    }


def time_reports(ydata: str, n_rows: int, *, rounds: int) -> None:
    """Time a file to a written report, in interleaved rounds, and print medians and ratios."""
    environment = os.environ | {"MPLBACKEND": "agg", "P0_MAX_ROWS": str(max(n_rows, 1_000_000))}
    seconds: dict[str, list[tuple[float, float]]] = {}
    with TemporaryDirectory() as folder:
        out = Path(folder) / "report.html"
        for size, is_counted in [(WARM_UP_ROWS, False), *[(n_rows, True)] * rounds]:
            table = Path(folder) / f"{size}.csv"
            if not table.exists():
                make_table(size).to_csv(table, index=False)
            for name, command in report_commands(ydata, table, out).items():
                start, before = time.perf_counter(), children_cpu_s()
                subprocess.run(command, check=True, capture_output=True, env=environment)
                taken = time.perf_counter() - start, children_cpu_s() - before
                if is_counted:
                    seconds.setdefault(name, []).append(taken)
                    written = f"{out.stat().st_size / 1e6:.1f} MB"
                    print(f"{name}: {taken[0]:.1f} s, of processor {taken[1]:.1f}; {written}")
                out.unlink()
        size_mb = table.stat().st_size / 1e6
    wall, cpu = (
        {name: median(one[k] for one in taken) for name, taken in seconds.items()} for k in (0, 1)
    )
    ours = "p0-foundations profile"
    print(f"\n{n_rows:,} rows x 20 columns, a CSV file of {size_mb:.0f} MB, {rounds} rounds\n")
    print("| file to written report | seconds | to ours | of processor | to ours |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name in seconds:
        figures = wall[name], wall[name] / wall[ours], cpu[name], cpu[name] / cpu[ours]
        print(f"| {name} | {' | '.join(f'{figure:.1f}' for figure in figures)} |")


def children_cpu_s() -> float:
    """Return the processor time of all finished children, which another program's load spares."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run every contender in its own process and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", choices=CONTENDERS)
    parser.add_argument("--ydata", help="interpreter that has ydata-profiling; reports instead")
    parser.add_argument("--rounds", type=int, default=3, help="of reports")
    given = parser.parse_args()
    if given.ydata:
        time_reports(given.ydata, given.rows, rounds=given.rounds)
        return
    if given.only:
        print(json.dumps(measure(given.only, given.rows)))
        return
    found: dict[str, dict[str, float]] = {}
    for name in CONTENDERS:
        command = [sys.executable, __file__, "--rows", str(given.rows), "--only", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[name] = json.loads(done.stdout.splitlines()[-1])
    base = found["describe+corr"]["seconds"]
    print(f"{given.rows:,} rows x 20 columns, {found['profile_frame']['table_mb']:.0f} MB")
    print(f"Python {platform.python_version()}, pandas {pd.__version__}, {platform.machine()}\n")
    print("| contender | seconds | to describe+corr | peak memory more, MB |")
    print("| --- | ---: | ---: | ---: |")
    for name, one in found.items():
        ratio, extra = one["seconds"] / base, one["extra_mb"]
        print(f"| {name} | {one['seconds']:.2f} | {ratio:.1f} | {extra:.0f} |")


if __name__ == "__main__":
    main()
