"""Passages a second and nDCG@10 of the embedder, beside sentence-transformers on the same cores.

    ROADMAP_DATASETS=FOLDER uv run --group dev python benchmarks/rag_embedding.py --peer PYTHON

PYTHON is the interpreter of an environment that has sentence-transformers; it runs beside ours and
both wait while the other is measured. Passages are runs of words of the collections, 174 tokens and
two special ones each. Rounds alternate; what counts is the ratio within a round, and of those the
median. Both embed the same file of weights, sorted by length, with the threads given. Every
document and question of the collections is then embedded by both and ranked by the dot product.
Prints JSON and Markdown; exit code 1 when the ratio is below 2.3 or a collection's nDCG@10 falls by
more than a point.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import IO, Any

import numpy as np
import onnxruntime as ort
from common.evaluation.retrieval import retrieval_metrics
from numpy.typing import NDArray
from p3_rag_chatbot.embedding.embedder import OnnxEmbedder
from p3_rag_chatbot.embedding.minilm import find_minilm
from p3_rag_chatbot.embedding.tokens import WordPieces
from p3_rag_chatbot.evaluating.question_sets import QuestionSet, open_questions, read_beir

PEER = """
import json, sys, time
folder, threads = sys.argv[1], int(sys.argv[2])
import numpy as np, torch
from sentence_transformers import SentenceTransformer, __version__
torch.set_num_threads(threads)
model = SentenceTransformer(folder, device="cpu")
print(json.dumps({"version": __version__, "torch": torch.__version__}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    texts = json.load(open(asked["texts"]))
    began, cpu = time.perf_counter(), time.process_time()
    found = model.encode(texts, batch_size=32, normalize_embeddings=True)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    np.save(asked["vectors"], found)
    print(json.dumps({"seconds": took, "cpu_seconds": cpu}), flush=True)
"""
COLLECTIONS = ("retrieval/cacm", "retrieval/npl", "qa/squad2_dev_part.json")
SPEED = "retrieval/npl"
PASSAGE_TOKENS = 174
LEAST_RATIO = 2.3
MOST_LOST = 0.01
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Took:
    """What one embedding of some texts cost."""

    seconds: float
    cpu_seconds: float


class Peer:
    """sentence-transformers in a process of its own; idle unless it is asked."""

    def __init__(self, process: "subprocess.Popen[str]", work: Path) -> None:
        self._process = process
        self._work = work
        self.versions = self._answer()

    def embed(self, texts: Sequence[str]) -> tuple[Vectors, Took]:
        """Embed texts; the time is its own, without passing them over."""
        asked = {"texts": str(self._work / "texts.json"), "vectors": str(self._work / "v.npy")}
        Path(asked["texts"]).write_text(json.dumps(list(texts)))
        print(json.dumps(asked), file=_pipe(self._process.stdin), flush=True)
        took = Took(**self._answer())
        return np.load(asked["vectors"]), took

    def _answer(self) -> dict[str, Any]:
        line = _pipe(self._process.stdout).readline()
        if not line:
            sys.exit("the peer ended: has its environment sentence-transformers?")
        return json.loads(line)


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None, "the process was started with pipes"
    return stream


@contextmanager
def peer_running(python: str, weights: Path, n_threads: int, work: Path):
    """Start the peer over the same files of weights; it ends with the block."""
    command = [python, "-c", PEER, str(weights), str(n_threads)]
    environment = os.environ | {"OMP_NUM_THREADS": str(n_threads), "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield Peer(process, work)
        finally:
            process.terminate()


def ours(embedder: OnnxEmbedder, texts: Sequence[str]) -> tuple[Vectors, Took]:
    """Embed texts and note what it cost."""
    began, cpu = time.perf_counter(), time.process_time()
    vectors = embedder.embed(texts)
    return vectors, Took(time.perf_counter() - began, time.process_time() - cpu)


def passages(texts: Sequence[str], tokens: WordPieces, n: int) -> list[str]:
    """Cut running text into pieces of so many tokens."""
    found: list[str] = []
    running = " ".join(texts[: n * 8])
    pieces = tokens.pieces(running)
    for at in range(0, n * PASSAGE_TOKENS, PASSAGE_TOKENS):
        part = pieces[at : at + PASSAGE_TOKENS]
        found.append(running[part[0].start : part[-1].end])
    return found


def texts_of(collection: QuestionSet) -> list[str]:
    """Return each document under its title."""
    return [
        f"{collection.titles[source]} {text}".strip()
        for source, text in collection.documents.items()
    ]


def ndcg(collection: QuestionSet, embed: Callable[[Sequence[str]], Vectors]) -> float:
    """Return nDCG@10 of ranking every document by its dot product with the question."""
    asked = [one for one in collection.questions if one.relevant]
    scores = embed([one.question for one in asked]) @ embed(texts_of(collection)).T
    best = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    ids = list(collection.documents)
    rankings = {one.id: [ids[k] for k in row] for one, row in zip(asked, best, strict=True)}
    judged = {one.id: one.relevant for one in asked}
    return retrieval_metrics(judged, rankings, ks=(10,))["ndcg@10"].value


def main() -> None:
    """Measure, print, and end with 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", required=True, help="interpreter that has sentence-transformers")
    parser.add_argument("--passages", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--collections",
        default=",".join(COLLECTIONS),
        help="for nDCG@10, in BEIR's or SQuAD's form",
    )
    given = parser.parse_args()
    root = Path(os.environ["ROADMAP_DATASETS"])
    names = [name for name in given.collections.split(",") if name]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        files = find_minilm(work)
        tokens = WordPieces.load(files.tokenizer)
        texts = passages(texts_of(read_beir(root / SPEED)), tokens, given.passages)
        embedders = {
            precision: OnnxEmbedder.load(work, precision=precision, n_threads=given.threads)
            for precision in ("int8", "fp32")
        }
        weights = files.tensors.parent
        with peer_running(given.peer, weights, given.threads, work) as peer:
            rounds = [one_round(texts, embedders, peer) for _ in range(given.rounds)]
            quality = {Path(name).stem: qualities(root / name, embedders, peer) for name in names}
            report(given, peer.versions, rounds, quality)


def one_round(
    texts: Sequence[str], embedders: dict[str, OnnxEmbedder], peer: Peer
) -> dict[str, Took]:
    """Embed the passages with each in turn."""
    found = {precision: ours(one, texts)[1] for precision, one in embedders.items()}
    return found | {"peer": peer.embed(texts)[1]}


def qualities(place: Path, embedders: dict[str, OnnxEmbedder], peer: Peer) -> dict[str, float]:
    """Return each one's nDCG@10 on a collection."""
    collection = open_questions(place)
    found = {precision: ndcg(collection, one.embed) for precision, one in embedders.items()}
    return found | {"peer": ndcg(collection, lambda texts: peer.embed(texts)[0])}


def report(
    given: argparse.Namespace,
    versions: dict[str, str],
    rounds: list[dict[str, Took]],
    quality: dict[str, dict[str, float]],
) -> None:
    """Print what was measured; end with 1 when a target is missed."""
    kinds = ("int8", "fp32", "peer")
    speed = {kind: given.passages / median(one[kind].seconds for one in rounds) for kind in kinds}
    ratio = {
        kind: {
            "clock": median(one["peer"].seconds / one[kind].seconds for one in rounds),
            "processor": median(one["peer"].cpu_seconds / one[kind].cpu_seconds for one in rounds),
        }
        for kind in kinds
    }
    print(json.dumps({
        "machine": platform.processor() or platform.machine(), "threads": given.threads,
        "peer": versions, "onnxruntime": ort.__version__, "passages": given.passages,
        "rounds": [{kind: asdict(took) for kind, took in one.items()} for one in rounds],
        "per_second": speed, "ratio": ratio, "ndcg@10": quality,
    }, indent=1))  # fmt: skip
    collections = "".join(f" nDCG@10 {name} |" for name in quality)
    print(f"\n| embedder | passages/s | × by clock | × by processor time |{collections}")
    print(f"| --- | --- | --- | --- |{' --- |' * len(quality)}")
    for kind in kinds:
        measured = "".join(f" {100 * one[kind]:.1f} |" for one in quality.values())
        times = ratio[kind]
        print(
            f"| {'sentence-transformers' if kind == 'peer' else f'ours, {kind}'} | "
            f"{speed[kind]:.0f} | {times['clock']:.2f} | {times['processor']:.2f} |{measured}"
        )
    is_fast = ratio["int8"]["clock"] >= LEAST_RATIO
    is_good = all(one["int8"] >= one["peer"] - MOST_LOST for one in quality.values())
    sys.exit(0 if is_fast and is_good else 1)


if __name__ == "__main__":
    main()
