"""How many pictures a second the playground's stream gives, from its own training to the socket.

    uv run --group dev python benchmarks/playground.py

Two spirals, tanh, Adam, 10 steps a picture, batches of 32, a surface of 40 x 40. Unpaced: the
service's own limit (P0_MAX_PICTURES_PER_S) is lifted. For each network: pictures computed in this
thread, and pictures that a client received from the service over its ASGI interface.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path

from common.service.client import connect_app
from p0_foundations.api import create_app
from p0_foundations.playground import Playground
from p0_foundations.playground_contracts import Training
from p0_foundations.settings import Settings

NETWORKS = ((8, 8), (16, 16), (16, 16, 16))


def computed(training: Training, n: int) -> float:
    """Return pictures a second without a service around them."""
    started = time.perf_counter()
    n_seen = sum(1 for _ in islice(Playground(training).events(), n))
    return n_seen / (time.perf_counter() - started)


async def received(training: Training, n: int) -> tuple[float, float]:
    """Return pictures a second and bytes a picture, as a client of the service sees them."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), max_pictures_per_s=1000, log_level="error")
        async with connect_app(create_app(settings)) as lab:
            body = training.model_dump(mode="json")
            started, n_seen, n_bytes = time.perf_counter(), 0, 0
            async with lab.http.stream("POST", "/v1/playground/train", json=body) as answer:
                async for line in answer.aiter_lines():
                    n_bytes += len(line)
                    n_seen += line.startswith("event: picture")
                    if n_seen >= n:
                        break
            return n_seen / (time.perf_counter() - started), n_bytes / n_seen


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print("| hidden layers | computed | received | bytes a picture |")
    print("| --- | ---: | ---: | ---: |")
    for hidden in NETWORKS:
        training = Training(hidden=hidden, max_steps=20_000)
        alone: list[float] = []
        served: list[tuple[float, float]] = []
        for _ in range(given.rounds):  # in turns, so that both meet the same machine
            alone.append(computed(training, given.pictures))
            served.append(asyncio.run(received(training, given.pictures)))
        rate = statistics.median(one for one, _ in served)
        name = "-".join(map(str, hidden))
        print(f"| {name} | {statistics.median(alone):.0f}/s | {rate:.0f}/s | {served[0][1]:.0f} |")


if __name__ == "__main__":
    main()
