"""Attention as it happens: the embedder's network with every head's weights as an output.

The same weights as the embedder's, in a graph that is built when it is first asked for.
"""

from pathlib import Path

import numpy as np
from common.errors import FieldError
from common.serving import OnnxModel

from p3_rag_chatbot.embedding.graph_cache import load_graph
from p3_rag_chatbot.embedding.graph_form import ATTENTIONS, INPUT_IDS, MASK, TYPE_IDS, GraphForm
from p3_rag_chatbot.embedding.minilm import MINILM, SHAPE, find_minilm
from p3_rag_chatbot.embedding.tokens import WordPieces
from p3_rag_chatbot.errors import RequestError
from p3_rag_chatbot.inside.contracts import MAX_ATTENDED, Attention, Token, Tokenized


class OpenEncoder:
    """The encoder with its tokenizer, opened up."""

    def __init__(self, tokens: WordPieces, model: OnnxModel) -> None:
        self._tokens, self._model = tokens, model

    @classmethod
    def load(cls, data_dir: Path, weights: Path | None = None) -> "OpenEncoder":
        """Find the weights and load the open graph, built on first use; raises `WeightsError`."""
        files = find_minilm(data_dir, weights)
        form = GraphForm("none", "int8", is_open=True)
        return cls(WordPieces.load(files.tokenizer), load_graph(files, form, data_dir))

    def tokenized(self, text: str) -> Tokenized:
        """Split a text into word pieces."""
        pieces = self._tokens.pieces(text)
        return Tokenized(
            model=MINILM.name, tokens=tuple(Token(id=one.id, text=one.text) for one in pieces)
        )

    def attention(self, text: str, layer: int) -> Attention:
        """Run a sentence and return one layer's attention; raises `RequestError`."""
        if layer > SHAPE.n_layers:
            message = f"is {layer}"
            accepted = f"1 to {SHAPE.n_layers}"
            raise RequestError([FieldError(field="layer", message=message, accepted=accepted)])
        names = [one.text for one in self._tokens.pieces(text)]
        ids = np.array(self._tokens.ids([text], MAX_ATTENDED), np.int64)
        feeds = {INPUT_IDS: ids, MASK: np.ones_like(ids), TYPE_IDS: np.zeros_like(ids)}
        weights = self._model.run(feeds)[ATTENTIONS][0, layer - 1]
        return Attention(
            model=MINILM.name,
            tokens=("[CLS]", *names[: MAX_ATTENDED - 2], "[SEP]"),
            layer=layer,
            n_layers=SHAPE.n_layers,
            weights=np.round(weights.astype(np.float64), 4).tolist(),
            is_cut=len(names) > MAX_ATTENDED - 2,
        )
