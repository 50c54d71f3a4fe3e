"""How long a profile of a large table takes, beside what people otherwise run on it.

    uv run --all-groups python benchmarks/profile_table.py [--rows 1000000]

One table, twenty columns of every kind, seed 0. Each contender runs in a process of its own; its
memory is the largest resident size seen while it ran (looked at every 5 ms) over that before. Times
are wall-clock seconds, one run after a warm-up on a thousand rows; read the ratios, the seconds
belong to the machine. `describe+corr` is pandas' own describe() and corr(): moments and Pearson
only, no types, leaks, duplicates, sketches or words. ydata-profiling is timed where it can be
imported, with its own older pandas in an environment of its own: `--only ydata-minimal` there; its
minimal mode is the one meant for large tables.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

CONTENDERS = ("profile_frame", "profile_frame+target", "describe+corr", "ydata-minimal")


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
    if name == "ydata-minimal":
        ydata = import_module("ydata_profiling")
        return lambda t: ydata.ProfileReport(t, minimal=True, progress_bar=False).get_description()
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


def main() -> None:
    """Run every contender in its own process and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", choices=CONTENDERS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure(given.only, given.rows)))
        return
    found: dict[str, dict[str, float]] = {}
    for name in CONTENDERS:
        if name.startswith("ydata") and find_spec("ydata_profiling") is None:
            continue
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
