"""Stand-ins without weights, for tests and for trying a composition: small and deterministic.

Held to the same conformance tests as the real models.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from hashlib import blake2b

import numpy as np

from p3_rag_chatbot.openai_contracts import ChatRequest, Delta, Usage
from p3_rag_chatbot.ports import Vectors

WORD = re.compile(r"\w+")


class FakeEmbedder:
    """A bag of hashed words: texts that share words are near each other."""

    name = "fake-embedder"
    n_dims = 64

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; one without a word points along the first axis."""
        vectors = np.zeros((len(texts), self.n_dims), dtype=np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for word in WORD.findall(text.lower()):
                place = int.from_bytes(blake2b(word.encode(), digest_size=4).digest())
                vector[place % self.n_dims] += 1.0
            vector[0] += 0.0 if vector.any() else 1.0
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count words."""
        return [len(WORD.findall(text)) for text in texts]


class FakeChatModel:
    """Repeats the last message, word by word."""

    def __init__(self, name: str = "echo") -> None:
        self.name = name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Answer piece by piece, as `ports.ChatModel` promises."""
        words = re.findall(r"\S+\s*", request.messages[-1].text)
        kept = words[: request.token_limit]
        for word in kept:
            yield Delta(text=word)
        n_prompt = self.count_tokens(request)
        usage = Usage(
            prompt_tokens=n_prompt, completion_tokens=len(kept), total_tokens=n_prompt + len(kept)
        )
        yield Delta(finish_reason="stop" if len(kept) == len(words) else "length", usage=usage)

    def count_tokens(self, request: ChatRequest) -> int:
        """Count words."""
        return sum(len(message.text.split()) for message in request.messages)
