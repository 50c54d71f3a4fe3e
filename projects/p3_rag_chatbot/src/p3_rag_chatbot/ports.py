"""What is outside, or may be replaced: the models and the search, as answers are made with them.

Vectors are searched through LangChain's `VectorStore`; SQL through `common.store`. The embedded
models are in `embedding/`, `reading/` and `generating/`; `fakes.py` has stand-ins without weights,
held to the same conformance tests.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from p3_rag_chatbot.contracts import SearchAnswer, SearchRequest
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta
from p3_rag_chatbot.reading.trust import Trust

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors of length 1 whose dot products are cosines."""

    @property
    def name(self) -> str:
        """Which model this is, precision included: part of an index's identity."""
        ...

    @property
    def n_dims(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts, cut to the model's length; returns (n, n_dims) float32, in their order."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, special ones left out, without cutting."""
        ...


@dataclass(frozen=True)
class Reading:
    """What a reader found in a passage for a question: the best span, and how sure it is.

    `start` and `end` are character offsets in the passage, end exclusive; the span is the best one
    even where it is not believed. `p_answerable` in 0..1 is the calibrated probability that the
    passage holds the answer; `span_score` the span's own log-probability among spans (at most 0).
    """

    start: int
    end: int
    p_answerable: float
    span_score: float


class Reader(Protocol):
    """Marks the span of a passage that answers a question, or says that none does."""

    @property
    def name(self) -> str:
        """Which model this is."""
        ...

    @property
    def trust(self) -> Trust:
        """How its marks are weighed with the search's."""
        ...

    def read(self, pairs: Sequence[tuple[str, str]]) -> list[Reading]:
        """Read (question, passage) pairs; a long passage is read in overlapping windows."""
        ...

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Say of (claim, passage) pairs how probably the passage supports the claim, in 0..1."""
        ...


class ChatModel(Protocol):
    """A language model that continues a conversation."""

    @property
    def name(self) -> str:
        """Which model this is, as `/v1/models` lists it."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Answer piece by piece; the last piece has a `finish_reason` and the usage.

        Closing the iterator stops the work. Raises `RequestError`, `ModelBusyError`,
        `ContextLengthError` or `SchemaError` before the first piece, `GenerationError` at any time.
        """
        ...

    def count_tokens(self, request: ChatRequest) -> int:
        """Count the prompt's tokens as the model will see them, template included."""
        ...


class Searches(Protocol):
    """Finds passages; `retrieval/search.py` has the real one."""

    def search(self, request: SearchRequest, *, key_digest: str | None = None) -> SearchAnswer:
        """Search as the holder of an API key may, by its digest; raises `UnknownCollectionError`.

        None is a caller without a key.
        """
        ...
