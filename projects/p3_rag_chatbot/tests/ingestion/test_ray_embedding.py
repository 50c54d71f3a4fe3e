"""Embedding over Ray Data, on a cluster of this machine, is what one process makes."""

import importlib.util

import numpy as np
import pytest
from p3_rag_chatbot.fakes import FakeEmbedder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None,
        reason="the extra `ray` (500 MB) is not part of the development environment",
    ),
]


@pytest.mark.filterwarnings("default")  # Ray's own, of the cluster it starts and stops
def test_vectors_from_a_cluster_are_those_of_one_process_in_the_same_order() -> None:
    import ray
    from p3_rag_chatbot.ingestion.ray_embedding import RayEmbedder

    texts = [f"text {k} " + "word " * (k % 7) for k in range(600)]
    try:
        embedder = RayEmbedder(FakeEmbedder, FakeEmbedder(), n_workers=2)
        assert embedder.embed([]).shape == (0, 64)
        assert np.array_equal(embedder.embed(texts), FakeEmbedder().embed(texts))
    finally:
        ray.shutdown()
