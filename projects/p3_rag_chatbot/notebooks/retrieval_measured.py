# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# A notebook prints, shows what a cell ends in, claims with assert, and has its text in cells:
# ruff: noqa: B018, D100, D103, ERA001, S101, T201

# %% [markdown]
# # Retrieval, measured
#
# Words and meaning fail in different places. Eighteen short passages and twelve questions are few,
# and they were written for this page: they show *how* the two fail, not how often. How often is
# measured on thousands of passages by `benchmarks/rag_quality.py`.

# %%
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import faiss
import numpy as np
from common.evaluation.retrieval import retrieval_metrics
from matplotlib.figure import Figure
from p3_rag_chatbot.embedding.embedder import OnnxEmbedder
from p3_rag_chatbot.library.documents import NewDocument
from p3_rag_chatbot.library.library import open_library
from p3_rag_chatbot.retrieval import dense
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings

PASSAGES = [
    "Error E4012 means that the pump has lost its pressure. Close the valve and start again.",
    "Error E4021 means that the filter is full. Empty it and wait ten minutes.",
    "Error E4102 means that the door is not closed.",
    "Employees have 28 days of paid leave a year.",
    "Who falls ill has to send a doctor's note within three days.",
    "Expenses are refunded within two weeks after the receipts came in.",
    "The canteen serves warm meals from half past eleven until two.",
    "Visitors get a badge at the front desk and are met by their host.",
    "Bicycles are parked in the basement; the code of the gate changes every month.",
    "Passwords have at least fourteen characters and are never sent by mail.",
    "Laptops are encrypted; a lost one is reported to the help desk at once.",
    "The model X-200 weighs 3 kg, the model X-210 weighs 4 kg.",
    "The warranty of the X-200 lasts two years, that of the X-210 three.",
    "Parcels are handed in at gate B before four in the afternoon.",
    "The fire alarm is tested on the first Monday of a month at noon.",
    "New colleagues have a mentor in their first half year.",
    "Meeting rooms are booked in the calendar and released when nobody came for ten minutes.",
    "The night shift begins at ten and is paid a quarter more.",
]
QUESTIONS = {
    "E4021": 1,
    "What does E4102 say?": 2,
    "weight of the X-210": 11,
    "X-200 warranty": 12,
    "How long is my holiday?": 3,
    "I am sick, what do I have to do?": 4,
    "When do I get my money back for a train ticket?": 5,
    "Where can I have lunch?": 6,
    "My notebook was stolen": 10,
    "Where do I leave a package for the post?": 13,
    "Is there a drill for evacuation?": 14,
    "Do I earn more when I work late?": 17,
}

# %% [markdown]
# ## A library of one document
#
# Text, places and vectors are kept in SQL; what searches them is built from there.


# %%
class Place(NamedTuple):
    """Where a passage lies in the document."""

    start: int
    end: int
    headings: tuple[str, ...] = ()
    page: int | None = None


settings = Settings(data_dir=Path(tempfile.mkdtemp()), index_guides=False, n_threads=1)
embedder = OnnxEmbedder.of(settings)
library = open_library(settings)
library.create_collection("handbook")
ends = np.cumsum([len(text) + 1 for text in PASSAGES]).tolist()
places = [Place(end - len(text) - 1, end - 1) for text, end in zip(PASSAGES, ends, strict=True)]
whole = "\n".join(PASSAGES) + "\n"
vectors = embedder.embed(PASSAGES)
digest = sha256(whole.encode()).hexdigest()
library.put_document(
    "handbook",
    NewDocument("handbook", "", "text/plain", digest, whole, places, vectors, embedder.name),
)
with library.view("handbook") as view:
    chunk_ids = [chunk.id for _, found in view.read(list(view.documents)) for chunk in found]
number = {str(chunk): str(k) for k, chunk in enumerate(chunk_ids)}
searcher = Searcher(settings, library, embedder)
assert len(number) == len(PASSAGES)

# %% [markdown]
# ## Words, meaning, both
#
# BM25 counts words that are shared and rare: it finds `E4021`, and nothing for "holiday", which the
# handbook calls leave. The vectors know that a stolen notebook is a lost laptop, and take one error
# number for another. Both are brought to one scale and blended.


# %%
def ranked(way: str) -> Callable[[str], list[str]]:
    return lambda asked: [number[one] for one in searcher.rank("handbook", asked, 10, way=way)]


judged = {asked: {str(at): 1.0} for asked, at in QUESTIONS.items()}
rankings = {
    way: {asked: ranked(way)(asked) for asked in QUESTIONS} for way in ("bm25", "dense", "hybrid")
}
figures = {way: retrieval_metrics(judged, found, ks=(1, 10)) for way, found in rankings.items()}
for way, found in figures.items():
    shown = found["mrr"]
    print(f"{way}: MRR {shown.value:.2f} ({shown.low:.2f} to {shown.high:.2f})")
assert figures["hybrid"]["mrr"].value > figures["bm25"]["mrr"].value
assert figures["dense"]["mrr"].value > figures["bm25"]["mrr"].value

# %%
for asked, at in QUESTIONS.items():
    where = {
        way: found[asked].index(str(at)) + 1 if str(at) in found[asked] else "-"
        for way, found in rankings.items()
    }
    print(f"{asked}: " + ", ".join(f"{way} {rank}" for way, rank in where.items()))
missed_by_words = [q for q, at in QUESTIONS.items() if rankings["bm25"][q][:1] != [str(at)]]
assert missed_by_words
assert any(rankings["dense"][q][:1] == [str(QUESTIONS[q])] for q in missed_by_words)

# %% [markdown]
# Here meaning alone is ahead of the blend: most of these questions were written to share no word
# with their passage, so the words only pull the blend down. On CACM and NPL the blend is ahead of
# both. And the intervals overlap: twelve questions cannot tell two good searches apart.
#
# ## What approximate search leaves out
#
# Exact search compares a question with every vector. Beyond a size that is too slow, and an index
# looks into a part of the cells only. What it loses has to be measured against exact.

# %%
rng = np.random.default_rng(0)
many = vectors[rng.integers(0, len(vectors), 20_000)]
many = many + 0.05 * rng.normal(size=many.shape).astype(np.float32)
many /= np.linalg.norm(many, axis=1, keepdims=True)
asked_vectors = embedder.embed(list(QUESTIONS))
exact = dense.build(many, exact_up_to=50_000)
quick = dense.build(many, exact_up_to=1_000)


def nearest_ten(index: faiss.Index) -> list[set[int]]:
    everything = np.ones(len(many), bool)
    found = [dense.nearest(index, one, everything, 10) for one in asked_vectors]
    return [set(rows.tolist()) for rows, _ in found]


pairs = zip(nearest_ten(exact), nearest_ten(quick), strict=True)
recalls = [len(a & b) / 10 for a, b in pairs]
print(f"{type(quick).__name__} finds {np.mean(recalls):.0%} of the ten nearest of {len(many):,}")
assert type(exact) is not type(quick)
assert np.mean(recalls) > 0.5

# %%
figure = Figure(figsize=(5, 2.5), layout="constrained")
axes = figure.subplots()
values = [figures[way]["mrr"] for way in figures]
low = [one.value - one.low for one in values]
high = [one.high - one.value for one in values]
axes.errorbar(list(figures), [one.value for one in values], yerr=[low, high], fmt="o", capsize=4)
axes.set(ylabel="mean reciprocal rank", ylim=(0, 1.05))
figure

# %%
library.close()
embedder.close()
