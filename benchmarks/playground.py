"""How many pictures a second the playground's stream gives, from its own training to the socket.

    uv run --group dev python benchmarks/playground.py

Two spirals, tanh, Adam, 10 steps a picture, batches of 32, a surface of 40 x 40. Unpaced: the
service's own limit (P0_MAX_PICTURES_PER_S) is lifted. For each network: pictures computed in this
thread, and pictures that a client received from the service over its ASGI interface.

With `--browser CHROMIUM` (the path of one) the lab is started as a process of its own, with its own
limit, and its page plays the two spirals in that browser, without a GPU and 1440 pixels wide: the
pictures that reached the page, and those that were drawn, for each of some stretches of seconds.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from common.service.client import connect_app
from p0_foundations.api import create_app
from p0_foundations.playground import Playground
from p0_foundations.playground_contracts import Training
from p0_foundations.settings import Settings
from playwright.sync_api import sync_playwright

COUNT = """async (ms) => {
  const rate = document.querySelector(".play-rate").dataset;
  const count = () => [Number(rate.received), Number(rate.drawn)];
  const [first, started] = [count(), performance.now()];
  await new Promise((done) => setTimeout(done, ms));
  return count().map((now, k) => ((now - first[k]) * 1000) / (performance.now() - started));
}"""
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


@contextmanager
def started_lab() -> Iterator[str]:
    """Start the lab as a person does, and give its address."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "p0_foundations.cli", "--port", "0", "--data-dir", folder]
        lab = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert lab.stdout is not None
            words = next(line for line in lab.stdout if "http://" in line).split()
            yield next(word for word in words if word.startswith("http://"))
        finally:
            lab.terminate()
            lab.wait()


def in_browser(chromium: str, rounds: int, *, seconds: float = 5.0) -> None:
    """Print pictures a second that a page received and drew."""
    with started_lab() as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address.rstrip('/')}/?tab=playground")
        page.get_by_role("button", name="Play", exact=True).click()
        page.get_by_role("button", name="Pause").wait_for()
        print("| stretch | received | drawn |\n| ---: | ---: | ---: |")
        for k in range(rounds):
            received, drawn = page.evaluate(COUNT, seconds * 1000)
            print(f"| {k + 1} | {received:.0f}/s | {drawn:.0f}/s |")
        browser.close()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--browser", help="path of a Chromium: the page instead")
    given = parser.parse_args()
    if given.browser:
        in_browser(given.browser, given.rounds)
        return
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
