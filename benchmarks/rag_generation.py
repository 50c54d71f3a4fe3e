"""How fast the embedded generator is, beside bare llama.cpp, and how it shares itself out.

    uv run --group dev python benchmarks/rag_generation.py [--rounds 5] [--threads 2]

Three tables. Kinds: bare llama.cpp (xllamacpp called directly) with the published file and the two
it may be requantised to. Ours: first token on a prompt of about 400 tokens, and decoding of 64,
through `EmbeddedModel` and bare with the same file. Each side has a fresh process in every round,
in turns: two models in one process take each other's cores. Eight: as many chats at once, 48 tokens
each; the slowest against the fastest. Every prompt is new, so that no cache answers; temperature 0,
answers that do not end; medians.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from common.models.weights import find_weights
from gguf import GGMLQuantizationType
from p3_rag_chatbot.generating.engine import EmbeddedModel
from p3_rag_chatbot.generating.generator_weights import SMOLLM2, generator_weights
from p3_rag_chatbot.generating.llama import xllamacpp
from p3_rag_chatbot.generating.requantising import requantised
from p3_rag_chatbot.openai_contracts import ChatRequest
from p3_rag_chatbot.settings import Settings

WORDS = ["sea", "ship", "house", "garden", "river", "light", "stone", "bird", "tree", "people"]
N_DECODED, N_EACH, N_CHATS = 64, 48, 8
END_OF_ANSWER = 2


def prompt(chance: random.Random) -> str:
    """Make a prompt that has not been seen: about 400 tokens with the template."""
    return " ".join(chance.choice(WORDS) for _ in range(370))


def resident_mib() -> int:
    """Read this process' resident memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)


class Bare:
    """llama.cpp with nothing around it."""

    def __init__(self, weights: Path, n_threads: int) -> None:
        given = xllamacpp.CommonParams()
        given.model.path, given.n_ctx, given.n_parallel = str(weights), 2048, 1
        given.cpuparams.n_threads = given.cpuparams_batch.n_threads = n_threads
        given.verbosity, given.ui = 0, False
        self._server = xllamacpp.Server(given)

    def run(self, text: str) -> tuple[float, float]:
        """Answer; returns seconds to the first token, and tokens a second after it."""
        times: list[float] = []
        body = {
            "messages": [{"role": "user", "content": text}], "max_tokens": N_DECODED,
            "stream": True, "temperature": 0, "logit_bias": [[END_OF_ANSWER, -100]],
        }  # fmt: skip

        def take(piece: dict[str, Any]) -> None:
            if piece["choices"] and piece["choices"][0]["delta"].get("content"):
                times.append(time.perf_counter())

        began = time.perf_counter()
        self._server.handle_chat_completions(body, take)
        return times[0] - began, (len(times) - 1) / (times[-1] - times[0])


async def ours(model: EmbeddedModel, text: str, n_tokens: int) -> tuple[float, float]:
    """Answer through the service's own model; returns what `Bare.run` does."""
    request = ChatRequest.model_validate(
        {
            "messages": [{"role": "user", "content": text}], "max_tokens": n_tokens,
            "temperature": 0, "logit_bias": {str(END_OF_ANSWER): -100},
        }
    )  # fmt: skip
    began = time.perf_counter()
    times = [time.perf_counter() async for piece in model.stream(request) if piece.text]
    return times[0] - began, (len(times) - 1) / (times[-1] - times[0])


def kinds_table(folder: Path, rounds: int, n_threads: int) -> None:
    """Compare the kinds of weights."""
    (published,) = find_weights(SMOLLM2, folder)
    digest = SMOLLM2.files[0].sha256
    files = {"Q4_1 (published)": published}
    for kind in (GGMLQuantizationType.Q8_0, GGMLQuantizationType.Q4_0):
        files[kind.name] = requantised(published, folder / "generator", digest, kind)
    taken: dict[str, list[list[float]]] = {name: [] for name in files}
    for _ in range(rounds):
        for name, path in files.items():
            taken[name].append(fresh("bare", path, n_threads))
    print("| weights | MB | first token of 400, s | decode, tokens/s | resident, MiB |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, all_ in taken.items():
        first, rate, memory = (median(column) for column in zip(*all_, strict=True))
        size = files[name].stat().st_size / 1e6
        print(f"| {name} | {size:.0f} | {first:.2f} | {rate:.0f} | {memory:.0f} |")


def fresh(side: str, path: Path, n_threads: int) -> list[float]:
    """Measure a side in a process of its own; returns what `one_side` prints."""
    command = [sys.executable, __file__, "--one", side, str(path), "--threads", str(n_threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(part) for part in done.stdout.splitlines()[-1].split()]


async def one_side(side: str, path: Path, n_threads: int) -> None:
    """Print a side's medians: three prompts after one that warms up; then its memory.

    Bare takes a file of weights, ours the data directory that holds them.
    """
    chance = random.Random(1)
    if side == "bare":
        bare = Bare(path, n_threads)
        told = [bare.run(prompt(chance)) for _ in range(4)]
    else:
        async with EmbeddedModel(our_settings(path, n_threads)) as model:
            told = [await ours(model, prompt(chance), N_DECODED) for _ in range(4)]
    firsts, rates = zip(*told[1:], strict=True)
    print(median(firsts), median(rates), resident_mib())


def our_settings(folder: Path, n_threads: int) -> Settings:
    """Make the service's own settings but for the threads and the eight chats."""
    return Settings(
        data_dir=folder, generator_threads=n_threads, max_chats=N_CHATS, context_tokens=2048
    )


def our_table(folder: Path, rounds: int, n_threads: int) -> None:
    """Compare ours with bare llama.cpp."""
    weights = generator_weights(our_settings(folder, n_threads))
    pairs = [
        (fresh("bare", weights, n_threads), fresh("ours", folder, n_threads)) for _ in range(rounds)
    ]
    print("\n| | bare llama.cpp | ours | ours / bare |")
    print("| --- | ---: | ---: | ---: |")
    for k, name in enumerate(("first token of 400, s", "decode, tokens/s")):
        one, other = (median(pair[side][k] for pair in pairs) for side in (0, 1))
        ratio = median(mine[k] / theirs[k] for theirs, mine in pairs)
        print(f"| {name} | {one:.2f} | {other:.2f} | {ratio:.2f} |")


async def chats_table(settings: Settings, rounds: int) -> None:
    """Share out among chats at once."""
    chance = random.Random(0)
    async with EmbeddedModel(settings) as model:
        await ours(model, prompt(chance), N_DECODED)
        print(
            "\n| eight chats at once | tokens/s, slowest | fastest | slowest / fastest | of all |"
        )
        print("| --- | ---: | ---: | ---: | ---: |")
        for _ in range(rounds):
            began = time.perf_counter()
            texts = [f"Tell story {k}: {prompt(chance)[:100]}" for k in range(N_CHATS)]
            told = await asyncio.gather(*(ours(model, text, N_EACH) for text in texts))
            rates = [rate for _, rate in told]
            whole = N_CHATS * N_EACH / (time.perf_counter() - began)
            low, high = min(rates), max(rates)
            print(f"| | {low:.1f} | {high:.1f} | {low / high:.2f} | {whole:.0f} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", nargs=2, metavar=("SIDE", "PATH"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        side, path = given.one
        asyncio.run(one_side(side, Path(path), given.threads))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds_table(folder, given.rounds, given.threads)
        our_table(folder, given.rounds, given.threads)
        asyncio.run(chats_table(our_settings(folder, given.threads), given.rounds))


if __name__ == "__main__":
    main()
