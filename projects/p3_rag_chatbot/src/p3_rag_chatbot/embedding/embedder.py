"""The embedder of this service: all-MiniLM-L6-v2 as unit vectors, in ONNX Runtime.

Read first: `unpadded.py`, how texts of many lengths are run. `fakes.FakeEmbedder` is held to the
same conformance test.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from p3_rag_chatbot.embedding.graph_cache import load_graph
from p3_rag_chatbot.embedding.graph_form import EMBEDDING, GraphForm, Precision
from p3_rag_chatbot.embedding.minilm import MINILM, SHAPE, find_minilm
from p3_rag_chatbot.embedding.tokens import WordPieces
from p3_rag_chatbot.embedding.unpadded import Outputs, UnpaddedModel
from p3_rag_chatbot.ports import Vectors
from p3_rag_chatbot.settings import Settings


class OnnxEmbedder:
    """`ports.Embedder` over the real model; safe to call from several threads."""

    n_dims = SHAPE.n_dims

    def __init__(self, model: UnpaddedModel, tokens: WordPieces, precision: Precision) -> None:
        self.name = f"{MINILM.name}-{precision}"
        self._model = model
        self._tokens = tokens

    @classmethod
    def load(
        cls,
        data_dir: Path,
        *,
        weights: Path | None = None,
        precision: Precision = "int8",
        n_threads: int = 2,
    ) -> "OnnxEmbedder":
        """Find the weights and load the graph, built on first use; raises `WeightsError`."""
        files = find_minilm(data_dir, weights)
        form = GraphForm("embedding", precision, is_padded=False)
        model = UnpaddedModel(load_graph(files, form, data_dir), n_threads)
        return cls(model, WordPieces.load(files.tokenizer), precision)

    @classmethod
    def of(cls, settings: Settings) -> "OnnxEmbedder":
        """Load what the settings name."""
        return cls.load(
            settings.data_dir,
            weights=settings.embedder_weights,
            precision=settings.embedder_precision,
            n_threads=settings.n_threads,
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts, each cut to 512 tokens; returns (n, n_dims) float32, in their order."""
        vectors = np.empty((len(texts), self.n_dims), dtype=np.float32)

        def keep(rows: Sequence[int], outputs: Outputs) -> None:
            vectors[rows] = outputs[EMBEDDING]

        self._model.run(self._tokens.ids(texts, SHAPE.max_tokens), keep)
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, special ones left out, without cutting."""
        return self._tokens.count(texts)

    def close(self) -> None:
        """Let the threads end."""
        self._model.close()
