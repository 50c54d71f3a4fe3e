"""How fast the embedded generator is, beside bare llama.cpp, and how it shares itself out.

    uv run --group dev python benchmarks/rag_generation.py [--rounds 5] [--threads 2]

Three tables. Kinds: bare llama.cpp (xllamacpp called directly) with the published file and the two
it may be requantised to, each in a fresh process, in turns. Ours: first token on a prompt of about
400 tokens, and decoding of 64, through `EmbeddedModel` and bare with the same file, in one process
and in turns. Eight: as many chats at once, 48 tokens each; the slowest against the fastest. Every
prompt is new, so that no cache answers; temperature 0, answers that do not end; medians.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
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
            command = [sys.executable, __file__, "--one", str(path), "--threads", str(n_threads)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            taken[name].append([float(part) for part in done.stdout.split()])
    print("| weights | MB | first token of 400, s | decode, tokens/s | resident, MiB |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, all_ in taken.items():
        first, rate, memory = (median(column) for column in zip(*all_, strict=True))
        size = files[name].stat().st_size / 1e6
        print(f"| {name} | {size:.0f} | {first:.2f} | {rate:.0f} | {memory:.0f} |")


def one_kind(weights: Path, n_threads: int) -> None:
    """Print the medians of one kind: three prompts after one that warms up."""
    bare, chance = Bare(weights, n_threads), random.Random(1)
    bare.run(prompt(chance))
    firsts, rates = zip(*(bare.run(prompt(chance)) for _ in range(3)), strict=True)
    print(median(firsts), median(rates), resident_mib())


async def our_tables(settings: Settings, rounds: int) -> None:
    """Compare with bare llama.cpp, then share out."""
    chance = random.Random(0)
    async with EmbeddedModel(settings) as model:
        await ours(model, prompt(chance), N_DECODED)
        print(f"\nResident with the model loaded for {N_CHATS} chats: {resident_mib()} MiB\n")
        bare = await asyncio.to_thread(Bare, generator_weights(settings), settings.n_threads)
        run: Callable[[str], tuple[float, float]] = bare.run
        await asyncio.to_thread(run, prompt(chance))
        pairs = []
        for _ in range(rounds):
            theirs = await asyncio.to_thread(run, prompt(chance))
            pairs.append((theirs, await ours(model, prompt(chance), N_DECODED)))
        print("| | bare llama.cpp | ours | ours / bare |")
        print("| --- | ---: | ---: | ---: |")
        for k, name in enumerate(("first token of 400, s", "decode, tokens/s")):
            one, other = (median(pair[side][k] for pair in pairs) for side in (0, 1))
            ratio = median(mine[k] / theirs[k] for theirs, mine in pairs)
            print(f"| {name} | {one:.2f} | {other:.2f} | {ratio:.2f} |")
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
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        one_kind(given.one, given.threads)
        return
    with tempfile.TemporaryDirectory() as folder:
        kinds_table(Path(folder), given.rounds, given.threads)
        settings = Settings(
            data_dir=Path(folder), n_threads=given.threads, max_chats=N_CHATS, context_tokens=2048
        )
        asyncio.run(our_tables(settings, given.rounds))


if __name__ == "__main__":
    main()
