"""How long `roadmap --help` takes, and which imports it pays for.

Run: `python benchmarks/cli_start.py [--runs 20]`. Times whole processes, the interpreter's own
start beside them, so that figures from two machines can be compared by their difference. Exit code
1 when the median is over the limit of 0.3 s.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time

LIMIT_S = 0.3
N_IMPORTS_SHOWN = 8


def time_runs(command: list[str], n_runs: int) -> list[float]:
    """Time whole processes, after one that warms the file cache."""
    times_s = []
    for _ in range(n_runs + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times_s.append(time.perf_counter() - started)
    return times_s[1:]


def costly_imports() -> list[tuple[str, float]]:
    """List what the module imports, by cumulated milliseconds, the dearest first."""
    command = [sys.executable, "-X", "importtime", "-c", "import common.cli"]
    log = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    rows = []
    for line in log.splitlines()[1:]:
        _, cumulated_us, name = line.split("|")
        rows.append((name.strip(), int(cumulated_us) / 1000))
    return sorted(rows, key=lambda row: -row[1])[:N_IMPORTS_SHOWN]


def main() -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    n_runs = parser.parse_args().runs
    help_s = time_runs([sys.executable, "-m", "common.cli", "--help"], n_runs)
    bare_s = time_runs([sys.executable, "-c", "pass"], n_runs)
    median_s = statistics.median(help_s)
    report = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "n_runs": n_runs,
        "help_median_s": round(median_s, 3),
        "help_max_s": round(max(help_s), 3),
        "bare_python_median_s": round(statistics.median(bare_s), 3),
        "limit_s": LIMIT_S,
        "dearest_imports_ms": {name: round(cost, 1) for name, cost in costly_imports()},
    }
    print(json.dumps(report, indent=2))
    return int(median_s > LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
