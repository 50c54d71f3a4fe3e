"""What adaptive batching is worth: the batcher beside no batching and a fixed collection window.

Run: `python benchmarks/batching.py [--seconds 2] [--rounds 3] [--rows-s 0.0002] [--call-s 0.004]`.
In one process, with no HTTP: callers ask in a closed loop (each asks again when answered) for one
row of a model whose call costs `--call-s` seconds and `--rows-s` a row, one call at a time (it
sleeps, as a model does that runs outside the interpreter's lock). Contenders: `direct`, one call a
row in a queue; `window`, which waits a fixed 5 ms for company before each call (Triton's
`max_queue_delay`); `batcher`, ours. The rounds alternate; medians are printed as JSON: rows a
second and the latency's 50th and 99th percentile, by number of callers.
"""

import argparse
import asyncio
import json
import platform
import statistics
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import numpy as np
from common.serving import MicroBatcher

MAX_BATCH = 64
WINDOW_S = 0.005
CALLERS = (1, 4, 32, 128)

Run = Callable[[Sequence[int]], Sequence[int]]
Submit = Callable[[int], Awaitable[int]]


@asynccontextmanager
async def direct(run: Run) -> AsyncGenerator[Submit]:
    """One call of the model a row, in the order of arrival."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as thread:

        async def submit(item: int) -> int:
            return (await loop.run_in_executor(thread, run, [item]))[0]

        yield submit


@asynccontextmanager
async def window(run: Run) -> AsyncGenerator[Submit]:
    """Collect what arrives within a fixed time of the first row, then run it."""
    loop = asyncio.get_running_loop()
    arrivals: asyncio.Queue[tuple[int, asyncio.Future[int]]] = asyncio.Queue()

    async def work(thread: ThreadPoolExecutor) -> None:
        while True:
            batch = [await arrivals.get()]
            give_up_at = loop.time() + WINDOW_S
            while len(batch) < MAX_BATCH:
                try:
                    async with asyncio.timeout_at(give_up_at):
                        batch.append(await arrivals.get())
                except TimeoutError:
                    break
            answers = await loop.run_in_executor(thread, run, [item for item, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                future.set_result(answer)

    async def submit(item: int) -> int:
        future: asyncio.Future[int] = loop.create_future()
        arrivals.put_nowait((item, future))
        return await future

    with ThreadPoolExecutor(1) as thread:
        worker = asyncio.create_task(work(thread))
        yield submit
        worker.cancel()


@asynccontextmanager
async def batcher(run: Run) -> AsyncGenerator[Submit]:
    """Ours: what arrives while the model runs is the next batch."""
    async with MicroBatcher(run, max_batch=MAX_BATCH) as ours:
        yield ours.submit


CONTENDERS = {"direct": direct, "window": window, "batcher": batcher}


async def load(name: str, run: Run, n_callers: int, seconds: float) -> dict[str, float]:
    """Load one contender; returns rows a second and latencies in milliseconds."""
    latencies: list[float] = []
    async with CONTENDERS[name](run) as submit:
        await submit(0)
        ends_at = time.perf_counter() + seconds

        async def ask() -> None:
            while (started := time.perf_counter()) < ends_at:
                await submit(1)
                latencies.append(time.perf_counter() - started)

        await asyncio.gather(*(ask() for _ in range(n_callers)))
    p50, p99 = np.percentile(latencies, [50, 99]) * 1000
    return {"rows_per_s": len(latencies) / seconds, "p50_ms": p50, "p99_ms": p99}


def model(items: Sequence[int], call_s: float, row_s: float) -> Sequence[int]:
    """Take as long as a model would, and answer what was asked."""
    time.sleep(call_s + row_s * len(items))
    return items


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--call-s", type=float, default=0.004)
    parser.add_argument("--rows-s", type=float, default=0.0002)
    given = parser.parse_args()
    run = partial(model, call_s=given.call_s, row_s=given.rows_s)
    report: dict[str, object] = {
        "python": platform.python_version(),
        "call_s": given.call_s,
        "row_s": given.rows_s,
    }
    for n_callers in CALLERS:
        found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTENDERS}
        for _ in range(given.rounds):
            for name, results in found.items():
                results.append(asyncio.run(load(name, run, n_callers, given.seconds)))
        report[f"{n_callers} callers"] = {
            name: {key: round(statistics.median(r[key] for r in results), 1) for key in results[0]}
            for name, results in found.items()
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
