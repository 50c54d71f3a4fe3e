"""How long a CSV file takes to become a typed table, beside pandas' own reader.

    uv run --group dev python benchmarks/read_table.py [--rows 1000000] [--rounds 5]

Ten columns: four floats, three whole numbers, a category, a text, a date; seed 0. Each reading is
in a fresh process that has read a small file before, in turns; medians of the clock and of
processor time. Ours finds encoding, separator, header, types, missing values and their doubts by
itself; pandas is told nothing but which column holds the dates.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

READ = """
import sys, time
import pandas as pd
from p0_foundations import Holding, open_table
holding = Holding(max_rows=10**9, max_bytes=10**12)
def ours(path): return open_table(path, holding=holding)
def theirs(path): return pd.read_csv(path, parse_dates=["day"])
read = ours if sys.argv[3] == "open_table" else theirs
read(sys.argv[1])
started, used = time.perf_counter(), time.process_time()
table = read(sys.argv[2])
print(time.perf_counter() - started, time.process_time() - used)
"""
CONTENDERS = ("pandas.read_csv", "open_table")


def make_table(n_rows: int) -> pd.DataFrame:
    """Make the ten columns."""
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, n_rows), unit="D")
    phrases = np.array([f"word{k} and more" for k in range(5000)])
    table: dict[str, object] = {f"x{k}": rng.normal(size=n_rows) for k in range(4)}
    table |= {f"i{k}": rng.integers(0, 10**6, n_rows) for k in range(3)}
    table["c"] = rng.choice(["red", "green", "blue", "amber"], n_rows)
    table["text"] = phrases[rng.integers(0, 5000, n_rows)]
    table["day"] = days.strftime("%Y-%m-%d")
    return pd.DataFrame(table)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    taken: dict[str, list[tuple[float, ...]]] = {name: [] for name in CONTENDERS}
    with TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.csv", Path(folder) / "large.csv"
        make_table(1_000).to_csv(small, index=False)
        make_table(given.rows).to_csv(large, index=False)
        for _ in range(given.rounds):
            for name in CONTENDERS:
                command = [sys.executable, "-c", READ, str(small), str(large), name]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                taken[name].append(tuple(map(float, done.stdout.split())))
        print(f"{given.rows:,} rows, {large.stat().st_size / 1e6:.0f} MB, {given.rounds} rounds\n")
    middle = {
        name: [median(one[k] for one in all_) for k in (0, 1)] for name, all_ in taken.items()
    }
    base = middle[CONTENDERS[0]]
    print("| reader | seconds | to pandas | of processor | to pandas |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (wall, cpu) in middle.items():
        print(f"| {name} | {wall:.2f} | {wall / base[0]:.2f} | {cpu:.2f} | {cpu / base[1]:.2f} |")


if __name__ == "__main__":
    main()
