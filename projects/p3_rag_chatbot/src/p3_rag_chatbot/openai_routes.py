"""The OpenAI protocol over HTTP: chat completions, streamed or whole, embeddings, and models.

Thin: a request is checked, its model is asked, pieces become chunks. A `ChatModel` decides what
becomes of `tools`, `response_format` and `rag`. Read next: `openai_answers.py`, `leaving.py`.
"""

import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

import structlog
from common.errors import DomainError, FieldError
from fastapi import APIRouter, Request
from starlette.responses import Response

from p3_rag_chatbot.embedding_answers import EmbeddingList, EmbeddingRequest, embedded
from p3_rag_chatbot.errors import RequestError, UnknownModelError
from p3_rag_chatbot.leaving import EventStream, unless_left
from p3_rag_chatbot.openai_answers import ChatCompletion, Chunks, ModelList, ServedModel, whole
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta
from p3_rag_chatbot.openai_errors import OpenAIRoute, broken_off
from p3_rag_chatbot.ports import ChatModel, Embedder

log = structlog.get_logger()

DONE = "data: [DONE]\n\n"
JSON = "application/json"


def openai_router(
    models: Mapping[str, ChatModel],
    embedder: Embedder,
    *,
    max_question_characters: int,
    who: Callable[[Request], str | None] = lambda _: None,
) -> APIRouter:
    """Make the routes; a model is asked by its key in `models`, for `who` asks by their key."""
    router = APIRouter(prefix="/v1", tags=["OpenAI"], route_class=OpenAIRoute)
    began = int(time.time())

    @router.post("/chat/completions", response_model=ChatCompletion)
    async def complete(request: Request, asked: ChatRequest) -> Response:
        """Continue a conversation; with `stream`, as server-sent events that end in [DONE]."""
        _check_question(asked, max_question_characters)
        asked = asked.model_copy(update={"key_digest": who(request)})
        model = _found(models, asked.model)
        pieces = model.stream(asked)
        if not asked.stream:
            async with aclosing(pieces):
                answer = await unless_left(request.receive, whole(asked.model, pieces))
            return Response(answer.as_json(), media_type=JSON)
        first = await unless_left(request.receive, anext(pieces))
        return EventStream(_events(asked, first, pieces, request.url.path))

    @router.get("/models")
    async def list_models() -> ModelList:
        """List the models that can be asked."""
        names = [*models, embedder.name]
        return ModelList(data=tuple(ServedModel(id=name, created=began) for name in names))

    @router.get("/models/{name:path}")
    async def describe_model(name: str) -> ServedModel:
        """Describe one of them."""
        if name not in models and name != embedder.name:
            raise UnknownModelError(name, [*models, embedder.name])
        return ServedModel(id=name, created=began)

    @router.post("/embeddings")
    async def embed(request: Request, asked: EmbeddingRequest) -> EmbeddingList:
        """Embed texts."""
        return await unless_left(request.receive, embedded(asked, embedder))

    return router


def _found(models: Mapping[str, ChatModel], name: str) -> ChatModel:
    if name not in models:
        raise UnknownModelError(name, list(models))
    return models[name]


def _check_question(asked: ChatRequest, limit: int) -> None:
    """Refuse a question that is a document: the last thing the user said."""
    said = [(k, one) for k, one in enumerate(asked.messages) if one.role == "user"]
    if said and len(said[-1][1].text) > limit:
        message = f"has {len(said[-1][1].text):,} characters (P3_MAX_QUESTION_CHARACTERS)"
        field = f"messages.{said[-1][0]}.content"
        raise RequestError(
            [FieldError(field=field, message=message, accepted=f"at most {limit:,}")]
        )


async def _events(
    asked: ChatRequest, first: Delta, pieces: AsyncGenerator[Delta], path: str
) -> AsyncGenerator[str]:
    """Write a stream; what fails after it began ends it with an error event and no [DONE]."""
    options = asked.stream_options
    chunks = Chunks(asked.model, include_usage=options is not None and options.include_usage)
    yield _event(chunks.opening())
    try:
        async with aclosing(pieces):
            for chunk in chunks.written(first):
                yield _event(chunk)
            async for piece in pieces:
                for chunk in chunks.written(piece):
                    yield _event(chunk)
    except DomainError as error:
        log.warning("answer_broken_off", model=asked.model, reason=str(error))
        yield broken_off(error, path)
        return
    yield DONE


def _event(chunk: Mapping[str, object]) -> str:
    return f"data: {json.dumps(chunk, ensure_ascii=False, separators=(',', ':'))}\n\n"
