"""What every embedder promises, the real one and the stand-in alike (`ports.Embedder`)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from p3_rag_chatbot.embedding.embedder import OnnxEmbedder
from p3_rag_chatbot.fakes import FakeEmbedder
from p3_rag_chatbot.ports import Embedder

TEXTS = [
    "The cat sleeps on the sofa.",
    "",
    "Invoices are paid within thirty days.",
    "a word " * 2000,
    "half of a character: \ud800, then 你好",
    "The cat sleeps on the sofa.",
]


@pytest.fixture(scope="module", params=["fake", "int8", "fp32"])
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    yield from _made(request.param, tmp_path_factory.mktemp("data"))


def _made(kind: str, data_dir: Path) -> Iterator[Embedder]:
    if kind == "fake":
        yield FakeEmbedder()
        return
    real = OnnxEmbedder.load(data_dir, precision=kind)
    yield real
    real.close()


def test_vectors_have_the_promised_shape_and_length_one(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.n_dims)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_each_text_is_embedded_alike_in_any_company(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert (together * alone).sum(axis=1).min() > 0.98
    assert together[0] @ together[-1] > 0.999


def test_nothing_to_embed_gives_nothing(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.n_dims)
    assert embedder.count_tokens([]) == []


def test_a_text_is_nearer_to_what_shares_its_words(embedder: Embedder) -> None:
    cat, cats, bills = embedder.embed(
        ["a cat sleeps", "the cat sleeps on a sofa", "invoices are paid monthly"]
    )
    assert cat @ cats > cat @ bills + 0.2


def test_tokens_are_counted_without_cutting(embedder: Embedder) -> None:
    counts = embedder.count_tokens(["", "one", "one two", "one " * 3000])
    assert counts == [0, 1, 2, 3000]
