"""Stand-ins for the models, without weights: small, deterministic, part of the product.

For tests, and for a first look at the service on a machine where no weights can be had. Held with
the real models to the same conformance tests (`tests/test_conformance_*.py`).
"""

import re
import zlib
from collections.abc import AsyncGenerator, Sequence

import numpy as np

from p3_rag_chatbot.errors import ContextLengthError
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta, Usage
from p3_rag_chatbot.ports import Reading, Vectors
from p3_rag_chatbot.reading.trust import Trust

_WORD = re.compile(r"\w+")
_SMALL_WORDS = "the a an of is are was in to what who when where how does do did which for and it"
_SMALL = frozenset(_SMALL_WORDS.split())


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower()) if word not in _SMALL]


class FakeEmbedder:
    """Each word adds 1 at the place that its checksum says; vectors are scaled to length 1."""

    name = "fake-embedder"
    n_dims = 64

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; one without words gets the first axis."""
        vectors = np.zeros((len(texts), self.n_dims), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in _words(text):
                vectors[row, zlib.crc32(word.encode()) % self.n_dims] += 1
            if not vectors[row].any():
                vectors[row, 0] = 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count words and marks."""
        return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


class FakeReader:
    """Answers with the word behind the last one that the question shares with the passage."""

    name = "fake-shared-words"
    trust = Trust()

    def read(self, pairs: Sequence[tuple[str, str]]) -> list[Reading]:
        """Read pairs; the probability is the share of the question's words in the passage."""
        return [self._read(question, passage) for question, passage in pairs]

    def _read(self, question: str, passage: str) -> Reading:
        asked = set(_words(question))
        found = list(_WORD.finditer(passage))
        shared = [at for at, word in enumerate(found) if word[0].lower() in asked]
        p = len({found[at][0].lower() for at in shared}) / len(asked) if asked else 0.0
        if not found:
            return Reading(0, 0, 0.0, 0.0)
        at = min(shared[-1] + 1, len(found) - 1) if shared else 0
        return Reading(found[at].start(), found[at].end(), p, 0.0)

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return the share of the claim's words that the passage has."""
        return [
            len(set(_words(claim)) & set(_words(passage))) / max(1, len(set(_words(claim))))
            for claim, passage in pairs
        ]


class FakeChatModel:
    """Says what it is told to say, a word at a time; without that, what the user said last."""

    def __init__(self, name: str = "echo", *, says: str = "", n_context: int = 2048) -> None:
        self.name, self.says, self.n_context = name, says, n_context
        self.asked: list[ChatRequest] = []

    def count_tokens(self, request: ChatRequest) -> int:
        """Count words and marks of all turns."""
        return sum(len(re.findall(r"\w+|[^\w\s]", one.text)) for one in request.messages)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Answer word by word, up to a stop sequence."""
        self.asked.append(request)
        n_prompt = self.count_tokens(request)
        if n_prompt >= self.n_context:
            raise ContextLengthError(n_prompt, self.n_context)
        text = self.says or request.messages[-1].text
        ends = [text.find(stop) for stop in request.stops if stop]
        text = text[: min((end for end in ends if end >= 0), default=None)]
        pieces = re.findall(r"\S+\s*", text)
        limit = request.token_limit or len(pieces)
        for piece in pieces[:limit]:
            yield Delta(text=piece)
        n = min(limit, len(pieces))
        usage = Usage(prompt_tokens=n_prompt, completion_tokens=n, total_tokens=n_prompt + n)
        yield Delta(finish_reason="length" if n < len(pieces) else "stop", usage=usage)
