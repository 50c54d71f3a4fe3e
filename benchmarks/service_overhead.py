"""What the service kit costs: a trivial JSON route on bare FastAPI and on `create_service`.

Run: `python benchmarks/service_overhead.py [--rounds 5] [--seconds 3] [--connections 32]`. Needs
`wrk`. Both servers run uvicorn with uvloop and httptools, pinned to one core; wrk has the other.
The rounds alternate, so that a machine that slows down slows both; medians and their ratio are
printed as JSON. The kit writes its access events to a file, as a deployment would collect them;
`--log-level warning` leaves them out.
"""

import argparse
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_BARE = """
import uvicorn, uvloop
from fastapi import FastAPI
from common.service.run import bind
app = FastAPI()
@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"greeting": "hello"}
listener = bind("127.0.0.1", 0)
print(f"ready at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
config = uvicorn.Config(app, log_config=None, access_log=False, http="httptools", ws="none")
uvloop.run(uvicorn.Server(config).serve([listener]))
"""
_KIT = """
from common.service import create_service, serve
from common.settings import Settings
def create_app(settings):
    service = create_service("bench", settings, title="Bench", summary="One route", version="0")
    @service.app.get("/hello")
    async def hello() -> dict[str, str]:
        return {"greeting": "hello"}
    return service.app
serve(create_app, Settings())
"""
SERVER_CORE, CLIENT_CORE = "0", "1"


@contextmanager
def running(source: str, folder: Path, log_level: str) -> Generator[str]:
    """Run a server on one core; yields its address."""
    environment = os.environ | {
        "ROADMAP_DATA_DIR": str(folder),
        "ROADMAP_LOG_LEVEL": log_level,
        "ROADMAP_LOG_FORMAT": "json",
    }
    command = ["taskset", "-c", SERVER_CORE, sys.executable, "-c", source]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        ) as process,
    ):
        assert process.stdout is not None
        yield process.stdout.readline().rsplit(" ", 1)[1].strip()
        process.send_signal(signal.SIGTERM)
        process.wait()


def requests_per_s(address: str, n_connections: int, n_seconds: int) -> float:
    """Load one route with wrk from the other core."""
    command = [
        "taskset", "-c", CLIENT_CORE,
        "wrk", "-t1", f"-c{n_connections}", f"-d{n_seconds}s", f"{address}/hello",
    ]  # fmt: skip
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said:
        raise SystemExit(said)
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if found is None:
        raise SystemExit(said)
    return float(found.group(1))


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--log-level", default="info")
    given = parser.parse_args()
    rates: dict[str, list[float]] = {"bare_fastapi": [], "create_service": []}
    with ExitStack() as stack:
        addresses = {}
        for name, source in zip(rates, (_BARE, _KIT), strict=True):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            addresses[name] = stack.enter_context(running(source, folder, given.log_level))
            requests_per_s(addresses[name], given.connections, 1)  # warms up
        for _ in range(given.rounds):
            for name, address in addresses.items():
                rates[name].append(requests_per_s(address, given.connections, given.seconds))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    report = {
        "python": platform.python_version(),
        "processor": platform.machine(),
        "connections": given.connections,
        "log_level": given.log_level,
        "requests_per_s": {name: [round(rate) for rate in found] for name, found in rates.items()},
        "median": {name: round(rate) for name, rate in medians.items()},
        "ratio": round(medians["create_service"] / medians["bare_fastapi"], 3),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
