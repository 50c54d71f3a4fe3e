"""Documents for tests: a sentence a chunk, a vector that its words decide."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

import numpy as np
from p3_rag_chatbot.library.documents import NewDocument
from p3_rag_chatbot.ports import Vectors

N_DIMS = 32
EMBEDDER = "words-32"


@dataclass(frozen=True)
class Place:
    start: int
    end: int
    headings: tuple[str, ...] = ()
    page: int | None = None


def vector_of(text: str) -> Vectors:
    """A bag of words, each a place among 32, of length 1."""
    vector = np.zeros(N_DIMS, dtype=np.float32)
    for word in re.findall(r"\w+", text.casefold()):
        vector[crc32(word.encode()) % N_DIMS] += 1
    return vector / max(1e-9, float(np.linalg.norm(vector)))


def document(source: str, text: str, /, **more: object) -> NewDocument:
    chunks = [Place(*found.span()) for found in re.finditer(r"[^.]+\.?", text)]
    values: dict[str, object] = {
        "source": source,
        "title": source.partition(".")[0],
        "media_type": "text/plain",
        "sha256": sha256(text.encode("utf-8", "replace")).hexdigest(),
        "text": text,
        "chunks": chunks,
        "vectors": np.array([vector_of(text[c.start : c.end]) for c in chunks]).reshape(-1, N_DIMS),
        "embedder": EMBEDDER,
    }
    return NewDocument(**{**values, **more})


def numbered(source: str, seed: int, /, *, n_chunks: int) -> NewDocument:
    """A document of chunks of six words each, among a hundred, as a seed draws them."""
    drawn = np.random.default_rng(seed).integers(0, 100, (n_chunks, 6))
    text = " ".join(" ".join(f"word{k}" for k in row) + "." for row in drawn)
    return document(source, text)


class WordEmbedder:
    """An embedder of 32 places that a text's words decide."""

    name = EMBEDDER
    n_dims = N_DIMS

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.array([vector_of(text) for text in texts]).reshape(-1, N_DIMS)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]
