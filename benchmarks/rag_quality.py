"""What each way to search finds: nDCG@10, recall@10 and MRR, with intervals.

Run: `python benchmarks/rag_quality.py FOLDER [--data-dir DIR]`, the folder holding sets in BEIR's
layout (`corpus.jsonl`, `queries.jsonl`, `qrels.tsv`). Prints a table for each set, and how far the
hybrid is ahead of the better of its two sides, over the same questions. Texts are embedded once
and kept in the data directory.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from common.evaluation import compare_metrics, retrieval_metrics
from common.evaluation.metrics import Metrics
from p3_rag_chatbot.contracts import SearchRequest
from p3_rag_chatbot.embedding.embedder import OnnxEmbedder
from p3_rag_chatbot.library.library import open_library
from p3_rag_chatbot.loading import load_reader
from p3_rag_chatbot.retrieval.reranking import ReaderReranker
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings
from rag_sets import RetrievalSet, hold, read_set

Ranker = Callable[[str], list[str]]
SHOWN = ("ndcg@10", "recall@10", "mrr")


def rankers(searcher: Searcher, collection: str) -> dict[str, Ranker]:
    """Return each way to search, as a question to ids of passages."""

    def by(diversity: float, *, is_reranked: bool = False) -> Ranker:
        def ranked(question: str) -> list[str]:
            request = SearchRequest(
                query=question, collection=collection, k=10, rerank=is_reranked,
                diversity=diversity,
            )  # fmt: skip
            return [hit.passage.id for hit in searcher.search(request).hits]

        return ranked

    return {
        "bm25": lambda question: searcher.rank(collection, question, 10, way="bm25"),
        "dense": lambda question: searcher.rank(collection, question, 10, way="dense"),
        "hybrid": lambda question: searcher.rank(collection, question, 10),
        "hybrid, no near-duplicates": by(0),
        "and diversity 0.2": by(0.2),
        "reranked by the reader": by(0, is_reranked=True),
    }


def measure(searcher: Searcher, one: RetrievalSet, ids: dict[str, str]) -> None:
    """Print a set's table."""
    print(f"\n{one.name}: {len(one.texts):,} texts, {len(one.questions)} questions\n")
    print("| way | " + " | ".join(SHOWN) + " |\n| --- |" + " --- |" * len(SHOWN))
    found: dict[str, Metrics] = {}
    for name, ranked in rankers(searcher, one.name).items():
        rankings = {
            asked: [ids[hit] for hit in ranked(text)] for asked, text in one.questions.items()
        }
        judged = {asked: one.judged[asked] for asked in one.questions}
        found[name] = retrieval_metrics(judged, rankings, ks=(10,))
        shown = [found[name][figure] for figure in SHOWN]
        cells = [f"{100 * x.value:.1f} ({100 * x.low:.1f} to {100 * x.high:.1f})" for x in shown]
        print(f"| {name} | " + " | ".join(cells) + " |")
    better = max(("bm25", "dense"), key=lambda way: found[way]["ndcg@10"].value)
    ahead = compare_metrics(found["hybrid"], found[better], "ndcg@10", names=("hybrid", better))
    gain, low, high = (-100 * x for x in (ahead.effect.value, ahead.effect.high, ahead.effect.low))
    print(f"\nhybrid is ahead of {better} by {gain:.1f} ({low:.1f} to {high:.1f}) nDCG@10")


def main() -> None:
    """Measure each set in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data-dir", type=Path, default=None)
    chosen = parser.parse_args()
    settings = Settings(**({"data_dir": chosen.data_dir} if chosen.data_dir else {}))
    embedder = OnnxEmbedder.of(settings)
    with open_library(settings) as library:
        reranker = ReaderReranker(load_reader(settings))
        searcher = Searcher(settings, library, embedder, reranker=reranker)
        for folder in sorted(path.parent for path in chosen.folder.glob("*/corpus.jsonl")):
            one = read_set(folder)
            measure(searcher, one, hold(library, embedder, one))


if __name__ == "__main__":
    main()
