"""How fast a large collection is searched, how much it holds, and what is lost against exact.

Run: `python benchmarks/rag_search.py FOLDER [--chunks 100000]`, the folder holding one set in
BEIR's layout. The corpus is synthetic, out of real text: a chunk is sentences of two texts of the
set, its vector the mixture of theirs with a little noise. Prints the time of each step of a search,
the memory that the index takes, its size on disk and time to load, then IVF and HNSW beside an
exact scan: build time, time a question, recall of the nearest 10 and 100.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from p3_rag_chatbot.contracts import SearchRequest
from p3_rag_chatbot.embedding.embedder import OnnxEmbedder
from p3_rag_chatbot.library.documents import NewDocument
from p3_rag_chatbot.library.library import Library, open_library
from p3_rag_chatbot.ports import Embedder, Vectors
from p3_rag_chatbot.retrieval import dense
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings
from rag_sets import RetrievalSet, join, read_set

CHUNKS_A_DOCUMENT = 100
N_SOURCES = 1_000
Rows = NDArray[np.int64]


def fill(library: Library, embedder: Embedder, one: RetrievalSet, n_chunks: int) -> Vectors:
    """Put synthetic documents into a collection; return their vectors."""
    rng = np.random.default_rng(0)
    texts = [text for text in one.texts.values() if len(text) > 200][:N_SOURCES]
    sources = embedder.embed(texts)
    library.create_collection("large")
    kept = []
    for number in range(n_chunks // CHUNKS_A_DOCUMENT):
        pairs = rng.integers(0, len(texts), (CHUNKS_A_DOCUMENT, 2))
        shares = rng.uniform(0.5, 1, (CHUNKS_A_DOCUMENT, 1))
        mixed = sources[pairs[:, 0]] * shares + sources[pairs[:, 1]] * (1 - shares)
        mixed += rng.normal(0, 0.02, mixed.shape)
        vectors = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)
        parts = [_sentences(texts[a], rng) + " " + _sentences(texts[b], rng) for a, b in pairs]
        text, places = join(parts)
        name = f"{number:05}.txt"
        library.put_document(
            "large",
            NewDocument(name, "", "text/plain", name, text, places, vectors, embedder.name),
        )
        kept.append(vectors)
    return np.concatenate(kept)


def _sentences(text: str, rng: np.random.Generator) -> str:
    """Draw half of a text's words, in three runs: other terms in each chunk, as frequent."""
    words = text.split()
    size = max(1, len(words) // 6)
    starts = rng.integers(0, max(1, len(words) - size), 3)
    return " ".join(" ".join(words[start : start + size]) for start in starts)


def steps(searcher: Searcher, embedder: Embedder, questions: list[str]) -> None:
    """Print how long the steps of a search take."""
    ways: dict[str, Callable[[str], object]] = {
        "embed the question": lambda question: embedder.embed([question]),
        "BM25": lambda question: searcher.rank("large", question, 10, way="bm25"),
        "embed and nearest vectors": lambda question: searcher.rank(
            "large", question, 10, way="dense"
        ),
        "whole search": lambda question: searcher.search(
            SearchRequest(query=question, collection="large", rerank=False)
        ),
    }
    print("| step | p50 ms | p95 ms |\n| --- | --- | --- |")
    for name, work in ways.items():
        took = [_seconds(lambda work=work, one=one: work(one)) for one in questions * 2]
        print(f"| {name} | {1e3 * np.median(took):.1f} | {1e3 * np.quantile(took, 0.95):.1f} |")


def against_exact(vectors: Vectors, asked: Vectors) -> None:
    """Print what IVF and HNSW find of what an exact scan finds."""
    everything = np.ones(len(vectors), dtype=bool)
    names = ("index", "build s", "MB", "p50 ms", "recall@10", "recall@100")
    print("\n| " + " | ".join(names) + " |\n|" + " --- |" * len(names))
    best: list[Rows] = []
    for name, made in _kinds(vectors).items():
        began = time.perf_counter()
        index = made()
        built_s = time.perf_counter() - began
        found: list[Rows] = []
        took: list[float] = []
        for one in asked:
            began = time.perf_counter()
            found.append(dense.nearest(index, one, everything, 100)[0])
            took.append(time.perf_counter() - began)
        best = best or found
        at_10, at_100 = (_shared(found, best, k) for k in (10, 100))
        size = len(faiss.serialize_index(index)) / 1e6
        print(
            f"| {name} | {built_s:.1f} | {size:.0f} | {1e3 * np.median(took):.2f} "
            f"| {at_10:.3f} | {at_100:.3f} |"
        )


def _shared(found: list[Rows], exact: list[Rows], k: int) -> float:
    """Return the share of the exact first k that are among the first k found."""
    pairs = zip(found, exact, strict=True)
    return float(np.mean([len({*a[:k].tolist()} & {*b[:k].tolist()}) / k for a, b in pairs]))


def _kinds(vectors: Vectors) -> dict[str, Callable[[], faiss.Index]]:
    def hnsw() -> faiss.Index:
        kind: Any = faiss.ScalarQuantizer.QT_8bit  # a number, against what its stub says
        index = faiss.IndexHNSWSQ(vectors.shape[1], kind, 16, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = 80
        index.hnsw.efSearch = 128
        index.train(vectors)
        index.add(vectors)
        return index

    return {
        "exact, float16": lambda: dense.build(vectors, exact_up_to=len(vectors)),
        "IVF, 8 bits (ours when large)": lambda: dense.build(vectors, exact_up_to=0),
        "HNSW 16, 8 bits, ef 128": hnsw,
    }


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Fill a library, search it, and compare indices."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chunks", type=int, default=100_000)
    chosen = parser.parse_args()
    one = read_set(chosen.folder)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        embedder = OnnxEmbedder.of(settings)
        with open_library(settings) as library:
            vectors = fill(library, embedder, one, chosen.chunks)
            built_s = _seconds(lambda: Searcher(settings, library, embedder).warm("large"))
            before = _resident_mb()
            searcher = Searcher(settings, library, embedder)
            loaded_s = _seconds(lambda: searcher.warm("large"))
            questions = list(one.questions.values())
            searcher.rank("large", questions[0], 10)
            saved = sum(
                path.stat().st_size
                for path in (Path(folder) / "p3-indices").rglob("*")
                if path.is_file()
            )
            print(
                f"{len(vectors):,} chunks: built in {built_s:.1f} s, {saved / 1e6:.0f} MB on disk,"
            )
            print(f"loaded in {loaded_s:.2f} s, {_resident_mb() - before:.0f} MB more resident\n")
            steps(searcher, embedder, questions)
            against_exact(vectors, embedder.embed(questions))


if __name__ == "__main__":
    main()
