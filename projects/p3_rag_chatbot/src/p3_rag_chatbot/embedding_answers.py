"""The OpenAI Embeddings protocol over any `Embedder`."""

import asyncio
import base64
from typing import Annotated, Literal

from common.errors import FieldError
from pydantic import BaseModel, ConfigDict, Field

from p3_rag_chatbot.errors import RequestError, UnknownModelError
from p3_rag_chatbot.ports import Embedder, Vectors

MAX_INPUTS = 2048
"""As many as the OpenAI API takes in one request."""
Text = Annotated[str, Field(min_length=1)]
Token = Annotated[int, Field(ge=0)]


class EmbeddingRequest(BaseModel):
    """`POST /v1/embeddings`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str
    input: (
        Text
        | Annotated[tuple[Text, ...], Field(min_length=1, max_length=MAX_INPUTS)]
        | tuple[Token, ...]
        | tuple[tuple[Token, ...], ...]
    ) = Field(union_mode="left_to_right")
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = None
    user: str | None = None


class Embedding(BaseModel):
    """A text's vector: numbers, or base64 of little-endian float32."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: tuple[float, ...] | str


class EmbeddingUsage(BaseModel):
    """What the texts took, in tokens."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(BaseModel):
    """Vectors in the order of the texts."""

    object: Literal["list"] = "list"
    data: tuple[Embedding, ...]
    model: str
    usage: EmbeddingUsage


async def embedded(asked: EmbeddingRequest, embedder: Embedder) -> EmbeddingList:
    """Embed a request's texts in a thread; raises `RequestError` and `UnknownModelError`."""
    if asked.model != embedder.name:
        raise UnknownModelError(asked.model, [embedder.name])
    texts = _texts(asked)
    _check_dimensions(asked, embedder)
    vectors = await asyncio.to_thread(embedder.embed, texts)
    n_tokens = sum(await asyncio.to_thread(embedder.count_tokens, texts))
    return EmbeddingList(
        data=_told(vectors, as_base64=asked.encoding_format == "base64"),
        model=embedder.name,
        usage=EmbeddingUsage(prompt_tokens=n_tokens, total_tokens=n_tokens),
    )


def _texts(asked: EmbeddingRequest) -> tuple[str, ...]:
    if isinstance(asked.input, str):
        return (asked.input,)
    texts = tuple(one for one in asked.input if isinstance(one, str))
    if len(texts) < len(asked.input) or not texts:
        message = (
            "holds token numbers of another model's vocabulary; with LangChain, set "
            "check_embedding_ctx_length=False"
        )
        raise RequestError([FieldError(field="input", message=message, accepted="texts")])
    return texts


def _check_dimensions(asked: EmbeddingRequest, embedder: Embedder) -> None:
    """Refuse shorter vectors: the model was not trained to be cut, they would rank badly."""
    if asked.dimensions not in {None, embedder.n_dims}:
        message = f"{embedder.name} makes vectors of one length"
        raise RequestError(
            [FieldError(field="dimensions", message=message, accepted=str(embedder.n_dims))]
        )


def _told(vectors: Vectors, *, as_base64: bool) -> tuple[Embedding, ...]:
    return tuple(
        Embedding(
            index=k,
            embedding=base64.b64encode(one.astype("<f4").tobytes()).decode()
            if as_base64
            else tuple(one.tolist()),
        )
        for k, one in enumerate(vectors)
    )
