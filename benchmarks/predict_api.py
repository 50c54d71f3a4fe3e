"""Single-row predictions: this service, the usual FastAPI + `pipeline.predict`, a FastAPI echo.

Run: `python benchmarks/predict_api.py [--rounds 3] [--seconds 4] [--table CSV --target COLUMN]`;
without a table, twenty numbers and five labels and boosted trees. Needs `wrk` and Linux's
`taskset`. `plain` holds the same trained pipeline; `echo` parses the same JSON body and sends it
back, without any model: what the web framework alone can do. Each server is one process pinned to
one core, `wrk` runs on another; the rounds alternate, so that a machine that changes its speed
changes it for all. Ours validates, batches, measures, and logs as `--log-level` says. What counts
is the ratio. Writes JSON; exit code 1 when an answer was not a 200.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

CONNECTIONS = (1, 32)
MODEL = "benchmark"
READY = re.compile(r"(http://\S+:\d+)")
SERVER_CORE, CLIENT_CORE = "0", "1"
WRK_SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open(os.getenv("BODY_FILE")):read("*a")
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nWRK {"rate":%.1f,"p50_ms":%.4f,"p99_ms":%.4f,"errors":%d}\\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, e.status + e.connect + e.read + e.write + e.timeout))
end
"""


def serve_plain(pipeline: str) -> None:
    """Serve the pipeline as a first tutorial does: a frame a request, a worker thread each."""
    import joblib  # noqa: PLC0415 - only in the server's own process
    import pandas as pd  # noqa: PLC0415 - only in the server's own process
    import uvicorn  # noqa: PLC0415 - only in the server's own process
    from fastapi import FastAPI  # noqa: PLC0415 - only in the server's own process

    model = joblib.load(pipeline)
    app = FastAPI()

    @app.post("/v1/predict")
    def predict(
        body: dict[str, list[dict[str, float | str | None]]],
    ) -> dict[str, list[list[float]]]:
        return {"probabilities": model.predict_proba(pd.DataFrame(body["rows"])).tolist()}

    uvicorn.run(app, port=0, log_level="info", access_log=False)


def serve_echo() -> None:
    """Parse the body and send it back."""
    import uvicorn  # noqa: PLC0415 - only in the server's own process
    from fastapi import Body, FastAPI  # noqa: PLC0415 - only in the server's own process

    app = FastAPI()

    @app.post("/v1/predict")
    async def echo(body: dict[str, object] = Body()) -> dict[str, object]:  # noqa: B008 - FastAPI's way
        return body

    uvicorn.run(app, port=0, log_level="info", access_log=False)


def made_table() -> "pd.DataFrame":
    """Twenty numbers, five labels of 3 to 8 levels, and a target that trees learn better."""
    import numpy as np  # noqa: PLC0415 - training libraries stay out of the servers
    import pandas as pd  # noqa: PLC0415 - see above

    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 20)).round(3)
    table = pd.DataFrame(x, columns=[f"n{k}" for k in range(20)])
    score = x[:, 0] - x[:, 1] * x[:, 2] + 0.5 * np.sin(3 * x[:, 3])
    for k, n_levels in enumerate((3, 4, 5, 6, 8)):
        level = rng.integers(0, n_levels, len(table))
        table[f"c{k}"] = [f"level {one}" for one in level]
        score += 0.5 * rng.normal(size=n_levels)[level]
    table["target"] = np.where(score + rng.normal(scale=0.5, size=len(table)) > 0, "yes", "no")
    return table


def prepare(folder: Path, table: str, target: str) -> dict[str, str]:
    """Train, publish, and write the pipeline and one request body; return what was trained."""
    import joblib  # noqa: PLC0415 - training libraries stay out of the servers
    from p1_prediction_api import train  # noqa: PLC0415 - see above
    from p1_prediction_api.settings import Settings  # noqa: PLC0415 - see above

    run = train(table or made_table(), target=target or "target", minutes=0.5)
    if run.signature.task != "classification":
        raise SystemExit("the plain server of this benchmark answers probabilities: name classes")
    run.publish(settings=Settings(data_dir=folder / "data"), model=MODEL)
    joblib.dump(run.chosen.pipeline, folder / "pipeline.joblib")
    row = {feature.name: feature.example for feature in run.signature.features}
    (folder / "body.json").write_text(json.dumps({"rows": [row]}))
    (folder / "post.lua").write_text(WRK_SCRIPT)
    return {"model": run.chosen.name, "n_features": str(len(row))}


@contextmanager
def pinned(command: list[str], folder: Path, log_level: str) -> Iterator[str]:
    """Run a server on the servers' core; yield its address."""
    env = {**os.environ, "ROADMAP_DATA_DIR": str(folder / "data"), "P1_MODEL": MODEL}
    env |= {"OMP_NUM_THREADS": "1", "ROADMAP_LOG_FORMAT": "json", "ROADMAP_LOG_LEVEL": log_level}
    log = (
        folder / f"{len(list(folder.iterdir()))}.log"
    )  # a file: a full pipe would block the server
    with log.open("w") as output:
        process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, sys.executable, *command],
            stdout=output, stderr=subprocess.STDOUT, env=env,
        )  # fmt: skip
        try:
            while not (found := READY.search(log.read_text())):
                if process.poll() is not None:
                    raise SystemExit(f"a server did not start:\n{log.read_text()}")
                time.sleep(0.05)
            yield found[1]
        finally:
            process.terminate()
            process.wait()


def measure(url: str, folder: Path, connections: int, seconds: int) -> dict[str, float]:
    """Load one server for some seconds."""
    command = ["taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    command += ["-s", str(folder / "post.lua"), "--latency", f"{url}/v1/predict"]
    env = {**os.environ, "BODY_FILE": str(folder / "body.json")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    line = next(one for one in done.stdout.splitlines() if one.startswith("WRK "))
    figures: dict[str, float] = json.loads(line[4:])
    return figures


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(one[key] for one in rounds), 3) for key in rounds[0]}


def compare(urls: dict[str, str], folder: Path, n_rounds: int, seconds: int) -> dict[str, object]:
    """Alternate between the servers; report medians and the ratio of their rates."""
    report: dict[str, object] = {}
    for connections in CONNECTIONS:
        found: dict[str, list[dict[str, float]]] = {name: [] for name in urls}
        for _ in range(n_rounds + 1):
            for name, url in urls.items():
                found[name].append(measure(url, folder, connections, seconds))
        medians = {name: _medians(rounds[1:]) for name, rounds in found.items()}
        rates = {
            name: [
                ours["rate"] / other["rate"]
                for ours, other in zip(found["ours"][1:], found[name][1:], strict=True)
            ]
            for name in ("plain", "echo")
        }
        report[f"{connections} connections"] = {
            **medians,
            "rate_ratio": {name: round(statistics.median(r), 2) for name, r in rates.items()},
            "rate_ratio_range": {
                name: [round(min(r), 2), round(max(r), 2)] for name, r in rates.items()
            },
            "p50_ratio_to_echo": round(medians["ours"]["p50_ms"] / medians["echo"]["p50_ms"], 2),
            "errors": sum(r["errors"] for rounds in found.values() for r in rounds),
        }
    return report


def main() -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--table", default="")
    parser.add_argument("--target", default="")
    parser.add_argument("--log-level", default="warning", help="ours: info logs each request")
    parser.add_argument("--serve-echo", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--serve-plain", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve_plain:
        serve_plain(given.serve_plain)
        return 0
    if given.serve_echo:
        serve_echo()
        return 0
    if missing := [tool for tool in ("wrk", "taskset") if shutil.which(tool) is None]:
        sys.stderr.write(f"error: {', '.join(missing)} is not installed here\n")
        return 2
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        report: dict[str, object] = dict(prepare(folder, given.table, given.target))
        ours = ["-m", "p1_prediction_api.cli", "--port", "0"]
        plain = [__file__, "--serve-plain", str(folder / "pipeline.joblib")]
        commands = {"ours": ours, "plain": plain, "echo": [__file__, "--serve-echo"]}
        urls = {
            name: stack.enter_context(pinned(command, folder, given.log_level))
            for name, command in commands.items()
        }
        report |= compare(urls, folder, given.rounds, given.seconds)
    print(json.dumps(report, indent=2))
    loads = [one for one in report.values() if isinstance(one, dict)]
    return int(any(one["errors"] for one in loads))


if __name__ == "__main__":
    sys.exit(main())
