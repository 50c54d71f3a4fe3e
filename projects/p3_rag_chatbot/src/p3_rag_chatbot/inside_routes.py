"""Routes that show the models' insides, for the page; what is loaded for them is loaded when asked.

Thin: parse, ask `inside/`, answer.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request

from p3_rag_chatbot.callers import key_digest
from p3_rag_chatbot.contracts import COLLECTION_NAME
from p3_rag_chatbot.generating.engine import EmbeddedModel
from p3_rag_chatbot.inside.attention import OpenEncoder
from p3_rag_chatbot.inside.contracts import (
    MAX_SENTENCE,
    Attention,
    AttentionAsked,
    MeaningMap,
    NextAsked,
    NextTokens,
    Placed,
    Token,
    Tokenized,
    TokensAsked,
)
from p3_rag_chatbot.inside.meaning_map import DrawnMap
from p3_rag_chatbot.inside.next_tokens import next_tokens
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.ports import Embedder
from p3_rag_chatbot.settings import Settings

N_MAPS = 4


def inside_router(
    library: Callable[[], Library],
    embedder: Embedder,
    generator: EmbeddedModel,
    settings: Settings,
) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/v1/inside", tags=["inside the models"])
    encoder, maps = _Encoder(settings), _Maps()

    def seen(request: Request) -> Library:
        return library().visible_to(key_digest(request, settings))

    Seen = Annotated[Library, Depends(seen)]
    Name = Annotated[str, Query(pattern=COLLECTION_NAME)]

    @router.post("/tokens")
    async def split(asked: TokensAsked) -> tuple[Tokenized, ...]:
        """Split a text into the embedder's tokens, and the generator's."""
        pieces = await to_thread.run_sync(lambda: encoder.loaded().tokenized(asked.text))
        found = await to_thread.run_sync(generator.tokens, asked.text)
        tokens = tuple(Token(id=number, text=text) for number, text in found)
        return pieces, Tokenized(model=generator.name, tokens=tokens)

    @router.post("/attention")
    async def attend(asked: AttentionAsked) -> Attention:
        """Show where each token of a sentence looks, in every head of a layer."""
        return await to_thread.run_sync(lambda: encoder.loaded().attention(asked.text, asked.layer))

    @router.get("/map")
    async def draw_map(shown: Seen, collection: Name) -> MeaningMap:
        """Draw a collection's passages by meaning."""
        return (await to_thread.run_sync(maps.of, shown, collection)).drawn

    @router.get("/map/place")
    async def place(
        shown: Seen,
        collection: Name,
        text: Annotated[str, Query(min_length=1, max_length=MAX_SENTENCE)],
    ) -> Placed:
        """Place a text on a collection's map."""
        return await to_thread.run_sync(
            lambda: maps.of(shown, collection).placed(embedder.embed([text]))
        )

    @router.post("/next")
    async def tell_next(asked: NextAsked) -> NextTokens:
        """Tell what the generator may say next."""
        return await next_tokens(generator, asked)

    return router


class _Encoder:
    """The open encoder, loaded by the first who asks for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._encoder: OpenEncoder | None = None

    def loaded(self) -> OpenEncoder:
        """Return it; raises `WeightsError`."""
        with self._lock:
            if self._encoder is None:
                settings = self._settings
                self._encoder = OpenEncoder.load(settings.data_dir, settings.embedder_weights)
            return self._encoder


class _Maps:
    """The maps that were looked at last, each of one state of its collection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drawn: OrderedDict[tuple[str, str], DrawnMap] = OrderedDict()

    def of(self, library: Library, collection: str) -> DrawnMap:
        """Return a collection's map as it is now."""
        key = (collection, library.revision(collection))
        with self._lock:
            if key not in self._drawn:
                self._drawn[key] = DrawnMap.of(library, collection)
            self._drawn.move_to_end(key)
            while len(self._drawn) > N_MAPS:
                self._drawn.popitem(last=False)
            return self._drawn[key]
