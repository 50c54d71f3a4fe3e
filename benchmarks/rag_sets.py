"""Retrieval sets in BEIR's layout, and a library that holds one: for the benchmarks of phase 3."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from p3_rag_chatbot.library.documents import NewDocument
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.ports import Embedder


@dataclass(frozen=True)
class Place:
    """A text of the set, in all of them joined."""

    start: int
    end: int
    headings: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True)
class RetrievalSet:
    """Texts by id, questions by id, and each question's relevant texts with their gains."""

    name: str
    texts: dict[str, str]
    questions: dict[str, str]
    judged: dict[str, dict[str, float]]


def read_set(folder: Path) -> RetrievalSet:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`; questions without judgements leave."""
    texts = {
        one["_id"]: f"{one.get('title', '')} {one['text']}".strip()
        for one in _lines(folder / "corpus.jsonl")
    }
    judged: dict[str, dict[str, float]] = {}
    with (folder / "qrels.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["corpus-id"] in texts and float(row["score"]) > 0:
                judged.setdefault(row["query-id"], {})[row["corpus-id"]] = float(row["score"])
    asked = {one["_id"]: one["text"] for one in _lines(folder / "queries.jsonl")}
    questions = {one: text for one, text in asked.items() if one in judged}
    return RetrievalSet(folder.name, {k: t for k, t in texts.items() if t}, questions, judged)


def hold(library: Library, embedder: Embedder, one: RetrievalSet) -> dict[str, str]:
    """Put a set into a collection of its name unless it is there; return its ids by chunk id."""
    if one.name not in {kept.name for kept in library.collections()}:
        library.create_collection(one.name)
        texts = list(one.texts.values())
        joined, places = join(texts)
        digest = sha256(joined.encode()).hexdigest()
        vectors = embedder.embed(texts)
        library.put_document(
            one.name,
            NewDocument(one.name, "", "text/plain", digest, joined, places, vectors, embedder.name),
        )
    with library.view(one.name) as view:
        chunks = [chunk.id for _, found in view.read(list(view.documents)) for chunk in found]
    return dict(zip(map(str, chunks), one.texts, strict=True))


def join(texts: Sequence[str]) -> tuple[str, list[Place]]:
    """Join texts into one, and tell where each lies in it."""
    ends = np.cumsum([len(text) + 1 for text in texts]).tolist()
    pairs = zip(texts, ends, strict=True)
    return "\n".join(texts) + "\n", [Place(end - len(text) - 1, end - 1) for text, end in pairs]


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
