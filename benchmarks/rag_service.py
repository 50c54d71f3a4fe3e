"""How soon the document chatbot is ready, how fast it answers out of documents, what it holds.

    ROADMAP_DATASETS=FOLDER uv run --group dev python benchmarks/rag_service.py [--large DATA_DIR]

A folder of SQuAD's articles and this repository's guides is indexed by `p3-rag-chatbot index`; then
the service is started over it, and once more when its first start has indexed guides of its own.
`--large` names a data directory that `rag_search.py --keep` left: its collection of 100,000 chunks
is asked too. A start counts from the command to the first good answer of `/readyz`. Questions are
SQuAD's, half of them unanswerable, one after another over HTTP, each new, none answered from a
cache; their time is the client's. Memory is that of the service with all its processes: when it is
ready, after the questions, and after the embedded generator has answered too. Prints Markdown; exit
code 1 where a start takes 5 s, half of the answers 250 ms, or the memory is over 700 MiB.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from p3_rag_chatbot.evaluating.question_sets import read_squad
from p3_rag_chatbot.guide_files import guide_names
from rag_indexing import ARTICLES, as_articles, resident_mib

COMMAND = [str(Path(sys.executable).with_name("p3-rag-chatbot"))]
MOST_READY_S, MOST_ANSWER_MS, MOST_MIB = 5.0, 250.0, 700.0
PATIENCE_S = 120.0


class Service:
    """A service that is ready, and how long it took to become so."""

    def __init__(self, process: subprocess.Popen[str], client: httpx2.Client, ready_s: float):
        self._process, self._client, self.ready_s = process, client, ready_s

    @property
    def mib(self) -> float:
        """What it holds now."""
        return resident_mib(self._process.pid)

    def keep_guides(self) -> None:
        """Wait until the guides are indexed, so that it has nothing else to do."""
        n_guides = len(guide_names(Path(__file__).resolve().parents[1]))
        began = time.perf_counter()
        while self._n_documents("guides") < n_guides:
            if time.perf_counter() - began > PATIENCE_S:
                sys.exit("the guides were not indexed")
            time.sleep(0.1)

    def _n_documents(self, collection: str) -> int:
        found = self._client.get("/v1/collections").raise_for_status().json()
        return sum(one["n_documents"] for one in found if one["name"] == collection)

    def ask(self, question: str, collection: str, depth: str) -> tuple[float, str]:
        """Return how many milliseconds an answer took, and its verdict."""
        body = {
            "model": "rag", "messages": [{"role": "user", "content": question}],
            "rag": {"collection": collection, "depth": depth}, "max_tokens": 32,
        }  # fmt: skip
        began = time.perf_counter()
        answer = self._client.post("/v1/chat/completions", json=body)
        took_ms = 1e3 * (time.perf_counter() - began)
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        return took_ms, said["rag"]["verdict"]


@contextmanager
def running(data_dir: Path, n_threads: int) -> Generator[Service]:
    """Start the service over a data directory; yields when it is ready."""
    environment = os.environ | {"P3_N_THREADS": str(n_threads), "P3_LOG_LEVEL": "warning"}
    command = [*COMMAND, "--port", "0", "--data-dir", str(data_dir)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None, "the process was started with a pipe"
            address = process.stdout.readline().rpartition(" ")[2].strip()
            with httpx2.Client(base_url=address, timeout=PATIENCE_S) as client:
                while client.get("/readyz").status_code != 200:
                    if time.perf_counter() - began > PATIENCE_S:
                        sys.exit("the service did not become ready")
                    time.sleep(0.01)
                yield Service(process, client, time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGTERM)


def measured(
    name: str, data_dir: Path, collection: str, questions: Sequence[str], n_threads: int
) -> bool:
    """Print a row of the table; return whether it is within the limits."""
    with running(data_dir, n_threads) as service:
        service.keep_guides()
        first_s = service.ready_s
    with running(data_dir, n_threads) as service:
        ready_mib = service.mib
        service.ask(questions[0], collection, "extract")
        answers = [service.ask(one, collection, "extract") for one in questions[1:]]
        extract_mib = service.mib
        service.ask(questions[0], collection, "generate")
        took = [ms for ms, _ in answers]
        p50, p95 = np.quantile(took, (0.5, 0.95))
        share = np.mean([verdict == "answered" for _, verdict in answers])
        print(
            f"| {name} | {first_s:.1f} | {service.ready_s:.1f} | {p50:.0f} | {p95:.0f} "
            f"| {share:.0%} | {ready_mib:.0f} | {extract_mib:.0f} | {service.mib:.0f} |"
        )
        return bool(
            service.ready_s < MOST_READY_S and p50 < MOST_ANSWER_MS and service.mib < MOST_MIB
        )


def main() -> None:
    """Index, start, ask, print, and end with 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--large", type=Path, help="data directory of rag_search.py --keep")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    root = Path(os.environ["ROADMAP_DATASETS"])
    sets = [read_squad(root / name) for name in ARTICLES]
    questions = [one.question for one in sets[0].sample(given.questions).questions]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        articles = as_articles(sets, work / "articles").folder
        indexing = ["--data-dir", str(work / "data"), "index", str(articles)]
        subprocess.run([*COMMAND, *indexing, "--collection", "articles"], check=True)
        names = ("collection", "first ready s", "ready s", "p50 ms", "p95 ms", "answered",
                 "MiB ready", "MiB after extracts", "MiB after generating")  # fmt: skip
        print("\n| " + " | ".join(names) + " |\n| --- |" + " ---: |" * (len(names) - 1))
        places = [("articles", work / "data"), *([("large", given.large)] if given.large else [])]
        good = [measured(name, at, name, questions, given.threads) for name, at in places]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
